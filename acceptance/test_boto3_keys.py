"""Keys as AWS credentials: what is let in, what is refused, and how fast that changes."""

import dataclasses
import datetime
import time

import boto3
import botocore
import botocore.config
import botocore.crt.auth
import botocore.exceptions
import pytest

import clients
import photos

GRAY = photos.png(80, 80, (128, 128, 128))


def ask(client):
    return client.detect_labels(Image={"Bytes": GRAY})


def code(client):
    """The code of the error that a call ends with; None where it succeeds."""
    try:
        ask(client)
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"]
    return None


def test_right_key(locked, key):
    assert ask(clients.rekognition(locked.url, key))["LabelModelVersion"]


def test_account_reads_its_bucket(locked, home, key):
    image = {"S3Object": {"Bucket": "private", "Name": "chelsea.png"}}
    assert clients.rekognition(locked.url, key).detect_labels(Image=image)["Labels"]
    stranger = clients.rekognition(locked.url, home.create_key("--account", "222222222222"))
    with pytest.raises(stranger.exceptions.InvalidS3ObjectException):
        stranger.detect_labels(Image=image)


def test_wrong_secret(locked, key):
    assert code(clients.rekognition(locked.url, dataclasses.replace(key, secret="wrong"))) == "InvalidSignatureException"


def test_unknown_key(locked):
    assert code(clients.rekognition(locked.url)) == "UnrecognizedClientException"


@pytest.mark.parametrize(("minutes", "wanted"), [(-6, "InvalidSignatureException"), (-4, None), (4, None), (6, "InvalidSignatureException")])
def test_clock_of_the_client(locked, key, monkeypatch, minutes, wanted):
    now = botocore.crt.auth.get_current_datetime  # awscrt signs where it is installed
    monkeypatch.setattr(botocore.crt.auth, "get_current_datetime", lambda **how: now(**how) + datetime.timedelta(minutes=minutes))
    assert code(clients.rekognition(locked.url, key)) == wanted


def test_unsigned(locked):
    config = botocore.config.Config(signature_version=botocore.UNSIGNED)
    client = boto3.client("rekognition", endpoint_url=locked.url, region_name=clients.REGION, config=config)
    assert code(client) == "MissingAuthenticationTokenException"


def test_revoked_key_ends_within_a_second(locked, home):
    client = clients.rekognition(locked.url, k := home.create_key())
    assert code(client) is None
    home.revoke_key(k)
    assert within_a_second(client, "UnrecognizedClientException")


def test_rotated_key_ends_within_a_second(locked, home):
    client = clients.rekognition(locked.url, k := home.create_key())
    assert code(client) is None
    fresh = home.rotate_key(k)
    assert within_a_second(client, "InvalidSignatureException")
    assert code(clients.rekognition(locked.url, fresh)) is None


def within_a_second(client, wanted):
    """Whether calls that begin a second from now end with wanted."""
    time.sleep(1)
    return code(client) == wanted
