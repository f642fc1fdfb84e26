"""Amazon's Custom Labels tutorial, step by step, on photographs of cookies with their genuine
manifest: by boto3 with its waiters, and by the aws cli; then on ants and bees, and with boxes, on
photographs of blood. Each with SQLite and folders, and with PostgreSQL and somebody else's S3."""

import json
import os
import shutil
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

import clients
import independent

DATA = Path(os.environ.get("TRILOBITE_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")) / "aws_cookies"
GENUINE = "lookoutvision-us-east-1-0e205be246"  # the bucket that the manifest names
PREFIX = "getting-started"
BCCD = DATA.parent / "bccd"
HYMENOPTERA = DATA.parent / "hymenoptera"
CELLS = ["Platelets", "RBC", "WBC"]


STACKS = ["folder", "postgres"]


@pytest.fixture(scope="module", params=STACKS)
def cookies(request, tmp_path_factory):
    """(server, what reads an object)"""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    images, out = tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("out")
    (images / PREFIX).mkdir()
    shutil.copytree(DATA / "dataset-files" / "training-images", images / PREFIX / "training-images")
    shutil.copy(DATA / "train_class.manifest", out)
    with independent.stack(request.param, tmp_path_factory.mktemp("home"), {GENUINE: images, "out": out}) as s:
        yield s


def until(client, arn, wanted):
    """Polls DescribeDataset as the service's examples do."""
    for _ in range(300):
        d = client.describe_dataset(DatasetArn=arn)["DatasetDescription"]
        if d["Status"] == wanted:
            return d
        assert d["Status"].endswith("IN_PROGRESS"), d
        time.sleep(0.1)
    raise AssertionError(d)


def test_boto3(cookies):
    server, read = cookies
    client = clients.rekognition(server.url)
    project = client.create_project(ProjectName="cookies")["ProjectArn"]
    assert project.startswith(f"arn:aws:rekognition:{clients.REGION}:000000000000:project/cookies/")
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": "out", "Name": "train_class.manifest"}}}
    train = client.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)["DatasetArn"]
    test = client.create_dataset(ProjectArn=project, DatasetType="TEST")["DatasetArn"]
    stats = until(client, train, "CREATE_COMPLETE")["DatasetStats"]
    assert stats == {"LabeledEntries": 63, "TotalEntries": 63, "TotalLabels": 2, "ErrorEntries": 0}
    client.distribute_dataset_entries(Datasets=[{"Arn": train}, {"Arn": test}])
    assert until(client, test, "UPDATE_COMPLETE")["DatasetStats"]["TotalEntries"] in (12, 13)
    labels = client.get_paginator("list_dataset_labels").paginate(DatasetArn=test).build_full_result()
    assert [l["LabelName"] for l in labels["DatasetLabelDescriptions"]] == ["anomaly", "normal"]
    entries = client.get_paginator("list_dataset_entries").paginate(DatasetArn=train, ContainsLabels=["normal"], PaginationConfig={"PageSize": 7})
    lines = [json.loads(l) for page in entries for l in page["DatasetEntries"]]
    assert len(lines) > 14 and all(l["anomaly-label-metadata"]["class-name"] == "normal" for l in lines)
    begun = time.monotonic()
    version = client.create_project_version(
        ProjectArn=project, VersionName="v1", OutputConfig={"S3Bucket": "out", "S3KeyPrefix": "results"}, Tags={"team": "bakery"},
    )["ProjectVersionArn"]
    client.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v1"])
    print(f"trained after {time.monotonic() - begun:.1f} s")
    v, = client.describe_project_versions(ProjectArn=project, VersionNames=["v1"])["ProjectVersionDescriptions"]
    print("F1", v["EvaluationResult"]["F1Score"], "billable seconds", v["BillableTrainingTimeInSeconds"])
    assert v["EvaluationResult"]["F1Score"] >= 0.75  # of 13 photographs
    summary = json.loads(read("out", v["EvaluationResult"]["Summary"]["S3Object"]["Name"]))
    assert summary["EvaluationDetails"]["ProjectVersionArn"] == version
    for result, parts in (("TrainingDataResult", ("Input", "Output", "Validation")), ("TestingDataResult", ("Input", "Output", "Validation"))):
        for part in parts:
            name = v[result][part]["Assets"][0]["GroundTruthManifest"]["S3Object"]["Name"]
            assert all(json.loads(l)["source-ref"] for l in read("out", name).splitlines()), name
    client.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
    client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v1"])
    test_lines = [json.loads(l) for l in read("out", v["TestingDataResult"]["Input"]["Assets"][0]["GroundTruthManifest"]["S3Object"]["Name"]).splitlines()]
    right = 0
    for l in test_lines:
        key = l["source-ref"].removeprefix(f"s3://{GENUINE}/")
        seen = client.detect_custom_labels(ProjectVersionArn=version, Image={"S3Object": {"Bucket": GENUINE, "Name": key}}, MinConfidence=0)["CustomLabels"]
        assert len(seen) == 2 and seen[0]["Confidence"] >= seen[1]["Confidence"] and "Geometry" not in seen[0]
        right += seen[0]["Name"] == l["anomaly-label-metadata"]["class-name"]
    assert right >= 0.8 * len(test_lines)
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.delete_project_version(ProjectVersionArn=version)
    client.stop_project_version(ProjectVersionArn=version)
    v, = client.describe_project_versions(ProjectArn=project, VersionNames=["v1"])["ProjectVersionDescriptions"]
    assert v["Status"] == "STOPPED"
    with pytest.raises(client.exceptions.ResourceNotReadyException):
        client.detect_custom_labels(ProjectVersionArn=version, Image={"S3Object": {"Bucket": GENUINE, "Name": key}})
    client.delete_project_version(ProjectVersionArn=version)
    while client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]:
        time.sleep(0.1)
    client.delete_project(ProjectArn=project)
    while client.describe_projects(ProjectNames=["cookies"])["ProjectDescriptions"]:
        time.sleep(0.1)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_dataset(DatasetArn=train)


