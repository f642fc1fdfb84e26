"""kill -9 of a server or its worker at random points of uploads, imports, updates, trainings and
deletions: nothing that was answered is lost, no version is half-made, nothing is left behind, and
only the documented states are seen. ROUNDS (default 3) says how often, FIRST the first one's seed.

Rounds take turns at a server alone, a server and a worker on one home, and a server and a worker
with homes of their own on PostgreSQL and S3. They mostly wait for leases to end: run many at once
(pytest -n)."""

import json
import os
import random
import sqlite3
import struct
import subprocess
import threading
import time
import zlib
from urllib.parse import quote

import botocore.exceptions
import pytest

import clients
import independent
from serving import BINARY, Home, Server

FIRST, ROUNDS = int(os.environ.get("FIRST", "0")), int(os.environ.get("ROUNDS", "3"))
PICTURES, LINES, LEARNED = 24, 1200, 16
LEASE = 20  # seconds after which work that lost its worker is taken up (docs/api-custom-labels.md)
MOVES = {  # docs/api-custom-labels.md
    "TRAINING_IN_PROGRESS": {"TRAINING_COMPLETED"},
    "TRAINING_COMPLETED": {"STARTING", "DELETING"},
    "STARTING": {"RUNNING"},
    "RUNNING": {"STOPPING"},
    "STOPPING": {"STOPPED"},
    "STOPPED": {"DELETING"},
    "DELETING": {None},
    "CREATE_IN_PROGRESS": {"CREATE_COMPLETE"},
    "CREATE_COMPLETE": {"UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"},
    "UPDATE_IN_PROGRESS": {"UPDATE_COMPLETE"},
    "UPDATE_COMPLETE": {"DELETE_IN_PROGRESS"},
    "DELETE_IN_PROGRESS": {None},
    "CREATED": {"DELETING"},
}
SKIPS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "TRAINING_IN_PROGRESS", "STARTING", "STOPPING", "DELETING", "DELETE_IN_PROGRESS"}


