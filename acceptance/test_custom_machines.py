"""Servers and workers of several machines: each with a home of its own, records in PostgreSQL,
images and models in an S3 of somebody else's. A worker that dies in a training is taken over."""

import json
import subprocess
import time

import pytest

import clients
import independent
from serving import BINARY, Home, Server
from test_custom_labels import DATA


def test_machines(tmp_path):
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    with independent.postgres() as database, independent.moto("hosted", "models", "mapped") as (url, theirs):
        shared = ["--database", database, "--s3-url", url("hosted"), "--training-models", url("models"), "--buckets", f"results={url('mapped')}"]
        homes = []
        for n in range(3):
            (tmp_path / str(n)).mkdir()
            homes.append(Home(tmp_path / str(n), independent.CREDENTIALS))
        workers = []

        def worker(home):
            log = open(home.path / "worker.log", "w")
            workers.append(subprocess.Popen([BINARY, "worker", "--log-format", "json", *shared], env=home.env(), stderr=log))
            return home.path / "worker.log"

        try:
            with Server(homes[0], "--training-workers", "0", *shared) as server:
                s3, client = clients.s3(server.url), clients.rekognition(server.url)
                s3.create_bucket(Bucket="pictures")
                lines = []
                for line in (DATA / "train_class.manifest").read_text().splitlines():
                    entry = json.loads(line)
                    name = entry["source-ref"].rsplit("/", 1)[1]
                    s3.upload_file(str(DATA / "dataset-files" / "training-images" / name), "pictures", name)
                    lines.append(json.dumps({**entry, "source-ref": f"s3://pictures/{name}"}))
                s3.put_object(Bucket="pictures", Key="train.manifest", Body="\n".join(lines).encode())
                assert theirs.list_objects_v2(Bucket="hosted")["KeyCount"] > 63
                project = client.create_project(ProjectName="p")["ProjectArn"]
                source = {"GroundTruthManifest": {"S3Object": {"Bucket": "pictures", "Name": "train.manifest"}}}
                train = client.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)["DatasetArn"]
                while client.describe_dataset(DatasetArn=train)["DatasetDescription"]["Status"] == "CREATE_IN_PROGRESS":
                    time.sleep(0.2)
                stats = client.describe_dataset(DatasetArn=train)["DatasetDescription"]["DatasetStats"]
                assert (stats["TotalEntries"], stats["ErrorEntries"]) == (63, 0)
                worker(homes[1])
                version = client.create_project_version(ProjectArn=project, VersionName="v", OutputConfig={"S3Bucket": "results"})["ProjectVersionArn"]
                for _ in range(600):
                    if (homes[1].path / "custom" / "trainings").exists():
                        break
                    time.sleep(0.05)
                workers[0].kill()
                died = time.monotonic()
                second = worker(homes[2])
                while '"msg":"training tried"' not in second.read_text():
                    assert time.monotonic() - died < 60, second.read_text()
                    time.sleep(0.1)
                print(f"another worker had tried the first way {time.monotonic() - died:.1f} s after the first died")
                client.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v"], WaiterConfig={"Delay": 2, "MaxAttempts": 60})
                v, = client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]
                summary = json.loads(theirs.get_object(Bucket="mapped", Key=v["EvaluationResult"]["Summary"]["S3Object"]["Name"])["Body"].read())
                assert summary["EvaluationDetails"]["Labels"] == ["anomaly", "normal"]
                assert not (homes[0].path / "custom" / "models").exists(), "the server has not fetched the model yet"
                client.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
                client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
                seen = client.detect_custom_labels(ProjectVersionArn=version, Image={"S3Object": {"Bucket": "pictures", "Name": "anomaly-1.jpg"}}, MinConfidence=0)
                assert {l["Name"] for l in seen["CustomLabels"]} == {"anomaly", "normal"}
                assert [p.name for p in (homes[0].path / "custom" / "models").iterdir()] == ["custom-1"]
                client.stop_project_version(ProjectVersionArn=version)
                while client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["Status"] != "STOPPED":
                    time.sleep(0.2)
                client.delete_project_version(ProjectVersionArn=version)
                while client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]:
                    time.sleep(0.2)
                assert theirs.list_objects_v2(Bucket="models")["KeyCount"] == 0, "a model without a version"
        finally:
            for w in workers:
                w.kill()
                w.wait()
