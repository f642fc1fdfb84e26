"""Amazon S3 by the aws cli, and the Custom Labels tutorial with nothing but AWS_ENDPOINT_URL."""

import json
import os
import shutil

import pytest

import clients
from serving import Home, Server
from test_custom_labels import DATA, GENUINE, PREFIX


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(Home(tmp_path_factory.mktemp("home"))) as s:
        yield s


def aws(server, *args, ok=True):
    done = clients.aws_command(server.url, *args)
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout


@pytest.mark.smoke
def test_cp(server, tmp_path):
    data = os.urandom(20 << 20)  # the cli sends it in parts
    (tmp_path / "large").write_bytes(data)
    aws(server, "s3", "mb", "s3://copies")
    aws(server, "s3", "cp", "--no-progress", str(tmp_path / "large"), "s3://copies/folder/large")
    assert "20971520 large" in aws(server, "s3", "ls", "s3://copies/folder/")
    aws(server, "s3", "cp", "--no-progress", "s3://copies/folder/large", "s3://copies/again")
    aws(server, "s3", "cp", "--no-progress", "s3://copies/again", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    aws(server, "s3", "rb", "--force", "s3://copies")
    assert "copies" not in aws(server, "s3", "ls")


def test_sync(server, tmp_path):
    here, back = tmp_path / "here", tmp_path / "back"
    for name in ("a.txt", "folder/b with space.txt", "folder/deep/ü.txt"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(name)
    aws(server, "s3", "mb", "s3://sync")
    assert aws(server, "s3", "sync", "--no-progress", str(here), "s3://sync/x").count("upload:") == 3
    assert aws(server, "s3", "sync", "--no-progress", str(here), "s3://sync/x") == ""
    (here / "a.txt").unlink()
    (here / "folder" / "b with space.txt").write_text("longer than it was")
    out = aws(server, "s3", "sync", "--no-progress", "--delete", str(here), "s3://sync/x")
    assert (out.count("upload:"), out.count("delete:")) == (1, 1)
    aws(server, "s3", "sync", "--no-progress", "s3://sync/x", str(back))
    assert {p.relative_to(back): p.read_text() for p in back.rglob("*.txt")} == {p.relative_to(here): p.read_text() for p in here.rglob("*.txt")}
    aws(server, "s3", "mv", "--no-progress", "s3://sync/x/folder/deep/ü.txt", "s3://sync/moved.txt")
    assert "moved.txt" in aws(server, "s3", "ls", "s3://sync/")
    aws(server, "s3", "rm", "--recursive", "s3://sync")
    assert aws(server, "s3", "ls", "--recursive", "s3://sync") == ""
    aws(server, "s3", "rb", "s3://sync")


def test_presign(server, tmp_path):
    (tmp_path / "a").write_text("content")
    aws(server, "s3", "mb", "s3://presign")
    aws(server, "s3", "cp", "--no-progress", str(tmp_path / "a"), "s3://presign/a")
    assert clients.curl(aws(server, "s3", "presign", "s3://presign/a").strip()) == (200, "content")


def test_tutorial(server, tmp_path):
    """Images and manifest go up by `aws s3`, a model is trained on them, results come down."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    images = tmp_path / "training-images"
    shutil.copytree(DATA / "dataset-files" / "training-images", images)
    rekognition = lambda *args: json.loads(aws(server, "rekognition", *args) or "{}")
    aws(server, "s3", "mb", f"s3://{GENUINE}")
    aws(server, "s3", "mb", "s3://results")
    aws(server, "s3", "cp", "--no-progress", "--recursive", str(images), f"s3://{GENUINE}/{PREFIX}/training-images/")
    aws(server, "s3", "cp", "--no-progress", str(DATA / "train_class.manifest"), f"s3://{GENUINE}/train.manifest")
    project = rekognition("create-project", "--project-name", "cookies")["ProjectArn"]
    manifest = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": GENUINE, "Name": "train.manifest"}}}]}
    version = rekognition(
        "create-project-version", "--project-arn", project, "--version-name", "v1", "--output-config", "S3Bucket=results,S3KeyPrefix=v1",
        "--training-data", json.dumps(manifest), "--testing-data", '{"AutoCreate": true}')["ProjectVersionArn"]
    aws(server, "rekognition", "wait", "project-version-training-completed", "--project-arn", project, "--version-names", "v1")
    v, = rekognition("describe-project-versions", "--project-arn", project)["ProjectVersionDescriptions"]
    aws(server, "s3", "sync", "--no-progress", "s3://results", str(tmp_path / "results"))
    summary = json.loads((tmp_path / "results" / v["EvaluationResult"]["Summary"]["S3Object"]["Name"]).read_text())
    assert summary["EvaluationDetails"]["Labels"] == ["anomaly", "normal"]
    rekognition("start-project-version", "--project-version-arn", version, "--min-inference-units", "1")
    aws(server, "rekognition", "wait", "project-version-running", "--project-arn", project, "--version-names", "v1")
    image = json.dumps({"S3Object": {"Bucket": GENUINE, "Name": f"{PREFIX}/training-images/anomaly-1.jpg"}})
    seen = rekognition("detect-custom-labels", "--project-version-arn", version, "--image", image, "--min-confidence", "0")
    assert {l["Name"] for l in seen["CustomLabels"]} == {"anomaly", "normal"}
    rekognition("stop-project-version", "--project-version-arn", version)
