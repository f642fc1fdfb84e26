"""trilobite compare asks the vendors' services through their Go SDKs: here this server stands in
for them, so that real requests cross a real wire and can be counted."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import clients
import photos
from serving import BINARY, Home, Server, models_folder

DATA = Path(os.environ.get("TRILOBITE_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")) / "hymenoptera"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Three photographs with a class each."""
    root = tmp_path_factory.mktemp("labelled")
    for name, path in (("cat", photos.CAT[0]), ("motorcycle", photos.MOTORCYCLE[0]), ("cup", photos.MOTORCYCLE[0].parent / "coffee.png")):
        (root / "test" / name).mkdir(parents=True)
        shutil.copy(photos.need(path), root / "test" / name)
    return root


def start(home, data, out, server, *flags):
    """Begins a comparison whose vendors are this server."""
    env = {**home.env(), "TRILOBITE_PACKAGES": os.environ.get("TRILOBITE_PACKAGES", str(BINARY.parent.parent / ".deps")),
           "AWS_ENDPOINT_URL_REKOGNITION": server.url, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "eu-central-1"}
    return subprocess.Popen([BINARY, "compare", data, "-o", out, "--vision-endpoint", server.url, "--vertex-endpoint", server.address, "--rate", "100", "--bootstrap", "50", *flags],
                            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def compare(home, data, out, server, *flags, check=True):
    running = start(home, data, out, server, *flags)
    try:
        stdout, stderr = running.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    assert not check or running.returncode == 0, stdout + stderr
    return subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)


def asked(server):
    return sum(r.get("op") in ("DetectLabels", "DetectCustomLabels", "BatchAnnotateImages", "Predict") for r in server.requests())


@pytest.mark.smoke
def test_each_image_is_paid_for_once(home, labelled, tmp_path):
    out = tmp_path / "report"
    routes = ("--routes", "pretrained,rekognition,vision")
    with Server(home) as server:
        dry = compare(home, labelled, out, server, *routes, "--dry-run")
        assert "would make 6 calls for at most $0.0075" in dry.stdout and "MB leave this machine" in dry.stderr, dry.stdout + dry.stderr
        uncapped = compare(home, labelled, out, server, *routes, check=False)
        assert uncapped.returncode != 0 and "--max-spend" in uncapped.stderr, uncapped.stderr
        assert asked(server) == 0
        capped = compare(home, labelled, out, server, *routes, "--max-spend", "0.002", check=False)
        assert capped.returncode != 0 and "The cap of $0.002 is reached" in capped.stderr, capped.stderr
        assert asked(server) == 2
        compare(home, labelled, out, server, *routes, "--max-spend", "1")
        assert asked(server) == 6
        compare(home, labelled, out, server, *routes)  # nothing is left to pay
        assert asked(server) == 6
    report = json.loads((out / "report.json").read_text())
    found = {r["name"]: r for r in report["routes"]}
    assert [found[n]["calls"] for n in ("rekognition", "vision")] == [3, 3]
    for name in ("rekognition", "vision"):
        assert found[name]["figures"][0]["value"] == found["pretrained"]["figures"][0]["value"] >= 2 / 3
        assert found[name]["bytes_sent"] == report["dataset"]["test_bytes"] > 0
        assert found[name]["host"].startswith("127.0.0.1")
        kept, = out.glob(f"answers/{name}-*")
        assert all("raw" in json.loads(p.read_text()) for p in kept.iterdir())
    lines = [json.loads(l) for l in (out / "spending.jsonl").read_text().splitlines()]
    assert sum(-l["price"] if l.get("refused") else l["price"] for l in lines) == pytest.approx(3 * 0.001 + 3 * 0.0015)
    assert {p.name for p in out.iterdir()} >= {"report.html", "report.md", "figure.svg", "figure.png", "figure.ja.svg", "figure.ja.png"}


