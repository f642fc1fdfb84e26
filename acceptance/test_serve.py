"""How `trilobite serve` starts, refuses to start, speaks TLS and ends."""

import contextlib
import http.client
import itertools
import json
import re
import socket
import threading
import time

import botocore.exceptions
import pytest
from google.cloud import vision

import clients
import photos
from serving import Server

GRAY = photos.png(80, 80, (128, 128, 128))


@pytest.mark.parametrize("addr", ["0.0.0.0:0", ":0", "[::]:0"])
def test_refuses_the_network_without_keys(home, addr):
    done = home.run("serve", "--addr", addr, check=False)
    assert done.returncode == 1
    assert "--insecure" in done.stderr and "auth" in done.stderr


@pytest.mark.parametrize("flag", ["--auth", "--insecure"])
def test_listens_to_the_network_if_told(home, flag):
    with Server(home, "--addr", "0.0.0.0:0", flag) as s:
        port = s.address.rpartition(":")[2]
        assert clients.curl(f"http://127.0.0.1:{port}/healthz")[0] == 200


def test_port_is_taken(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        addr = "127.0.0.1:%d" % taken.getsockname()[1]
        done = home.run("serve", "--addr", addr, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert addr in line and "already" in line and "--addr" in line


def test_ready_within_a_second_or_so(home):
    """Models are in place; the bound is wide, for the machine may be busy (bench has the figure)."""
    start = time.monotonic()
    with Server(home):
        assert time.monotonic() - start < 10


class TestTLS:
    def test_boto3(self, tls, certificate):
        client = clients.rekognition(tls.url, verify=str(certificate[0]))
        assert client.detect_labels(Image={"Bytes": GRAY})["LabelModelVersion"]

    def test_boto3_without_the_certificate(self, tls):
        with pytest.raises(botocore.exceptions.SSLError):
            clients.rekognition(tls.url).detect_labels(Image={"Bytes": GRAY})

    def test_vision_grpc(self, tls, certificate):
        client = clients.vision_grpc(tls.address, certificate[0].read_bytes())
        assert not client.label_detection(image=vision.Image(content=GRAY)).error.code

    @pytest.mark.parametrize("version", ["--http1.1", "--http2"])
    def test_curl(self, tls, certificate, version):
        assert clients.curl(version, "--cacert", str(certificate[0]), tls.url + "/readyz")[0] == 200

    @pytest.mark.parametrize("flag", ["--tls-cert", "--tls-key"])
    def test_certificate_and_key_go_together(self, home, certificate, flag):
        done = home.run("serve", "--addr", "127.0.0.1:0", flag, str(certificate[0]), check=False)
        assert done.returncode == 1
        assert "tls.cert" in done.stderr and "tls.key" in done.stderr


class TestShutdown:
    def test_accepted_requests_are_finished(self, home, sample):
        """Sixteen requests are under way, more than the cores, when SIGTERM comes."""
        with Server(home) as s:
            calls = [send(s.address, sample) for _ in range(16)]
            wait_until(lambda: in_flight(s) + len(s.requests()) >= 16)
            assert s.stop() == 0
            assert [receive(c) for c in calls] == [200] * 16

    def test_load_loses_nothing(self, home):
        """Eight clients call again and again. What the server worked on is answered; what
        it never saw because its door had closed is the client's to repeat."""
        answered = set()

        def call_until_refused(client):
            for n in itertools.count():
                try:
                    assert receive(send(s.address, GRAY, f"{client}-{n}")) == 200
                except OSError:
                    return
                answered.add(f"{client}-{n}")

        with Server(home) as s:
            threads = [threading.Thread(target=call_until_refused, args=(c,)) for c in range(8)]
            for t in threads:
                t.start()
            wait_until(lambda: len(answered) >= 50)
            assert s.stop() == 0
            for t in threads:
                t.join()
            assert {r["request"] for r in s.requests()} == answered

    def test_second_signal_is_not_needed(self, home):
        with Server(home) as s:
            start = time.monotonic()
            assert s.stop() == 0
            assert time.monotonic() - start < 5


def send(address, image, request_id="x"):
    """Sends one request on a connection of its own, and returns the connection."""
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("POST", "/api/v1/label", image, {"Content-Type": "image/png", "Connection": "close", "X-Request-Id": request_id})
    return connection


def receive(connection):
    """The status of the answer, which must be whole."""
    with contextlib.closing(connection):
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def in_flight(server):
    """How many requests the server works on, the question itself not counted."""
    _, text = clients.curl(server.url + "/metrics")
    return int(float(re.search(r"^\w*in_flight\S* (\S+)$", text, re.MULTILINE)[1])) - 1
