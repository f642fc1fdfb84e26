"""`trilobite worker` beside a server: it trains what the server was asked for."""

import json
import shutil
import signal
import subprocess
import time

import pytest

import clients
from serving import BINARY, Home, Server
from test_custom_labels import DATA, GENUINE, PREFIX


def test_worker_on_the_same_home(tmp_path):
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    images, out, place = tmp_path / "images", tmp_path / "out", tmp_path / "home"
    (images / PREFIX).mkdir(parents=True), out.mkdir(), place.mkdir()
    shutil.copytree(DATA / "dataset-files" / "training-images", images / PREFIX / "training-images")
    shutil.copy(DATA / "train_class.manifest", out)
    home = Home(place)
    buckets = ["--buckets", f"{GENUINE}=file://{images}?metadata=skip", "--buckets", f"out=file://{out}?metadata=skip"]
    with Server(home, "--training-workers", "0", *buckets) as server:
        client = clients.rekognition(server.url)
        project = client.create_project(ProjectName="p")["ProjectArn"]
        manifest = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": "out", "Name": "train_class.manifest"}}}]}
        version = client.create_project_version(ProjectArn=project, VersionName="v", OutputConfig={"S3Bucket": "out"},
                                                TrainingData=manifest, TestingData={"AutoCreate": True})["ProjectVersionArn"]
        status = lambda: client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["Status"]
        time.sleep(3)
        assert status() == "TRAINING_IN_PROGRESS", "the server was told to leave trainings to workers"
        refused = home.run("restore", "-", "--replace", check=False)
        assert "is at work" in refused.stderr
        worker = subprocess.Popen([BINARY, "worker", "--log-format", "json", *buckets], env=home.env(), stderr=subprocess.PIPE, text=True)
        try:
            client.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v"], WaiterConfig={"Delay": 2, "MaxAttempts": 60})
        finally:
            worker.send_signal(signal.SIGTERM)
            log = [json.loads(line) for line in worker.communicate(timeout=30)[1].splitlines()]
        assert worker.returncode == 0, log
        assert any(r["msg"] == "training tried" for r in log), log
        client.start_project_version(ProjectVersionArn=version, MinInferenceUnits=2)
        client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        image = DATA / "dataset-files" / "training-images" / "anomaly-1.jpg"
        seen = client.detect_custom_labels(ProjectVersionArn=version, Image={"Bytes": image.read_bytes()}, MinConfidence=0)["CustomLabels"]
        assert {l["Name"] for l in seen} == {"anomaly", "normal"}
