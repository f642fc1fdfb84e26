"""Keys as Google API keys, over REST and gRPC."""

import time

import google.api_core.exceptions
import pytest
from google.cloud import vision

import clients
import photos

IMAGE = vision.Image(content=photos.png(80, 80, (128, 128, 128)))


def test_rest_with_api_key_option(locked, key):
    assert not clients.vision_rest(locked.url, key).label_detection(image=IMAGE).error.code


def test_grpc_with_api_key_metadata(locked, key):
    client = clients.vision_grpc(locked.address)
    assert not client.label_detection(image=IMAGE, metadata=[("x-goog-api-key", key.token)]).error.code


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.parametrize(
    ("metadata", "exception"),
    [([], google.api_core.exceptions.Forbidden), ([("x-goog-api-key", "wrong.key")], google.api_core.exceptions.BadRequest)],
    ids=["no key", "wrong key"],
)
def test_refused(locked, transport, metadata, exception):
    client = clients.vision_rest(locked.url) if transport == "rest" else clients.vision_grpc(locked.address)
    with pytest.raises(exception, match="API key"):
        client.label_detection(image=IMAGE, metadata=metadata)


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_rate(locked, home, transport):
    once = home.create_key("--rate", "0.001", "--burst", "1")
    client = clients.vision_rest(locked.url) if transport == "rest" else clients.vision_grpc(locked.address)
    metadata = [("x-goog-api-key", once.token)]
    client.label_detection(image=IMAGE, metadata=metadata)
    with pytest.raises(google.api_core.exceptions.TooManyRequests):
        client.label_detection(image=IMAGE, metadata=metadata)


def test_revoked_key_ends_within_a_second(locked, home):
    k = home.create_key()
    client = clients.vision_rest(locked.url, k)
    client.label_detection(image=IMAGE)
    home.revoke_key(k)
    time.sleep(1)
    with pytest.raises(google.api_core.exceptions.BadRequest, match="API key not valid"):
        client.label_detection(image=IMAGE)


def test_bucket_of_the_account(locked, home, key):
    image = vision.Image(source=vision.ImageSource(gcs_image_uri="gs://private/chelsea.png"))
    assert clients.vision_rest(locked.url, key).label_detection(image=image).label_annotations
    stranger = clients.vision_rest(locked.url, home.create_key("--account", "222222222222"))
    assert stranger.label_detection(image=image).error.code == 5  # NOT_FOUND
