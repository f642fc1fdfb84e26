"""Requests byte by byte, as no library would send them, and AWS signatures to forge."""
import datetime
import hashlib
import hmac
import json
import socket
import time

AWS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "RekognitionService.DetectLabels"}
GOOGLE = {"Content-Type": "application/json"}


class Answer:
    """One HTTP answer: status, headers in lower case, body. Status 0 is none."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.") else 0
        self.headers = {k.lower(): v for k, _, v in (h.partition(": ") for h in lines[1:])}

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __str__(self):
        return f"{self.status} {self.body[:300].decode('utf-8', 'replace').strip()}"


def request(path, body=b"", headers=(), method="POST", length=None):
    """A request as bytes; length overrides what Content-Length says."""
    headers = {"Host": "localhost", "Content-Length": len(body) if length is None else length,
               "Connection": "close", **dict(headers)}
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items() if v is not None)
    return head.encode("latin-1") + b"\r\n" + body


def exchange(port, *pieces, pause=0.0, half_close=False, timeout=60):
    """Sends the pieces and returns everything that comes until the server closes. A
    server may answer and close before it has read all: what it said counts."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.settimeout(timeout)
        raw = b""
        try:
            for i, piece in enumerate(pieces):
                if i:
                    time.sleep(pause)
                s.sendall(piece)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while data := s.recv(1 << 16):
                raw += data
        except (ConnectionResetError, TimeoutError):
            pass
        return raw


def send(port, *pieces, **options):
    return Answer(exchange(port, *pieces, **options))


def sign(body, key, secret, headers=AWS, when=None, host="localhost", service="rekognition", region="eu-central-1"):
    """headers with an AWS Signature Version 4 of POST / (AWS General Reference, "Signing
    AWS API requests"), as of when (UTC; None: now)."""
    when = when or datetime.datetime.now(datetime.timezone.utc)
    stamp, day = when.strftime("%Y%m%dT%H%M%SZ"), when.strftime("%Y%m%d")
    signed = {"host": host, "x-amz-date": stamp, **{k.lower(): v for k, v in headers.items()}}
    names = ";".join(sorted(signed))
    canonical = "\n".join(["POST", "/", "", *(f"{k}:{signed[k]}" for k in sorted(signed)), "", names,
                           hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    k = b"AWS4" + secret.encode()
    for part in (*scope.split("/"), text):
        k = hmac.new(k, part.encode(), hashlib.sha256).digest()
    return {**headers, "X-Amz-Date": stamp, "Host": host,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={k.hex()}"}