def drawing(n):
    """A PNG of 80 by 80 pixels: noise that is reddish for even n and bluish for odd."""
    r = random.Random(n)
    rows = b"".join(b"\0" + bytes(v for _ in range(80) for v in (
        r.randrange(128, 256) if n % 2 == 0 else r.randrange(128), r.randrange(128), r.randrange(128, 256) if n % 2 else r.randrange(128))) for _ in range(80))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 80, 80, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def line(n, colour=None, bucket="pictures"):
    """The manifest line of picture n."""
    colour = colour or ("blue" if n % 2 else "red")
    return json.dumps({"source-ref": f"s3://{bucket}/{n}.png", "colour": 0, "colour-metadata": {
        "confidence": 1, "class-name": colour, "human-annotated": "yes", "creation-date": "2026-01-01T00:00:00.000", "type": "groundtruth/image-classification"}})


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of LINES pictures, few of which differ."""
    folder = tmp_path_factory.mktemp("pictures")
    for n in range(LINES + 100):
        file = folder / f"{n}.png"
        if n < PICTURES:
            file.write_bytes(drawing(n))
        else:
            os.link(folder / f"{n % PICTURES}.png", file)
    return folder


@pytest.fixture(scope="session")
def machines():
    """(a PostgreSQL, what makes the URL of a bucket, a client that makes it)"""
    with independent.postgres_server() as postgres, independent.moto() as (url, s3):
        yield postgres, url, s3


class Watch:
    """Counts seconds, and of a longer time between two looks, in which the tests were stopped, but one."""

    def __init__(self):
        self.last, self.sum = time.monotonic(), 0

    def seconds(self):
        now = time.monotonic()
        self.sum, self.last = self.sum + min(now - self.last, 1), now
        return self.sum


class Place:
    """A server, and perhaps a worker, that die and come back at the same address with what they kept."""

    def __init__(self, seed, home, worker_home=None):
        self.random, self.home, self.worker_home = random.Random(seed), home, worker_home
        self.worker, self.kills, self.deaths, self.killing = None, 0, [], threading.Lock()
        self.address = f"127.0.0.1:{20_000 + seed % 10_000}"  # below the ports that systems give away while it is down
        self.server = self.start_server()
        self.start_worker()

    def start_server(self):
        return Server(self.home, "--addr", self.address, *(["--training-workers", "0"] if self.worker_home else []))

    def start_worker(self):
        if self.worker_home:
            log = open(self.worker_home.path / "worker.log", "a")
            self.worker = subprocess.Popen([BINARY, "worker"], env=self.worker_home.env(), stderr=log)

    def strike(self, within):
        """Kills the server or the worker at a random moment of the next seconds."""
        thread = threading.Thread(target=self._strike, args=(self.random.uniform(0, within), self.random.random()))
        thread.start()
        self.deaths.append(thread)

    def _strike(self, after, which):
        time.sleep(after)
        with self.killing:  # one after the other: each kills what runs
            self.kills += 1
            if self.worker and which < 0.5:
                self.worker.kill()
                self.worker.wait()
                self.start_worker()
                return
            self.server.kill()
            for _ in range(100):  # the port may take a moment
                try:
                    self.server = self.start_server()
                    return
                except RuntimeError as e:
                    failed = e
                    time.sleep(0.1)
            raise failed

    def recovered(self):
        """Waits until everything runs again."""
        while self.deaths:
            self.deaths.pop().join()

    def ask(self, call, *again):
        """Calls until there is an answer. A call whose answer was lost may be refused the next time, with one of the
        errors again."""
        lost, watch = False, Watch()
        while True:
            try:
                return call()
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):  # refused, closed, reset
                assert watch.seconds() < 60
                lost = True
                time.sleep(0.05)
            except botocore.exceptions.ClientError as e:
                if e.response["Error"]["Code"] == "RequestTimeoutException":  # everything stood still: SDKs ask again
                    continue
                if lost and e.response["Error"]["Code"] in again:
                    return None
                raise

    def until(self, status, done):
        """Polls until status() is done and everything runs; returns every state that was seen."""
        seen, watch = [], Watch()
        while True:
            state = self.ask(status)
            if not seen or seen[-1] != state:
                seen.append(state)
                assert len(seen) < 2 or reaches(*seen[-2:]), (seen, self.server.log[-20:])
            if state == done:
                self.recovered()
                return seen
            assert watch.seconds() < LEASE + 100, (seen, "".join(self.server.log[-40:]))
            time.sleep(0.05)

    def kill(self):
        self.recovered()
        self.server.kill()
        if self.worker:
            self.worker.kill()
            self.worker.wait()


def reaches(a, b):
    """Whether the states allow b after a, one in between having passed unseen at most where it is short."""
    return b in MOVES[a] or any(m in SKIPS and b in MOVES[m] for m in MOVES[a])


def one_place(seed, tmp_path, pictures, request):
    """The place of a round, and what tells the models that nobody needs."""
    settings = {"TRILOBITE_BUCKETS": f"pictures=file://{pictures}?metadata=skip", "TRILOBITE_TRAINING_SEARCH": "2s", "TRILOBITE_KEEP_IMAGES": "1h"}
    shelf = lambda: []
    if seed % 3 == 2:
        postgres, url, s3 = request.getfixturevalue("machines")
        hosted, models = f"hosted-{seed}", f"models-{seed}"
        for name in (hosted, models):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": clients.REGION})
        settings |= {**independent.CREDENTIALS, "TRILOBITE_DATABASE": postgres.database(f"round{seed}"), "TRILOBITE_S3_URL": url(hosted), "TRILOBITE_TRAINING_MODELS": url(models)}
        shelf = lambda: [o["Key"] for o in s3.list_objects_v2(Bucket=models).get("Contents", [])]
    homes = []
    for name in ("server", "worker"):
        (tmp_path / name).mkdir()
        homes.append(Home(tmp_path / name, settings))
    return Place(seed, homes[0], [None, homes[0], homes[1]][seed % 3]), shelf


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_kill(seed, tmp_path, pictures, request):
    place, shelf = one_place(seed, tmp_path, pictures, request)
    try:
        Round(place, shelf).run()
    finally:
        place.kill()


class Round:
    """The life of a project."""

    def __init__(self, place, shelf):
        self.place, self.shelf, self.chance = place, shelf, place.random
        self.client, self.s3 = clients.rekognition(place.server.url), clients.s3(place.server.url)

    def run(self):
        upload, update = self.chance.random() < 0.3, self.chance.random() < 0.4
        serve, deletion = self.chance.random() < 0.4, self.chance.choice(["dataset", "version", "project"])
        self.upload(upload)
        self.project = self.client.create_project(ProjectName="p")["ProjectArn"]
        self.import_many()
        self.update(update)
        self.delete_dataset(deletion == "dataset")
        self.train()
        if serve:
            self.serve()
        self.delete_version(deletion == "version")
        self.delete_project(deletion == "project")
        self.nothing_left()
        print(f"{self.place.kills} kills")

    def upload(self, strike):
        place = self.place
        place.ask(lambda: self.s3.create_bucket(Bucket="made"), "BucketAlreadyOwnedByYou")
        files = {"many.manifest": [line(n) for n in range(LINES)], "few.manifest": [line(n) for n in range(LEARNED)]}
        files |= {f"other-{n}": ["x" * 100_000] for n in range(20)}
        if strike:
            place.strike(0.3)
        for name, lines in files.items():
            place.ask(lambda: self.s3.put_object(Bucket="made", Key=name, Body="\n".join(lines).encode()))
        place.recovered()
        for name, lines in files.items():
            assert self.s3.get_object(Bucket="made", Key=name)["Body"].read().decode() == "\n".join(lines)
        assert self.s3.list_objects_v2(Bucket="made")["KeyCount"] == len(files)

    def dataset_status(self):
        p, = self.client.describe_projects()["ProjectDescriptions"]
        return p["Datasets"][0]["Status"] if p["Datasets"] else None

    def create_dataset(self, manifest):
        source = {"GroundTruthManifest": {"S3Object": {"Bucket": "made", "Name": f"{manifest}.manifest"}}}
        self.place.ask(lambda: self.client.create_dataset(ProjectArn=self.project, DatasetType="TRAIN", DatasetSource=source), "ResourceAlreadyExistsException")
        self.place.until(self.dataset_status, "CREATE_COMPLETE")
        return self.client.describe_projects()["ProjectDescriptions"][0]["Datasets"][0]["DatasetArn"]

    def holds(self, wanted):
        """Checks the entries of the training set: each line once, and no others."""
        pages = self.client.get_paginator("list_dataset_entries").paginate(DatasetArn=self.train_set, PaginationConfig={"PageSize": 100})
        got = [json.loads(text) for page in pages for text in page["DatasetEntries"]]
        assert got == [json.loads(text) for text in wanted]
        stats = self.client.describe_dataset(DatasetArn=self.train_set)["DatasetDescription"]["DatasetStats"]
        assert stats == {"LabeledEntries": len(wanted), "TotalEntries": len(wanted), "TotalLabels": len({json.loads(w)["colour-metadata"]["class-name"] for w in wanted}), "ErrorEntries": 0}

    def import_many(self):
        self.place.strike(0.8)
        self.train_set = self.create_dataset("many")
        self.holds([line(n) for n in range(LINES)])

    def update(self, strike):
        changed = {n: line(n, "green") for n in range(0, LINES, 4)}
        changed |= {n: line(n) for n in range(LINES, LINES + 100)}
        if strike:
            self.place.strike(0.3)
        self.place.ask(lambda: self.client.update_dataset_entries(DatasetArn=self.train_set, Changes={"GroundTruth": "\n".join(changed.values()).encode()}), "ResourceInUseException")
        self.place.until(self.dataset_status, "UPDATE_COMPLETE")
        self.holds([changed.get(n) or line(n) for n in range(LINES + 100)])

    def delete_dataset(self, strike):
        if strike:
            self.place.strike(0.2)
        self.place.ask(lambda: self.client.delete_dataset(DatasetArn=self.train_set), "ResourceNotFoundException")
        self.place.until(self.dataset_status, None)

    def versions(self):
        return self.client.describe_project_versions(ProjectArn=self.project)["ProjectVersionDescriptions"]

    def version_status(self):
        all = self.versions()
        assert len(all) < 2, all
        return all[0]["Status"] if all else None

    def train(self):
        self.train_set = self.create_dataset("few")
        self.place.strike(4)
        if self.chance.random() < 0.3:
            self.place.strike(8)
        self.place.ask(lambda: self.client.create_project_version(ProjectArn=self.project, VersionName="v", OutputConfig={"S3Bucket": "made", "S3KeyPrefix": "results"}), "ResourceInUseException")
        self.place.until(self.version_status, "TRAINING_COMPLETED")
        v, = self.versions()
        self.version = v["ProjectVersionArn"]
        self.holds([line(n) for n in range(LEARNED)])
        summary = json.loads(self.body(v["EvaluationResult"]["Summary"]))
        assert summary["EvaluationDetails"]["ProjectVersionArn"] == self.version and summary["EvaluationDetails"]["Labels"] == ["blue", "red"]
        json.loads(self.body(v["ManifestSummary"]))
        counts = {}
        for half in ("TrainingDataResult", "TestingDataResult"):
            for part, assets in v[half].items():
                lines = [json.loads(text) for a in assets["Assets"] for text in self.body(a["GroundTruthManifest"]).splitlines()]
                counts[half, part] = len(lines)
                assert len({entry["source-ref"] for entry in lines}) == len(lines)
        assert counts["TrainingDataResult", "Input"] == LEARNED
        assert counts["TrainingDataResult", "Output"] + counts["TestingDataResult", "Output"] == LEARNED
        assert sorted({p.parent.parent.name for p in self.files("models")}) == ["custom-1"]

    def body(self, where):
        o = where["S3Object"]
        return self.s3.get_object(Bucket=o["Bucket"], Key=o["Name"])["Body"].read()

    def serve(self):
        self.place.strike(1)
        self.place.ask(lambda: self.client.start_project_version(ProjectVersionArn=self.version, MinInferenceUnits=1), "ResourceInUseException")
        self.place.until(self.version_status, "RUNNING")
        seen = self.client.detect_custom_labels(ProjectVersionArn=self.version, Image={"Bytes": drawing(0)}, MinConfidence=0)["CustomLabels"]
        assert {l["Name"] for l in seen} == {"blue", "red"}
        self.place.ask(lambda: self.client.stop_project_version(ProjectVersionArn=self.version), "ResourceInUseException")
        self.place.until(self.version_status, "STOPPED")

    def delete_version(self, strike):
        if strike:
            self.place.strike(0.2)
        self.place.ask(lambda: self.client.delete_project_version(ProjectVersionArn=self.version), "ResourceNotFoundException")
        self.place.until(self.version_status, None)
        assert not self.shelf(), "a model without a version"

    def delete_project(self, strike):
        if strike:
            self.place.strike(0.2)
        self.place.ask(lambda: self.client.delete_project(ProjectArn=self.project), "ResourceNotFoundException")
        self.place.until(self.project_status, None)

    def project_status(self):
        listed = self.client.describe_projects()["ProjectDescriptions"]
        return listed[0]["Status"] if listed else None

    def homes(self):
        return {h.path: h for h in (self.place.home, self.place.worker_home) if h}.values()

    def files(self, kind):
        return [p for h in self.homes() for p in (h.path / "custom" / kind).rglob("*") if p.is_file()]

    def nothing_left(self):
        """Collects the garbage, where what is younger than a day counts as in use, and looks for more."""
        yesterday = time.time() - 25 * 3600
        for p in [p for h in self.homes() for name in ("custom", "s3") for p in (h.path / name).rglob("*")]:
            os.utime(p, (yesterday, yesterday))
        for h in self.homes():
            h.run("gc")
        left = self.files("models") + self.files("trainings") + self.files("images")
        left += [p for h in self.homes() for p in (h.path / "s3").rglob("*.tmp")]
        assert not left, "left after garbage collection"
        names = {o["Key"] for o in self.s3.list_objects_v2(Bucket="made")["Contents"]}
        assert {n for n in names if not n.startswith("results/")} == {"many.manifest", "few.manifest", *(f"other-{n}" for n in range(20))}
        records = self.place.home.path / "trilobite.db"
        if records.exists():
            with sqlite3.connect(f"file:{quote(str(records))}?mode=ro", uri=True) as db:
                tables = ("project", "dataset", "entry", "entry_label", "version", "task", "tag")
                assert {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables} == dict.fromkeys(tables, 0)
