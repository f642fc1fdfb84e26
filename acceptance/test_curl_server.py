"""The port itself with curl: health, metrics, broken HTTP, and the guard of an open port."""

import json
import re

import pytest

import clients
import photos


@pytest.mark.parametrize(("path", "text"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_health(server, locked, path, text):
    for s in (server, locked):
        assert clients.curl(s.url + path) == (200, text + "\n")


def test_metrics(server):
    path = photos.need(photos.CAT[0])
    clients.curl("--form", f"file=@{path}", server.url + "/api/v1/label")
    status, text = clients.curl(server.url + "/metrics")
    assert status == 200
    for stage in ("decode", "preprocess", "queue", "infer", "postprocess"):
        assert re.search(rf'stage="{stage}"', text), stage
    assert re.search(r'api="native".*operation="label"|operation="label".*api="native"', text)


def test_rekognition_json_cut_short(server):
    status, text = rekognition(server, "--data", '{"Image": {"Bytes": "')
    assert (status, json.loads(text)["__type"]) == (400, "SerializationException")


def test_rekognition_wrong_base64(server):
    status, text = rekognition(server, "--data", '{"Image": {"Bytes": "%%%"}}')
    assert (status, json.loads(text)["__type"]) == (400, "SerializationException")


def rekognition(server, *flags):
    return clients.curl("--header", "X-Amz-Target: RekognitionService.DetectLabels", "--header", "Content-Type: application/x-amz-json-1.1", *flags, server.url)


def test_unknown_target(server):
    status, text = clients.curl("--header", "X-Amz-Target: RekognitionService.Teleport", "--data", "{}", server.url)
    assert (status, json.loads(text)["__type"]) == (400, "UnknownOperationException")


def test_huge_header(server):
    status, _ = clients.curl("--header", "X-Padding: " + "x" * 100_000, server.url + "/healthz")
    assert status == 431


def test_unknown_path(server):
    status, text = clients.curl(server.url + "/nothing")
    assert status == 404
    assert "/api/v1/openapi.json" in text


@pytest.mark.parametrize("header", ["Host: evil.example", "Origin: https://evil.example", "Origin: null"])
@pytest.mark.parametrize("path", ["/", "/v1/images:annotate", "/api/v1/label"])
def test_web_pages_are_kept_out_of_an_open_port(server, path, header):
    status, text = clients.curl("--header", header, "--json", "{}", server.url + path)
    assert status in (400, 403)
    assert "evil.example" in text or "null" in text or "AccessDenied" in text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "localhost:9999"])
def test_names_of_this_machine_are_let_in(server, host):
    assert clients.curl("--header", f"Host: {host}", server.url + "/api/v1/models")[0] == 200


def test_with_keys_every_host_is_let_in(locked, key):
    assert clients.curl("--header", "Host: photos.example", "--oauth2-bearer", key.token, locked.url + "/api/v1/models")[0] == 200
