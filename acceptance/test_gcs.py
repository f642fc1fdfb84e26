"""Buckets in Cloud Storage (gs:// URLs): of clients, of the configuration, of trained models and of data sets, on an
emulator of somebody else's, which knows no preconditions."""

import json

import clients
import independent
from serving import Home, Server
from test_custom_chaos import LEARNED, drawing, line


def test_cloud_storage(tmp_path):
    (tmp_path / "home").mkdir()
    with independent.cloud_storage("hosted", "mapped", "models", "pictures") as (emulator, names):
        home = Home(tmp_path / "home", {**emulator, "TRILOBITE_DATASETS_URL": "gs://pictures", "TRILOBITE_TRAINING_SEARCH": "1s"})
        with Server(home, "--s3-url", "gs://hosted", "--training-models", "gs://models", "--buckets", "results=gs://mapped") as server:
            s3, client = clients.s3(server.url), clients.rekognition(server.url)
            s3.create_bucket(Bucket="made")
            for n in range(LEARNED):
                s3.put_object(Bucket="made", Key=f"{n}.png", Body=drawing(n), Metadata={"number": str(n)})
            s3.put_object(Bucket="made", Key="few.manifest", Body="\n".join(line(n, bucket="made") for n in range(LEARNED)).encode())
            assert s3.head_object(Bucket="made", Key="3.png")["Metadata"] == {"number": "3"}
            assert s3.get_object(Bucket="made", Key="3.png", Range="bytes=1-3")["Body"].read() == b"PNG"
            assert s3.list_objects_v2(Bucket="made")["KeyCount"] == LEARNED + 1
            assert len(names("hosted")) == LEARNED + 2  # and the bucket
            project = client.create_project(ProjectName="p")["ProjectArn"]
            manifest = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": "made", "Name": "few.manifest"}}}]}
            version = client.create_project_version(ProjectArn=project, VersionName="v", OutputConfig={"S3Bucket": "results"},
                                                    TrainingData=manifest, TestingData={"AutoCreate": True})["ProjectVersionArn"]
            client.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
            assert "EvaluationSummary-p-v.json" in names("mapped")
            assert any(n.endswith("model.onnx") for n in names("models"))
            client.delete_project_version(ProjectVersionArn=version)
            while client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]:
                pass
            assert not names("models"), "a model without a version"
        folder = tmp_path / "colours"
        for n in range(4):
            (folder / ("blue" if n % 2 else "red")).mkdir(parents=True, exist_ok=True)
            (folder / ("blue" if n % 2 else "red") / f"{n}.png").write_bytes(drawing(n))
        imported = json.loads(home.run("dataset", "import", folder, "--name", "colours", "--json").stdout)
        assert len(names("pictures")) == 4, imported
        home.run("dataset", "export", "colours", tmp_path / "back", "--to", "folders")
        assert sorted(p.read_bytes() for p in (tmp_path / "back").rglob("*.png")) == sorted(drawing(n) for n in range(4))
