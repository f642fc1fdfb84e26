"""Going back to what was before (docs/operating.md): from a version of a custom model without a gap, from a version of a
model of the store while a server runs, and from everything that happened since a backup."""

import threading

import clients
from serving import Home, Server
from test_custom_faults import Team, at_rest, drawing, home, until


def test_custom_version(tmp_path):
    with Server(home(tmp_path)) as server:
        team = Team(server)
        team.drawings()
        project = team.client.create_project(ProjectName="p")["ProjectArn"]
        data = team.dataset(project, "made")
        until(lambda: team.stats(data), at_rest)
        for name in ("v1", "v2"):
            assert until(team.train(project, name), at_rest)[0] == "TRAINING_COMPLETED"
        new, old = [v["ProjectVersionArn"] for v in team.client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]]

        def running(arn, name):
            team.client.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
            assert until(lambda: team.version(project, name), lambda s: s[0] != "STARTING")[0] == "RUNNING"

        running(new, "v2")
        current, refused, done = [new], [], threading.Event()

        def ask():
            client = clients.rekognition(server.url)
            while not done.is_set():
                try:
                    client.detect_custom_labels(ProjectVersionArn=current[0], Image={"Bytes": drawing(0)}, MinConfidence=0)
                except client.exceptions.ClientError as e:
                    refused.append(e)

        asking = threading.Thread(target=ask)
        asking.start()
        running(old, "v1")
        current[0] = old
        until(lambda: [r for r in server.requests()[-3:]], lambda last: len(last) == 3)
        asked = len(server.requests())
        until(lambda: len(server.requests()), lambda n: n > asked + 3)  # what was sent to the new one is answered
        team.client.stop_project_version(ProjectVersionArn=new)
        assert until(lambda: team.version(project, "v2"), lambda s: s[0] != "STOPPING")[0] == "STOPPED"
        done.set()
        asking.join()
        assert not refused


def test_everything(tmp_path):
    place = home(tmp_path)
    with Server(place) as server:
        team = Team(server)
        team.drawings()
        team.client.create_project(ProjectName="before")
        assert place.run("backup", tmp_path / "backup.tar").stderr == "models is a link: what it leads to is not in the archive\n"
        team.client.create_project(ProjectName="after")
        team.s3.delete_object(Bucket="made", Key="3.png")
        refused = place.run("restore", tmp_path / "backup.tar", "--replace", check=False)
        assert refused.returncode != 0 and "is at work" in refused.stderr
    place.run("restore", tmp_path / "backup.tar", "--replace")
    with Server(Home(place.path)) as server:
        team = Team(server)
        assert [p["ProjectArn"].split("/")[1] for p in team.client.describe_projects()["ProjectDescriptions"]] == ["before"]
        assert team.s3.get_object(Bucket="made", Key="3.png")["Body"].read() == drawing(3)


def test_model_of_the_store(tmp_path, sample):
    """A running server answers with the version that a rollback made the newest."""
    (tmp_path / "home").mkdir()
    place = Home(tmp_path / "home")
    (place.path / "models").unlink()  # the user's own, which are not to be changed
    place.run("models", "pull", "--quiet", timeout=120)
    with Server(place) as server:
        answering = lambda: clients.curl(f"{server.url}/api/v1/models/efficientnet-lite0")
        assert place.run("models", "rollback", "efficientnet-lite0", check=False).stderr.strip().endswith("there is none to go back to.")
        place.run("models", "import", place.path / "models" / "efficientnet-lite0" / "1" / "model.onnx", "--name", "efficientnet-lite0")
        assert '"version":"2"' in answering()[1], answering()
        assert place.run("models", "rollback", "efficientnet-lite0").stdout == "efficientnet-lite0@3 answers to efficientnet-lite0 now\n"
        assert '"version":"3"' in answering()[1], answering()
        first, third = ((place.path / "models" / "efficientnet-lite0" / n / "labels.json").read_bytes() for n in "13")
        assert first == third