def aws(server, *args):
    """The cli's answer to a call of Rekognition."""
    done = clients.aws(server.url, *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "{}")


def asset(bucket, manifest):
    """What the cli takes for a manifest."""
    return json.dumps({"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": manifest}}}]})


def use_by_cli(server, project, version, image):
    """Starts a version, asks it what is in an image, and stops it, by the cli and its waiter."""
    aws(server, "start-project-version", "--project-version-arn", version, "--min-inference-units", "1")
    aws(server, "wait", "project-version-running", "--project-arn", project, "--version-names", "v1")
    seen = aws(server, "detect-custom-labels", "--project-version-arn", version, "--image-bytes", f"fileb://{image}", "--min-confidence", "0")["CustomLabels"]
    aws(server, "stop-project-version", "--project-version-arn", version)
    return seen


def test_aws_cli(cookies):
    """Manifests instead of data sets, as the cli's own examples have it."""
    server, _ = cookies
    project = aws(server, "create-project", "--project-name", "cli")["ProjectArn"]
    version = aws(server, "create-project-version", "--project-arn", project, "--version-name", "v1", "--output-config", "S3Bucket=out,S3KeyPrefix=cli",
                  "--training-data", asset("out", "train_class.manifest"), "--testing-data", '{"AutoCreate": true}')["ProjectVersionArn"]
    aws(server, "wait", "project-version-training-completed", "--project-arn", project, "--version-names", "v1")
    seen = use_by_cli(server, project, version, DATA / "dataset-files" / "training-images" / "anomaly-1.jpg")
    assert {l["Name"] for l in seen} == {"anomaly", "normal"}


def blood(folder):
    """BCCD's photographs and their Pascal VOC boxes as training and test manifests; every third photograph is enough to
    see that it learns."""
    for split, name in (("train", "train"), ("val", "test")):
        lines = []
        for stem in (BCCD / "ImageSets" / "Main" / f"{split}.txt").read_text().split()[::3]:
            shutil.copy(BCCD / "JPEGImages" / f"{stem}.jpg", folder)
            tree = ElementTree.parse(BCCD / "Annotations" / f"{stem}.xml")
            size = {k: int(tree.findtext(f"size/{k}")) for k in ("width", "height", "depth")}
            boxes, objects = [], []
            for o in tree.iterfind("object"):
                left, top, right, bottom = (int(o.findtext(f"bndbox/{k}")) for k in ("xmin", "ymin", "xmax", "ymax"))
                boxes.append({"class_id": CELLS.index(o.findtext("name")), "left": left, "top": top, "width": right - left, "height": bottom - top})
                objects.append({"confidence": 1})
            lines.append(json.dumps({
                "source-ref": f"s3://blood/{stem}.jpg", "cells": {"image_size": [size], "annotations": boxes},
                "cells-metadata": {"objects": objects, "class-map": {str(i): c for i, c in enumerate(CELLS)}, "type": "groundtruth/object-detection",
                                   "human-annotated": "yes", "creation-date": "2026-01-01T00:00:00", "job-name": "cells"},
            }))
        (folder / f"{name}.manifest").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("kind", STACKS)
