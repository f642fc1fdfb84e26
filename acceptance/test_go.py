"""aws-sdk-go-v2, Go's Vision client over gRPC and REST, and MinIO's client: the Go tests of this folder."""

import os
import subprocess

import pytest

from serving import ROOT


def go_test(run, **settings):
    """Runs Go tests with the settings that they read from ACCEPTANCE_* variables."""
    env = {**os.environ, **{"ACCEPTANCE_" + k: v for k, v in settings.items()}}
    done = subprocess.run(["go", "test", "-count=1", "-v", "-run", run, "./acceptance"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--- SKIP" not in done.stdout, done.stdout


@pytest.mark.smoke
def test_photo(server, photo):
    go_test("TestPhoto", SERVER=server.url, PHOTO=str(photo[0]), LABEL=photo[1])


def test_errors_and_keys(server, locked, home, key):
    once = home.create_key("--rate", "0.001", "--burst", "1")
    go_test("TestAmazon|TestGoogle", SERVER=server.url, LOCKED=locked.url, KEY=key.token, ONCE=once.token)


def test_signed_chunks(locked, key):
    go_test("TestSignedChunks", LOCKED=locked.url, KEY=key.token)
