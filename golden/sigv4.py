"""Requests signed by botocore, for package auth: auth/testdata/sigv4.json.

Each is a method, a URL, headers and a base64 body, signed at 2026-03-04T05:06:07Z with
key id TRLBGOLDEN and secret "golden/secret+40": what boto3's own client sends to
Rekognition, requests with awkward paths, queries and headers through SigV4Auth, and
presigned ones through SigV4QueryAuth.

Requirements: botocore==1.44.5
Run: python golden/sigv4.py
"""
import base64
import datetime
import json
import pathlib
from unittest import mock

import botocore.session
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
KEY, SECRET = "TRLBGOLDEN", "golden/secret+40"
TARGET = {"X-Amz-Target": "RekognitionService.DetectLabels", "Content-Type": "application/x-amz-json-1.1"}

CHANGING = {"User-Agent", "amz-sdk-invocation-id"}  # unsigned, and different each time


def record(name, request):
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    text = lambda v: v.decode() if isinstance(v, bytes) else v
    return {
        "name": name, "method": request.method, "url": request.url,
        "headers": {k: text(v) for k, v in request.headers.items() if k not in CHANGING},
        "body": base64.b64encode(body).decode(),
    }


def from_client(name, token=None, **params):
    """What an unmodified client sends for detect_labels."""
    sent = []

    def before_send(request, **_):
        sent.append(record(name, request))
        return AWSResponse(request.url, 200, {}, mock.Mock(stream=lambda *a, **k: iter([b"{}"])))

    client = botocore.session.Session().create_client(
        "rekognition", region_name="eu-west-1", endpoint_url="http://127.0.0.1:8080",
        aws_access_key_id=KEY, aws_secret_access_key=SECRET, aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send", before_send)
    client.detect_labels(**params)
    return sent[0]


def by_signer(name, method, url, headers=None, body=b"", token=None, signer=SigV4Auth, **kw):
    request = AWSRequest(method=method, url=url, headers={**TARGET, **(headers or {})}, data=body)
    signer(Credentials(KEY, SECRET, token), "rekognition", "us-east-1", **kw).add_auth(request)
    return record(name, request.prepare())


host = "http://rekognition.example.com"
with mock.patch("botocore.auth.get_current_datetime", lambda *a, **k: NOW):
    cases = [
        from_client("boto3's client", Image={"Bytes": bytes(range(256))}, MaxLabels=3),
        from_client("boto3's client with a session token", token="session+token/==", Image={"S3Object": {"Bucket": "photos", "Name": "café.jpg"}}),
        by_signer("no body", "POST", host + "/"),
        by_signer("no path", "POST", host),
        by_signer("port in the host", "POST", host + ":8443/", body=b"{}"),
        by_signer("query out of order, repeated, without value", "POST", host + "/?b=2&a=z&a=a&c&a%20b=%2F~&A=1", body=b"{}"),
        by_signer("path with spaces and escapes", "POST", host + "/a%20b/%C3%A9/c~d", body=b"{}"),
        by_signer("path with dots and empty segments", "POST", host + "/a/./b//../c/", body=b"{}"),
        by_signer("header with many spaces", "POST", host + "/", headers={"X-Amz-Meta": "  a   b  c  "}, body=b"{}"),
        by_signer("session token", "POST", host + "/", body=b"{}", token="token"),
        by_signer("presigned", "POST", host + "/?x=1", body=b"{}", signer=SigV4QueryAuth, expires=60),
        by_signer("presigned with a session token", "POST", host + "/", token="to/ken=", signer=SigV4QueryAuth, expires=3600),
    ]

out = pathlib.Path(__file__).parent.parent / "auth" / "testdata"
out.mkdir(parents=True, exist_ok=True)
(out / "sigv4.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
