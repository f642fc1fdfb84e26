"""The native API with curl: JSON, forms, plain bytes, and what a request can get wrong."""

import base64
import json

import pytest

import clients
import photos


def post(server, path, body, tmp_path, *flags):
    """Posts a dict as JSON and returns (status, parsed answer)."""
    file = tmp_path / "request.json"
    file.write_text(json.dumps(body))
    status, text = clients.curl("--json", f"@{file}", *flags, server.url + path)
    return status, json.loads(text)


def test_json(server, sample, tmp_path):
    status, answer = post(server, "/api/v1/detect", {"image": base64.b64encode(sample).decode()}, tmp_path)
    assert status == 200
    found = {d["label"]: d for d in answer["detections"]}
    left, top, right, bottom = found["Motorcycle"]["box"]
    assert 0 <= left < right <= answer["width"] and 0 <= top < bottom <= answer["height"]
    assert 0.5 <= found["Motorcycle"]["score"] <= 1


def test_form_and_plain_bytes_say_the_same(server):
    path = photos.need(photos.CAT[0])
    form = clients.curl("--form", f"file=@{path}", "--form", "min_score=0.3", server.url + "/api/v1/label")
    plain = clients.curl("--header", "Content-Type: image/png", "--data-binary", f"@{path}", server.url + "/api/v1/label?min_score=0.3")
    assert form[0] == plain[0] == 200
    assert form[1] == plain[1]


def test_everything(server, sample, tmp_path):
    status, answer = post(server, "/api/v1/analyze", {
        "image": base64.b64encode(sample).decode(), "features": ["labels", "detections", "properties", "crops"], "crop_ratios": [1],
    }, tmp_path)
    assert status == 200
    assert {"labels", "detections", "properties", "crops", "width", "height", "version"} <= set(answer)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_of_the_upright_image(server, orientation):
    path = photos.need(photos.DATA / "exif_orientation" / f"Landscape_{orientation}.jpg")
    status, text = clients.curl("--form", f"file=@{path}", server.url + "/api/v1/detect")
    answer = json.loads(text)
    assert status == 200
    assert (answer["width"], answer["height"]) == (1800, 1200)


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (400, ["--json", '{"image": "aGVsbG8="']),
        (400, ["--json", '{"image": "%%% not base64 %%%"}']),
        (400, ["--json", '{"picture": "aGVsbG8="}']),
        (400, ["--json", "{}"]),
        (400, ["--header", "Content-Type: text/plain", "--data", "x"]),
        (400, ["--form", "file=hello", "--form", "min_score=two"]),
        (422, ["--form", "file=hello"]),
        (403, ["--json", '{"url": "http://127.0.0.1:1/x.png"}']),
    ],
    ids=["JSON cut short", "no base64", "unknown field", "no image", "unknown type", "no number", "no picture", "URL not allowed"],
)
def test_errors(server, status, flags):
    got, text = clients.curl(*flags, server.url + "/api/v1/label")
    problem = json.loads(text)
    assert (got, problem["status"]) == (status, status)
    assert problem["detail"]


def test_openapi_document(server):
    status, text = clients.curl(server.url + "/api/v1/openapi.json")
    document = json.loads(text)
    assert status == 200
    assert document["openapi"].startswith("3.1")
    assert {"/detect", "/label", "/analyze", "/models"} <= {p.removeprefix("/api/v1") for p in document["paths"]}


def test_models(server):
    status, text = clients.curl(server.url + "/api/v1/models")
    models = {m["name"]: m for m in json.loads(text)["models"]}
    assert status == 200
    assert len(models["coco-ssd"]["labels"]) == 80
    assert len(models["efficientnet-lite0"]["labels"]) == 1000


@pytest.mark.parametrize("where", ["header", "query", "bearer"])
def test_keys(locked, key, where):
    path = photos.need(photos.CAT[0])
    flags = {"header": ["--header", f"x-goog-api-key: {key.token}"], "query": [], "bearer": ["--oauth2-bearer", key.token]}[where]
    query = f"?key={key.token}" if where == "query" else ""
    status, _ = clients.curl("--form", f"file=@{path}", *flags, locked.url + "/api/v1/label" + query)
    assert status == 200


def test_without_a_key(locked):
    status, text = clients.curl("--form", "file=hello", locked.url + "/api/v1/label")
    assert status == 401
    assert json.loads(text)["detail"]
