"""A bucket that denies or does not answer, a full disk, a database that goes and comes back: the
documented message or none, and nothing that was answered is lost."""

import contextlib
import os
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError

import clients
import independent
from serving import Home, Server
from test_custom_chaos import LEARNED, drawing, line

MIB = 1 << 20


class Cloud(BaseHTTPRequestHandler):
    """An S3 that has LEARNED drawings and their manifest, as far as it answers at all."""

    mode = "up"  # or denied, down

    def do_GET(self):
        name = self.path.split("?")[0].rsplit("/", 1)[1]
        if self.mode != "up":
            status, body = (403, b"<Error><Code>AccessDenied</Code></Error>") if self.mode == "denied" else (503, b"<Error><Code>SlowDown</Code></Error>")
        elif name == "few.manifest":
            status, body = 200, "\n".join(line(n, bucket="cloud") for n in range(LEARNED)).encode()
        else:
            status, body = 200, drawing(int(name.split(".")[0]))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def cloud():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Cloud.mode = "up"
    yield f"cloud=s3://cloud?endpoint=http://127.0.0.1:{server.server_port}&region={clients.REGION}&use_path_style=true"
    server.shutdown()


class Team:
    """A client of a server, and what it does again and again."""

    def __init__(self, server):
        self.client, self.s3 = clients.rekognition(server.url), clients.s3(server.url)

    def drawings(self):
        """Makes the bucket "made" with LEARNED drawings and their manifest."""
        self.s3.create_bucket(Bucket="made")
        for n in range(LEARNED):
            self.s3.put_object(Bucket="made", Key=f"{n}.png", Body=drawing(n))
        self.s3.put_object(Bucket="made", Key="few.manifest", Body="\n".join(line(n, bucket="made") for n in range(LEARNED)).encode())

    def dataset(self, project, bucket):
        return self.client.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource={
            "GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": "few.manifest"}}})["DatasetArn"]

    def stats(self, dataset):
        d = self.client.describe_dataset(DatasetArn=dataset)["DatasetDescription"]
        return d["Status"], d.get("StatusMessage", ""), d["DatasetStats"]["TotalEntries"], d["DatasetStats"]["ErrorEntries"]

    def train(self, project, name, bucket="made", **data):
        self.client.create_project_version(ProjectArn=project, VersionName=name, OutputConfig={"S3Bucket": bucket, "S3KeyPrefix": name}, **data)
        return lambda: self.version(project, name)

    def version(self, project, name):
        v = next(v for v in self.client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"] if f"/version/{name}/" in v["ProjectVersionArn"])
        return v["Status"], v.get("StatusMessage", "")


def until(ask, done, within=90):
    """Asks until done(the answer) and returns it; refusals of a server in trouble do not count."""
    begun, last = time.monotonic(), None
    while time.monotonic() - begun < within:
        with contextlib.suppress(ClientError):
            last = ask()
            if done(last):
                return last
        time.sleep(0.1)
    raise AssertionError(last)


def at_rest(answer):
    return not answer[0].endswith("IN_PROGRESS")


def home(tmp_path, **settings):
    (tmp_path / "home").mkdir(exist_ok=True)
    return Home(tmp_path / "home", {**independent.CREDENTIALS, "TRILOBITE_TRAINING_SEARCH": "1s", **settings})


def test_bucket_denied(tmp_path, cloud):
    with Server(home(tmp_path), "--buckets", cloud) as server:
        team = Team(server)
        team.drawings()
        Cloud.mode = "denied"
        project = team.client.create_project(ProjectName="p")["ProjectArn"]
        refused = team.dataset(project, "cloud")
        assert until(lambda: team.stats(refused), at_rest) == (
            "CREATE_FAILED", "ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET: The S3 bucket permissions are incorrect.", 0, 0)
        team.client.delete_dataset(DatasetArn=refused)
        until(lambda: team.client.describe_projects()["ProjectDescriptions"][0]["Datasets"], lambda sets: not sets)
        data = team.dataset(project, "made")
        assert until(lambda: team.stats(data), at_rest)[0] == "CREATE_COMPLETE"
        assert until(team.train(project, "output", "cloud"), at_rest) == (
            "TRAINING_FAILED", "ERROR_CANNOT_WRITE_OUTPUT_S3_BUCKET: Unable to write to output S3 bucket.")
        other = team.client.create_project(ProjectName="other")["ProjectArn"]
        team.s3.put_object(Bucket="made", Key="theirs.manifest", Body="\n".join(line(n, bucket="cloud") for n in range(LEARNED)).encode())
        theirs = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": "made", "Name": "theirs.manifest"}}}]}
        assert until(team.train(other, "images", TrainingData=theirs, TestingData={"AutoCreate": True}), at_rest) == (
            "TRAINING_FAILED", "ERROR_INVALID_IMAGES_S3_BUCKET_OWNER: Invalid owner id for images S3 bucket.")
        assert until(team.train(project, "whole"), at_rest)[0] == "TRAINING_COMPLETED"
        assert team.stats(data)[2:] == (LEARNED, 0)


def test_bucket_comes_back(tmp_path, cloud):
    """A bucket that does not answer delays an import and a training; no image of it counts as broken."""
    with Server(home(tmp_path), "--buckets", cloud) as server:
        team = Team(server)
        team.s3.create_bucket(Bucket="made")
        project = team.client.create_project(ProjectName="p")["ProjectArn"]
        Cloud.mode = "down"
        data = team.dataset(project, "cloud")
        time.sleep(8)
        assert team.stats(data)[0] == "CREATE_IN_PROGRESS"
        Cloud.mode = "up"
        assert until(lambda: team.stats(data), at_rest)[::2] == ("CREATE_COMPLETE", LEARNED)
        assert team.stats(data)[3] == 0
        Cloud.mode = "down"
        status = team.train(project, "v")
        time.sleep(8)
        assert status()[0] == "TRAINING_IN_PROGRESS"
        Cloud.mode = "up"
        assert until(status, at_rest)[0] == "TRAINING_COMPLETED"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 128 MiB: room for three models and a training under way."""
    (tmp_path / "home").mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "none", tmp_path / "home"], capture_output=True, check=False).returncode:
        pytest.skip("a file system of its own, to be filled, can only be mounted by root: run this file as root")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path / "home"], check=True)


def fill(folder, leave):
    """Leaves so many bytes of a file system."""
    s = os.statvfs(folder)
    with open(folder / "filler", "ab") as f:
        f.write(bytes(max(s.f_bavail * s.f_bsize - leave, 0)))


def test_disk_full(small_disk):
    with Server(home(small_disk, TRILOBITE_TRAINING_DISK="0")) as server:
        team = Team(server)
        team.drawings()
        project = team.client.create_project(ProjectName="p")["ProjectArn"]
        data = team.dataset(project, "made")
        assert until(lambda: team.stats(data), at_rest)[0] == "CREATE_COMPLETE"
        fill(small_disk / "home", 200_000)  # the images of the training need more
        full = team.train(project, "full")
        for _ in range(100):
            if at_rest(full()):
                break
            time.sleep(0.1)
        assert full() == ("TRAINING_FAILED", "The server's disk is full. Free some space and train again.") or not at_rest(full()), full()
        fill(small_disk / "home", 0)
        with pytest.raises(ClientError) as refused:
            team.s3.put_object(Bucket="made", Key="more", Body=bytes(MIB))
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        with pytest.raises(ClientError) as refused:
            for n in range(50):  # what is free within the records' file is used first
                team.client.create_project(ProjectName=f"more-{n}")
        assert refused.value.response["Error"]["Code"] == "InternalServerError"
        (small_disk / "home" / "filler").unlink()
        assert until(full, at_rest)[0] in ("TRAINING_FAILED", "TRAINING_COMPLETED")  # where not even its end found room, it goes on
        assert "more" not in [o["Key"] for o in team.s3.list_objects_v2(Bucket="made")["Contents"]]
        assert team.stats(data)[2:] == (LEARNED, 0)
        team.client.create_project(ProjectName="q")
        status = team.train(project, "again")
        fill(small_disk / "home", 1_000_000)  # the model needs more
        with contextlib.suppress(AssertionError):
            until(status, at_rest, within=20)
        (small_disk / "home" / "filler").unlink()
        assert until(status, at_rest)[0] in ("TRAINING_FAILED", "TRAINING_COMPLETED")
        assert until(team.train(project, "whole"), at_rest)[0] == "TRAINING_COMPLETED"


def test_database_comes_back(tmp_path):
    with independent.postgres_server() as postgres, Server(home(tmp_path, TRILOBITE_DATABASE=postgres.database("trilobite"))) as server:
        team = Team(server)
        team.drawings()
        project = team.client.create_project(ProjectName="p")["ProjectArn"]
        data = team.dataset(project, "made")
        assert until(lambda: team.stats(data), at_rest)[0] == "CREATE_COMPLETE"
        status = team.train(project, "v")
        postgres.die()
        with pytest.raises(ClientError) as refused:
            team.stats(data)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        with urllib.request.urlopen(server.url + "/healthz", timeout=5) as alive:
            assert alive.status == 200
        time.sleep(20)  # leases end meanwhile
        postgres.come_back()
        assert until(status, at_rest)[0] == "TRAINING_COMPLETED"
        assert team.stats(data)[2:] == (LEARNED, 0)
