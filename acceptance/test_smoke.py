"""What is on a photograph, through each of the clients. Go's are in test_go.py."""

import base64
import json

import pytest
from google.cloud import vision

import clients

pytestmark = pytest.mark.smoke


def test_aws_cli(server, photo):
    path, wanted = photo
    done = clients.aws(server.url, "detect-labels", "--image-bytes", f"fileb://{path}")
    assert done.returncode == 0, done.stderr
    assert wanted in [l["Name"] for l in json.loads(done.stdout)["Labels"]]


def test_boto3(server, photo):
    path, wanted = photo
    answer = clients.rekognition(server.url).detect_labels(Image={"Bytes": path.read_bytes()})
    assert wanted in [l["Name"] for l in answer["Labels"]]


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_google_cloud_vision(server, photo, transport):
    path, wanted = photo
    client = clients.vision_rest(server.url) if transport == "rest" else clients.vision_grpc(server.address)
    image = vision.Image(content=path.read_bytes())
    labels = client.label_detection(image=image).label_annotations
    objects = client.object_localization(image=image).localized_object_annotations
    assert wanted in [l.description for l in labels]
    assert wanted in [o.name for o in objects]


def test_curl_vision(server, photo, tmp_path):
    path, wanted = photo
    body = tmp_path / "request.json"
    body.write_text(json.dumps({"requests": [{
        "image": {"content": base64.b64encode(path.read_bytes()).decode()},
        "features": [{"type": "LABEL_DETECTION"}, {"type": "OBJECT_LOCALIZATION"}],
    }]}))
    status, text = clients.curl("--json", f"@{body}", server.url + "/v1/images:annotate")
    assert status == 200, text
    answer = json.loads(text)["responses"][0]
    assert wanted in [l["description"] for l in answer["labelAnnotations"]]
    assert wanted in [o["name"] for o in answer["localizedObjectAnnotations"]]


def test_curl_native(server, photo):
    path, wanted = photo
    status, text = clients.curl("--form", f"file=@{path}", server.url + "/api/v1/label")
    assert status == 200, text
    assert wanted in [l["name"] for l in json.loads(text)["labels"]]
