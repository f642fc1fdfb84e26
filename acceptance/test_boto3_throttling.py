"""Rates of keys: the vendor's error, and the SDK's own retries on it."""

import botocore.exceptions
import pytest

import clients
import photos

GRAY = photos.png(80, 80, (128, 128, 128))


@pytest.fixture
def attempts():
    """Counts what a client sends."""
    return []


def client_of(server, key, retries, attempts):
    client = clients.rekognition(server.url, key, retries=retries)
    client.meta.events.register("before-send.rekognition.DetectLabels", lambda request, **_: attempts.append(request.headers["amz-sdk-request"]))
    return client


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_gives_up_after_its_attempts(locked, home, attempts, mode):
    once = home.create_key("--rate", "0.001", "--burst", "1")
    client = client_of(locked, once, {"mode": mode, "total_max_attempts": 3}, attempts)
    client.detect_labels(Image={"Bytes": GRAY})
    with pytest.raises(client.exceptions.ThrottlingException) as caught:
        client.detect_labels(Image={"Bytes": GRAY})
    assert len(attempts) == 1 + 3
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2


def test_comes_through_by_retrying(locked, home, attempts):
    slow = home.create_key("--rate", "1", "--burst", "1")
    client = client_of(locked, slow, {"mode": "standard", "total_max_attempts": 10}, attempts)
    for _ in range(2):
        assert client.detect_labels(Image={"Bytes": GRAY})["LabelModelVersion"]
    assert len(attempts) > 2


def test_rate_is_of_the_key_not_of_the_account(locked, home):
    spent = clients.rekognition(locked.url, home.create_key("--rate", "0.001", "--burst", "1"))
    other = clients.rekognition(locked.url, home.create_key())
    spent.detect_labels(Image={"Bytes": GRAY})
    with pytest.raises(botocore.exceptions.ClientError):
        spent.detect_labels(Image={"Bytes": GRAY})
    assert other.detect_labels(Image={"Bytes": GRAY})
