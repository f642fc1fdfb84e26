"""Amazon's Custom Labels tutorial, step by step, on photographs of cookies with their genuine
manifest: by boto3 with its waiters, and by the aws cli."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

import clients
from serving import Home, Server

DATA = Path(os.environ.get("TRILOBITE_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")) / "aws_cookies"
GENUINE = "lookoutvision-us-east-1-0e205be246"  # the bucket that the manifest names
PREFIX = "getting-started"


@pytest.fixture(scope="module")
def cookies(tmp_path_factory):
    """(server, folder of the output bucket)"""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    images = tmp_path_factory.mktemp("images")
    (images / PREFIX).mkdir()
    shutil.copytree(DATA / "dataset-files" / "training-images", images / PREFIX / "training-images")
    out = tmp_path_factory.mktemp("out")
    shutil.copy(DATA / "train_class.manifest", out)
    home = Home(tmp_path_factory.mktemp("home"))
    with Server(home, "--buckets", f"{GENUINE}=file://{images}?metadata=skip", "--buckets", f"out=file://{out}?metadata=skip") as s:
        yield s, out


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
    server, out = cookies
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
    summary = json.loads((out / v["EvaluationResult"]["Summary"]["S3Object"]["Name"]).read_text())
    assert summary["EvaluationDetails"]["ProjectVersionArn"] == version
    for result, parts in (("TrainingDataResult", ("Input", "Output", "Validation")), ("TestingDataResult", ("Input", "Output", "Validation"))):
        for part in parts:
            name = v[result][part]["Assets"][0]["GroundTruthManifest"]["S3Object"]["Name"]
            assert all(json.loads(l)["source-ref"] for l in (out / name).read_text().splitlines()), name
    client.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
    client.get_waiter("project_version_running").wait(ProjectArn=project, VersionNames=["v1"])
    test_lines = [json.loads(l) for l in (out / v["TestingDataResult"]["Input"]["Assets"][0]["GroundTruthManifest"]["S3Object"]["Name"]).read_text().splitlines()]
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


def test_aws_cli(cookies):
    """Manifests instead of data sets, as the cli's own examples have it."""
    server, _ = cookies

    def aws(*args):
        done = clients.aws(server.url, *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    project = aws("create-project", "--project-name", "cli")["ProjectArn"]
    manifest = {"Assets": [{"GroundTruthManifest": {"S3Object": {"Bucket": "out", "Name": "train_class.manifest"}}}]}
    version = aws("create-project-version", "--project-arn", project, "--version-name", "v1", "--output-config", "S3Bucket=out,S3KeyPrefix=cli",
                  "--training-data", json.dumps(manifest), "--testing-data", '{"AutoCreate": true}')["ProjectVersionArn"]
    aws("wait", "project-version-training-completed", "--project-arn", project, "--version-names", "v1")
    aws("start-project-version", "--project-version-arn", version, "--min-inference-units", "1")
    aws("wait", "project-version-running", "--project-arn", project, "--version-names", "v1")
    image = DATA / "dataset-files" / "training-images" / "anomaly-1.jpg"
    seen = aws("detect-custom-labels", "--project-version-arn", version, "--image-bytes", f"fileb://{image}", "--min-confidence", "0")
    assert {l["Name"] for l in seen["CustomLabels"]} == {"anomaly", "normal"}
    aws("stop-project-version", "--project-version-arn", version)
