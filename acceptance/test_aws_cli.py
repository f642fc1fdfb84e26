"""The aws cli, pointed here by AWS_ENDPOINT_URL_REKOGNITION alone."""

import json

import clients
import photos


def test_image_of_a_bucket(server):
    done = clients.aws(server.url, "detect-labels", "--image", "S3Object={Bucket=photos,Name=chelsea.png}",
                       "--query", "Labels[].Name", "--output", "text")
    assert done.returncode == 0, done.stderr
    assert "Cat" in done.stdout.split("\t")


def test_every_option(server):
    path = photos.need(photos.MOTORCYCLE[0])
    done = clients.aws(
        server.url, "detect-labels", "--image-bytes", f"fileb://{path}", "--max-labels", "2", "--min-confidence", "60",
        "--features", "GENERAL_LABELS", "IMAGE_PROPERTIES",
        "--settings", json.dumps({"GeneralLabels": {"LabelExclusionFilters": ["Vehicle"]}, "ImageProperties": {"MaxDominantColors": 3}}),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert 1 <= len(answer["Labels"]) <= 2
    assert all(l["Confidence"] >= 60 and l["Name"] != "Vehicle" for l in answer["Labels"])
    assert 1 <= len(answer["ImageProperties"]["DominantColors"]) <= 3


def test_error_is_shown(server):
    done = clients.aws(server.url, "detect-labels", "--image", "S3Object={Bucket=photos,Name=nothing.png}")
    assert done.returncode != 0
    assert "(InvalidS3ObjectException)" in done.stderr


def test_operation_not_offered(server):
    path = photos.need(photos.CAT[0])
    done = clients.aws(server.url, "detect-faces", "--image-bytes", f"fileb://{path}")
    assert done.returncode != 0
    assert "(UnknownOperationException)" in done.stderr
    assert "DetectFaces" in done.stderr


def test_credentials_of_a_key(locked, key):
    done = clients.aws(locked.url, "detect-labels", "--image", "S3Object={Bucket=private,Name=chelsea.png}", key=key)
    assert done.returncode == 0, done.stderr
    done = clients.aws(locked.url, "detect-labels", "--image", "S3Object={Bucket=photos,Name=chelsea.png}")
    assert "(UnrecognizedClientException)" in done.stderr
