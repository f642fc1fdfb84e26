"""Vertex AI's clients against this server: google-cloud-aiplatform over REST and gRPC, and its
Go client, with which `trilobite compare` asks (test_compare.py)."""

import base64
import json
import urllib.request

import pytest
from google.api_core import exceptions

import clients
import photos


def instance(data):
    return {"content": base64.b64encode(data).decode(), "mimeType": "image/png"}


def native(server, model, data):
    """What the native API says of the same picture."""
    body = json.dumps({"image": base64.b64encode(data).decode(), "max_results": 3, "min_score": 0}).encode()
    request = urllib.request.Request(f"{server.url}/api/v1/models/{model}/predict", data=body, headers={"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))


def predictions(server, transport, model, instances, parameters):
    """Both transports' answers as plain lists."""
    if transport == "rest":
        return clients.vertex(server.url, model).predict(instances=instances, parameters=parameters).predictions
    out = clients.vertex_grpc(server.address).predict(endpoint=clients.VERTEX + model, instances=instances, parameters=parameters)
    return [json.loads(type(out).to_json(out))["predictions"][i] for i in range(len(instances))]


@pytest.mark.smoke
@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_classes(server, sample, transport):
    want = native(server, "efficientnet-lite0", sample)["classes"]
    cat = photos.need(photos.CAT[0]).read_bytes()
    first, second = predictions(server, transport, "efficientnet-lite0", [instance(sample), instance(cat)], {"maxPredictions": 3})
    assert first["displayNames"] == [c["label"] for c in want] and first["ids"] == [str(c["index"]) for c in want]
    assert first["confidences"] == pytest.approx([c["score"] for c in want], abs=1e-6)
    assert second["displayNames"] != first["displayNames"]


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_boxes(server, sample, transport):
    want = native(server, "coco-ssd", sample)
    (got,) = predictions(server, transport, "coco-ssd", [instance(sample)], {"maxPredictions": 3, "confidenceThreshold": 0})
    assert got["displayNames"] == [d["label"] for d in want["detections"]] and "motorcycle" in got["displayNames"]
    for box, d in zip(got["bboxes"], want["detections"], strict=True):
        x1, y1, x2, y2 = d["box"]
        assert box == pytest.approx([x1 / want["width"], x2 / want["width"], y1 / want["height"], y2 / want["height"]], abs=1e-5)


def test_errors_and_keys(server, locked, key, sample):
    with pytest.raises(exceptions.NotFound, match="endpoints/none` is not found"):
        clients.vertex_grpc(server.address).predict(endpoint=clients.VERTEX + "none", instances=[instance(sample)])
    with pytest.raises(exceptions.InvalidArgument, match="Instance 0"):
        clients.vertex_grpc(server.address).predict(endpoint=clients.VERTEX + "coco-ssd", instances=[{}])
    with pytest.raises(exceptions.PermissionDenied):
        clients.vertex_grpc(locked.address).predict(endpoint=clients.VERTEX + "coco-ssd", instances=[instance(sample)])
    got = clients.vertex_grpc(locked.address).predict(
        endpoint=clients.VERTEX + "coco-ssd", instances=[instance(sample)], metadata=[("authorization", f"Bearer {key.token}")])
    assert got.deployed_model_id == "1" and got.model == "projects/p/locations/europe-west4/models/coco-ssd"
