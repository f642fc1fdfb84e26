"""How `trilobite serve` starts, refuses to start, speaks TLS and ends."""

import http.client
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
        """Sixteen requests on their way through two cores when SIGTERM comes."""
        with Server(home) as s:
            statuses, threads = [], []
            for _ in range(16):
                threads.append(threading.Thread(target=lambda: statuses.append(post(s.address, sample))))
                threads[-1].start()
            while in_flight(s) < 16:
                time.sleep(0.002)
            assert len(statuses) < 16
            assert s.stop() == 0
            for t in threads:
                t.join()
        assert statuses == [200] * 16

    def test_load_loses_nothing(self, home):
        """Clients that call again and again are answered or cannot connect any more."""
        with Server(home) as s:
            answered, lost = [], []

            def call_until_refused():
                while True:
                    try:
                        answered.append(post(s.address, GRAY))
                    except ConnectionRefusedError:
                        return
                    except OSError as e:
                        lost.append(e)
                        return
                    except http.client.HTTPException as e:
                        lost.append(e)
                        return

            threads = [threading.Thread(target=call_until_refused) for _ in range(8)]
            for t in threads:
                t.start()
            while len(answered) < 50:
                time.sleep(0.01)
            assert s.stop() == 0
            for t in threads:
                t.join()
        assert lost == []
        assert set(answered) == {200}

    def test_second_signal_is_not_needed(self, home):
        with Server(home) as s:
            start = time.monotonic()
            assert s.stop() == 0
            assert time.monotonic() - start < 5


def post(address, image):
    """One request on a connection of its own; the status of its answer."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request("POST", "/api/v1/label", image, {"Content-Type": "image/png", "Connection": "close"})
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status
    finally:
        connection.close()


def in_flight(server):
    """How many requests the server works on, the question itself not counted."""
    _, text = clients.curl(server.url + "/metrics")
    return int(float(re.search(r"^\w*in_flight\S* (\S+)$", text, re.MULTILINE)[1])) - 1
