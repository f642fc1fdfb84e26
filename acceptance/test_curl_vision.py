"""Google Vision's REST with curl, as its documents show it: names for enums, keys in the URL."""

import base64
import json

import pytest

import clients
import photos

TINY = base64.b64encode(photos.png(80, 80, (128, 128, 128))).decode()
PATH = "/v1/images:annotate"


def request(features, content=TINY):
    return json.dumps({"requests": [{"image": {"content": content}, "features": features}]})


def test_feature_not_offered(server):
    status, text = clients.curl("--json", request([{"type": "FACE_DETECTION"}]), server.url + PATH)
    assert (status, json.loads(text)["responses"][0]["error"]["code"]) == (200, 12)


@pytest.mark.parametrize("kind", ["LABEL_DETECTION", 4])
def test_enums_as_names_and_as_numbers(server, kind):
    status, text = clients.curl("--json", request([{"type": kind}]), server.url + PATH)
    assert status == 200 and "error" not in json.loads(text)["responses"][0]


def test_path_with_a_project(server):
    status, _ = clients.curl("--json", request([{"type": "LABEL_DETECTION"}]), server.url + "/v1/projects/p/locations/eu/images:annotate")
    assert status == 200


@pytest.mark.parametrize(
    "body",
    ['{"requests": [{"image"', '{"requests": [{"picture": {}}]}', request([{"type": "LABELS"}]), request([{"type": 4}], "%%%"), ""],
    ids=["JSON cut short", "unknown field", "unknown enum", "no base64", "nothing"],
)
def test_broken_request(server, body):
    status, text = clients.curl("--json", body, server.url + PATH)
    error = json.loads(text)["error"]
    assert (status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert error["message"]


def test_bad_image_is_an_error_of_its_own(server):
    status, text = clients.curl("--json", request([{"type": "LABEL_DETECTION"}], "aGVsbG8="), server.url + PATH)
    assert status == 200
    assert json.loads(text)["responses"][0]["error"] == {"code": 3, "message": "Bad image data."}


def test_key_in_the_url(locked, key):
    body = request([{"type": "LABEL_DETECTION"}])
    assert clients.curl("--json", body, locked.url + f"{PATH}?key={key.token}")[0] == 200
    status, text = clients.curl("--json", body, locked.url + PATH + "?key=wrong")
    assert (status, json.loads(text)["error"]["status"]) == (400, "INVALID_ARGUMENT")
    status, text = clients.curl("--json", body, locked.url + PATH)
    assert (status, json.loads(text)["error"]["status"]) == (403, "PERMISSION_DENIED")