def test_ants_and_bees(tmp_path, kind):
    """120 photographs, and 60 that test what was learned from them."""
    if not HYMENOPTERA.exists():
        pytest.skip(f"{HYMENOPTERA} is not there: TRILOBITE_DATA names the reference data")
    for part in ("train", "test"):
        shutil.copytree(HYMENOPTERA / part, tmp_path / "insects" / part)
        (tmp_path / "insects" / f"{part}.manifest").write_text("\n".join(
            json.dumps({"source-ref": f"s3://insects/{part}/{p.parent.name}/{p.name}", "insect": 1, "insect-metadata": {
                "class-name": p.parent.name, "confidence": 1, "type": "groundtruth/image-classification", "human-annotated": "yes",
                "creation-date": "2026-01-01T00:00:00", "job-name": "insects"}})
            for p in sorted((HYMENOPTERA / part).glob("*/*"))))
    (tmp_path / "home").mkdir()
    with independent.stack(kind, tmp_path / "home", {"insects": tmp_path / "insects"}) as (server, _):
        client = clients.rekognition(server.url)
        project = client.create_project(ProjectName="insects")["ProjectArn"]
        for part in ("train", "test"):
            source = {"GroundTruthManifest": {"S3Object": {"Bucket": "insects", "Name": f"{part}.manifest"}}}
            until(client, client.create_dataset(ProjectArn=project, DatasetType=part.upper(), DatasetSource=source)["DatasetArn"], "CREATE_COMPLETE")
        client.create_project_version(ProjectArn=project, VersionName="v1", OutputConfig={"S3Bucket": "insects", "S3KeyPrefix": "results"})
        client.get_waiter("project_version_training_completed").wait(ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 1, "MaxAttempts": 100})
        v, = client.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"]
        assert v["EvaluationResult"]["F1Score"] >= 0.9, v
        project = aws(server, "create-project", "--project-name", "cli")["ProjectArn"]
        version = aws(server, "create-project-version", "--project-arn", project, "--version-name", "v1", "--output-config", "S3Bucket=insects,S3KeyPrefix=cli",
                      "--training-data", asset("insects", "train.manifest"), "--testing-data", asset("insects", "test.manifest"))["ProjectVersionArn"]
        aws(server, "wait", "project-version-training-completed", "--project-arn", project, "--version-names", "v1")
        v, = aws(server, "describe-project-versions", "--project-arn", project)["ProjectVersionDescriptions"]
        assert v["EvaluationResult"]["F1Score"] >= 0.9, v
        seen = use_by_cli(server, project, version, next((HYMENOPTERA / "test" / "bees").glob("*")))
        assert [l["Name"] for l in seen] in (["bees", "ants"], ["ants", "bees"])


@pytest.mark.parametrize("kind", STACKS)
def test_boxes(tmp_path, kind):
    """Boxes, from a manifest to a detector that answers them in Geometry; two minutes of training."""
    if not BCCD.exists():
        pytest.skip(f"{BCCD} is not there")
    bucket, home = tmp_path / "blood", tmp_path / "home"
    bucket.mkdir()
    home.mkdir()
    blood(bucket)
    with independent.stack(kind, home, {"blood": bucket}, "--training-budget", "100s") as (server, read):
        client = clients.rekognition(server.url)
        project = client.create_project(ProjectName="cells")["ProjectArn"]

        def assets(name):
            return {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": "blood", "Name": f"{name}.manifest"}}}]}

        begun = time.monotonic()
        version = client.create_project_version(
            ProjectArn=project, VersionName="v1", OutputConfig={"S3Bucket": "blood", "S3KeyPrefix": "results"},
            TrainingData=assets("train"), TestingData=assets("test"),
        )["ProjectVersionArn"]
        client.get_waiter("project_version_training_completed").wait(
            ProjectArn=project, VersionNames=["v1"], WaiterConfig={"Delay": 5, "MaxAttempts": 120})
        v, = client.describe_project_versions(ProjectArn=project, VersionNames=["v1"])["ProjectVersionDescriptions"]
        summary = json.loads(read("blood", v["EvaluationResult"]["Summary"]["S3Object"]["Name"]))
        figures = summary["AggregatedEvaluationResults"]
        print(f"trained after {time.monotonic() - begun:.1f} s:", {k: figures[k] for k in ("F1Score", "AveragePrecision", "AverageRecall")}, summary["LabelEvaluationResults"])
        assert figures["AveragePrecision"] >= 0.6 and summary["EvaluationDetails"]["Labels"] == CELLS
        assert "ConfusionMatrix" not in figures
        client.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
        client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v1"])
        line = json.loads((bucket / "test.manifest").read_text().splitlines()[0])
        image = {"S3Object": {"Bucket": "blood", "Name": line["source-ref"].rsplit("/", 1)[1]}}
        seen = client.detect_custom_labels(ProjectVersionArn=version, Image=image)["CustomLabels"]
        thresholds = {l["Label"]: 100 * l["Metrics"]["Threshold"] for l in summary["LabelEvaluationResults"]}
        assert seen and all(l["Confidence"] >= thresholds[l["Name"]] - 0.01 for l in seen)
        for l in seen:
            box = l["Geometry"]["BoundingBox"]
            assert 0 <= box["Left"] < box["Left"] + box["Width"] <= 1.001 and 0 <= box["Top"] < box["Top"] + box["Height"] <= 1.001
        everything = client.detect_custom_labels(ProjectVersionArn=version, Image=image, MinConfidence=0)["CustomLabels"]
        assert len(seen) < len(everything) <= 100
        assert any("Geometry" in l and l["Name"] == "RBC" for l in seen)
        client.stop_project_version(ProjectVersionArn=version)
        by_cli = use_by_cli(server, project, version, bucket / image["S3Object"]["Name"])
        assert by_cli[0]["Geometry"]["BoundingBox"] == pytest.approx(everything[0]["Geometry"]["BoundingBox"])
