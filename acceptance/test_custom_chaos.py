"""kill -9 of the server at random points of import, training and deletion: no entry is lost, no
version is half-made, and only documented states are seen. ROUNDS (default 3) says how often."""

import json
import os
import random
import shutil
import time

import botocore.exceptions
import pytest

import clients
from serving import Home, Server
from test_custom_labels import DATA, GENUINE, PREFIX

ROUNDS = int(os.environ.get("ROUNDS", "3"))
MOVES = {  # docs/api-custom-labels.md
    "TRAINING_IN_PROGRESS": {"TRAINING_COMPLETED"},
    "TRAINING_COMPLETED": {"DELETING"},
    "DELETING": set(),
    "CREATE_IN_PROGRESS": {"CREATE_COMPLETE"},
    "CREATE_COMPLETE": {"DELETE_IN_PROGRESS"},
    "DELETE_IN_PROGRESS": set(),
}


class Mortal:
    """A server that is killed at random and started again on the same port and data."""

    def __init__(self, home, seed, *flags):
        self.home, self.flags, self.random = home, flags, random.Random(seed)
        self.server = Server(home, *flags)
        self.kills = 0

    def die(self):
        self.server.kill()
        self.kills += 1
        address = self.server.address
        for _ in range(50):  # the port may take a moment
            try:
                self.server = Server(self.home, "--addr", address, *self.flags)
                return
            except RuntimeError:
                time.sleep(0.1)
        raise RuntimeError("the server does not start again")

    def until(self, ask, done, kills, within):
        """Asks until done, while the server dies some times at random; returns every state seen."""
        seen, begun = [], time.monotonic()
        deaths = sorted(self.random.uniform(0, within) for _ in range(kills))
        while True:
            assert time.monotonic() - begun < 120, seen
            if deaths and time.monotonic() - begun > deaths[0]:
                deaths.pop(0)
                self.die()
            try:
                state = ask()
            except botocore.exceptions.EndpointConnectionError:
                continue
            if not seen or seen[-1] != state:
                assert not seen or state is None or state in MOVES[seen[-1]], (seen, state)
                seen.append(state)
            if state == done and not deaths:
                return seen
            time.sleep(0.05)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_kill(tmp_path_factory, seed):
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    images = tmp_path_factory.mktemp("images")
    (images / PREFIX).mkdir()
    shutil.copytree(DATA / "dataset-files" / "training-images", images / PREFIX / "training-images")
    out = tmp_path_factory.mktemp("out")
    shutil.copy(DATA / "train_class.manifest", out)
    home = Home(tmp_path_factory.mktemp("home"))
    mortal = Mortal(home, seed, "--buckets", f"{GENUINE}=file://{images}?metadata=skip", "--buckets", f"out=file://{out}?metadata=skip")
    try:
        client = clients.rekognition(mortal.server.url)
        project = client.create_project(ProjectName="p")["ProjectArn"]
        source = {"GroundTruthManifest": {"S3Object": {"Bucket": "out", "Name": "train_class.manifest"}}}
        train = client.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)["DatasetArn"]
        describe = lambda: client.describe_dataset(DatasetArn=train)["DatasetDescription"]
        mortal.until(lambda: describe()["Status"], "CREATE_COMPLETE", 1, 1)
        assert describe()["DatasetStats"] == {"LabeledEntries": 63, "TotalEntries": 63, "TotalLabels": 2, "ErrorEntries": 0}
        version = client.create_project_version(ProjectArn=project, VersionName="v", OutputConfig={"S3Bucket": "out"})["ProjectVersionArn"]
        state = lambda: ([v["Status"] for v in client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]] or [None])[0]
        mortal.until(state, "TRAINING_COMPLETED", 2, 5)
        v, = client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]
        assert v["EvaluationResult"]["F1Score"] > 0.5
        assert sorted(p.name for p in (home.path / "custom" / "models").iterdir()) == ["custom-1"]
        client.delete_project_version(ProjectVersionArn=version)
        mortal.until(state, None, 1, 0.2)
        models = home.path / "custom" / "models"
        assert not [p for p in models.rglob("*") if p.is_file()], "a model without a version"
        client.delete_project(ProjectArn=project)
        listed = lambda: (client.describe_projects()["ProjectDescriptions"] or [None])[0]
        begun = time.monotonic()
        mortal.die()
        while listed() is not None:
            assert time.monotonic() - begun < 60
            time.sleep(0.1)
        collected = json.loads(home.run("gc", "--json").stdout)["items"]
        assert {i["kind"] for i in collected} <= {"training", "model"}, collected
        left = [p for name in ("models", "trainings") for p in (home.path / "custom" / name).rglob("*") if p.is_file()]
        assert not left, "orphans after garbage collection"
        print(f"{mortal.kills} kills, {len(collected)} collected")
    finally:
        mortal.server.kill()