def test_custom_labels(tmp_path):
    """A model that this server trained is asked as Amazon's would be."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    bucket, set_ = tmp_path / "bucket", tmp_path / "set"
    bucket.mkdir()
    lines = []
    for name in ("ants", "bees"):
        (set_ / "test" / name).mkdir(parents=True)
        train = sorted((DATA / "train" / name).iterdir())[:12]
        for i, p in enumerate(train):
            key = f"{name}-{i}.jpg"
            shutil.copy(p, bucket / key)
            meta = {"confidence": 1, "class-name": name, "human-annotated": "yes", "creation-date": "2020-03-06T17:46:39.176", "type": "groundtruth/image-classification"}
            lines.append({"source-ref": f"s3://photos/{key}", "insect": 1, "insect-metadata": meta})
        held = sorted(next(d for d in (DATA / "test", DATA / "val") if d.exists()).joinpath(name).iterdir())[:6]
        for p in held:
            shutil.copy(p, set_ / "test" / name)
    (bucket / "train.manifest").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home")
    with Server(home, "--buckets", f"photos=file://{bucket}?metadata=skip") as server:
        client = clients.rekognition(server.url)
        project = client.create_project(ProjectName="insects")["ProjectArn"]
        manifest = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": "photos", "Name": "train.manifest"}}}]}
        version = client.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig={"S3Bucket": "photos", "S3KeyPrefix": "out"},
                                                TrainingData=manifest, TestingData={"AutoCreate": True})["ProjectVersionArn"]
        client.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 240})
        stopped = compare(home, set_, tmp_path / "report", server, "--routes", f"custom-labels={version}", "--max-spend", "0", check=False)
        assert stopped.returncode != 0 and "Start the model first" in stopped.stderr, stopped.stderr
        client.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
        client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        before = asked(server)
        compare(home, set_, tmp_path / "report", server, "--routes", f"pretrained,custom-labels={version}", "--max-spend", "0")
        assert asked(server) - before == 12
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    custom = next(r for r in report["routes"] if r["name"] == "custom-labels")
    print("accuracy", custom["figures"][0])
    assert custom["figures"][0]["value"] >= 0.75 and not custom.get("unmatched_classes")


def test_vertex(home, labelled, tmp_path):
    """Google's Go client asks an endpoint what the own route asks the same model."""
    with Server(home) as server:
        compare(home, labelled, tmp_path / "report", server, "--routes", "own=efficientnet-lite0,vertex=" + clients.VERTEX + "efficientnet-lite0", "--max-spend", "0")
        assert asked(server) == 3
    found = routes(tmp_path / "report")
    said = {n: {m["label"]: m["class"] for m in found[n]["matches"] if m["said"]} for n in found}
    assert found["vertex"]["figures"] == found["own"]["figures"] and said["vertex"] == said["own"]
    assert found["vertex"]["figures"][0]["value"] >= 1 / 3


def halves(folder, n):
    """Pictures that are dark on the left and bright on the right of a seam, and their masks."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for i in range(n):
        seam = 20 + 24 * i // n
        (folder / "images" / f"{i}.png").write_bytes(photos.drawn(64, [bytes([20, 30, 40]) * seam + bytes([220, 200, 190]) * (64 - seam)] * 48))
        (folder / "masks" / f"{i}.png").write_bytes(photos.drawn(64, [b"\0" * seam + b"\1" * (64 - seam)] * 48, colours=0))


def test_vertex_masks(tmp_path):
    """A model that was trained here is asked for masks as Vertex' own would be."""
    for part, n in (("train", 8), ("val", 2), ("test", 3)):
        halves(tmp_path / "set" / part, n)
    (tmp_path / "set" / "classes.txt").write_text("dark\nbright\n")
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home")
    (home.path / "models").unlink()  # what is trained here stays here
    shutil.copytree(models_folder(), home.path / "models")
    home.run("train", tmp_path / "set", "--name", "halves", "--epochs", "3", timeout=300)
    with Server(home) as server:
        compare(home, tmp_path / "set", tmp_path / "report", server, "--routes", "own=halves,vertex=" + clients.VERTEX + "halves", "--max-spend", "0")
        assert asked(server) == 3
    found = routes(tmp_path / "report")
    assert found["vertex"]["figures"] == found["own"]["figures"] and found["vertex"]["classes"] == found["own"]["classes"]
    assert found["vertex"]["figures"][0]["name"] == "mIoU" and found["vertex"]["figures"][0]["value"] > 0.6


def routes(report):
    return {r["name"]: r for r in json.loads((report / "report.json").read_text())["routes"]}


def test_a_killed_run_goes_on(home, labelled, tmp_path):
    """Of a process that is killed nothing is paid again but the call that was under way."""
    out, flags = tmp_path / "report", ("--routes", "rekognition", "--max-spend", "1", "--calls-at-a-time", "1", "--rate", "2")
    with Server(home) as server:
        running = start(home, labelled, out, server, *flags)
        while not list(out.glob("answers/rekognition-*/*.json")):
            assert running.poll() is None, running.communicate()
            time.sleep(0.01)
        running.kill()
        running.wait()
        kept = {p.name: p.read_bytes() for p in out.glob("answers/rekognition-*/*.json")}
        assert 1 <= len(kept) < 3
        compare(home, labelled, out, server, *flags)
        assert asked(server) <= 4
        lines = (out / "spending.jsonl").read_text().splitlines()
        assert asked(server) <= len(lines) <= 4
    after = {p.name: p.read_bytes() for p in out.glob("answers/rekognition-*/*.json")}
    assert len(after) == 3 and after.items() >= kept.items()
