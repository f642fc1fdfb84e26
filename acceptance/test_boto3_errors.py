"""What boto3 raises: the exceptions that programs written for AWS catch by name."""

import botocore.exceptions
import pytest

import clients
import photos


@pytest.fixture(scope="module")
def client(server):
    return clients.rekognition(server.url)


GRAY = photos.png(80, 80, (128, 128, 128))
MIB = 1 << 20


@pytest.mark.parametrize(
    ("exception", "image"),
    [
        ("InvalidImageFormatException", b"GIF89a no picture"),
        ("InvalidImageFormatException", b"\xff\xd8\xff\xe0 a JPEG that ends here"),
        ("InvalidImageFormatException", photos.png(200, 200, (9, 9, 9))[:60]),
        ("InvalidParameterException", photos.png(79, 200, (9, 9, 9))),
        ("ImageTooLargeException", photos.png(10_001, 80, (9, 9, 9))),
    ],
    ids=["text", "headless JPEG", "PNG cut short", "79 pixels wide", "10,001 pixels wide"],
)
def test_image(client, exception, image):
    with pytest.raises(getattr(client.exceptions, exception)) as caught:
        client.detect_labels(Image={"Bytes": image})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Message"]


def test_five_mebibytes_are_the_most(client):
    assert client.detect_labels(Image={"Bytes": photos.padded(GRAY, 5 * MIB)})["LabelModelVersion"]
    error = refused(client, Image={"Bytes": photos.padded(GRAY, 5 * MIB + 1)})
    # The service's front end refuses by its model, before Rekognition looks at the image.
    assert error["Code"] == "ValidationException"
    assert "'image.bytes'" in error["Message"] and "5242880" in error["Message"]


def test_body_beyond_all_limits(client):
    error = refused(client, Image={"Bytes": photos.padded(GRAY, 12 * MIB)})
    assert error["Code"] in ("RequestEntityTooLargeException", "413")


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        ("InvalidParameterException", {"Image": {}}),
        ("InvalidParameterException", {"Image": {"Bytes": GRAY, "S3Object": {"Bucket": "photos", "Name": "chelsea.png"}}}),
        ("ValidationException", {"Image": {"Bytes": GRAY}, "MinConfidence": 101}),
        ("ValidationException", {"Image": {"Bytes": GRAY}, "Features": ["FACES"]}),
        ("ValidationException", {"Image": {"Bytes": GRAY}, "Settings": {"GeneralLabels": {"LabelInclusionFilters": ["x" * 51]}}}),
        ("InvalidParameterException", {"Image": {"Bytes": GRAY}, "Settings": {"ImageProperties": {"MaxDominantColors": 3}}}),
        ("InvalidS3ObjectException", {"Image": {"S3Object": {"Bucket": "photos", "Name": "nothing.png"}}}),
        ("InvalidS3ObjectException", {"Image": {"S3Object": {"Bucket": "elsewhere", "Name": "chelsea.png"}}}),
        ("InvalidS3ObjectException", {"Image": {"S3Object": {"Bucket": "photos", "Name": "../../../etc/passwd"}}}),
        ("InvalidS3ObjectException", {"Image": {"S3Object": {"Bucket": "private", "Name": "chelsea.png"}}}),
        ("InvalidImageFormatException", {"Image": {"S3Object": {"Bucket": "photos", "Name": "notes.txt"}}}),
    ],
    ids=[
        "no image", "two images", "confidence over 100", "unknown feature", "filter too long",
        "settings of a feature not asked for", "no such object", "no such bucket", "path out of the bucket",
        "bucket of another account", "object that is no image",
    ],
)
def test_parameters(client, code, parameters):
    error = refused(client, **parameters)
    assert (error["Code"], bool(error["Message"])) == (code, True)


def test_operation_not_offered(client):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.detect_faces(Image={"Bytes": GRAY})
    error = caught.value.response["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert "DetectFaces" in error["Message"] and "Trilobite" in error["Message"]


def refused(client, **parameters):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.detect_labels(**parameters)
    return caught.value.response["Error"]
