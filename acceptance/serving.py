"""Starts and stops bin/trilobite, and makes keys with it."""

import json
import os
import signal
import ssl
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "bin" / "trilobite"
START_TIME = 60  # seconds; a start takes under one on an idle machine


@dataclass(frozen=True)
class Key:
    """A key as `trilobite key create --json` shows it."""

    id: str
    secret: str
    account: str

    @property
    def token(self):
        """The key as Google's clients send it."""
        return f"{self.id}.{self.secret}"


class Home:
    """A data folder with the models of the user's own, or none, and keys of its own. settings are further variables of
    what runs on it."""

    def __init__(self, path, settings=None, models=True):
        self.path, self.settings = Path(path), settings or {}
        if models:
            (self.path / "models").symlink_to(models_folder())

    def run(self, *args, check=True, timeout=60):
        """Runs bin/trilobite to its end."""
        return subprocess.run([BINARY, *args], env=self.env(), capture_output=True, text=True, check=check, timeout=timeout)

    def env(self):
        ours = {k: v for k, v in os.environ.items() if not k.startswith("TRILOBITE_")}
        return {**ours, "TRILOBITE_HOME": str(self.path), **self.settings}

    def create_key(self, *flags):
        return Key(**json.loads(self.run("key", "create", "--json", *flags).stdout))

    def rotate_key(self, key):
        made = json.loads(self.run("key", "rotate", "--json", key.id).stdout)
        return Key(key.id, made["secret"], key.account)

    def revoke_key(self, key):
        self.run("key", "revoke", key.id)


def models_folder():
    """The folder of the models that `make build` pulled."""
    settings = json.loads(subprocess.run([BINARY, "config", "--json"], capture_output=True, text=True, check=True).stdout)
    home = next(s["value"] for s in settings if s["name"] == "home")
    return Path(home) / "models"


class Server:
    """`trilobite serve` on a free port of 127.0.0.1, ready when the constructor returns.

    Its log is parsed for the port and kept, so that a failing test can show it.
    """

    def __init__(self, home, *flags, ca=None):
        self.home, self.log, self.address = home, [], None
        self.process = subprocess.Popen(
            [BINARY, "serve", "--addr", "127.0.0.1:0", "--log-format", "json", *flags],
            env=home.env(), stderr=subprocess.PIPE, text=True,
        )
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._listening.wait(START_TIME) or self.address is None:
            self.kill()
            raise RuntimeError("the server did not start:\n" + "".join(self.log))
        self.url = f"{'https' if ca else 'http'}://{self.address}"
        self._wait_ready(ca)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)
            if self.address is None and '"msg":"ready"' in line:
                self.address = json.loads(line)["addr"]
                self._listening.set()
        self._listening.set()  # it ended

    def _wait_ready(self, ca):
        context = ssl.create_default_context(cafile=ca) if ca else None
        deadline = time.monotonic() + START_TIME
        while True:
            try:
                with urllib.request.urlopen(self.url + "/readyz", context=context, timeout=10):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    self.kill()
                    raise
                time.sleep(0.05)

    def requests(self):
        """The log lines of requests, as dicts."""
        return [r for r in map(json.loads, self.log) if r["msg"] == "request"]

    def stop(self, timeout=40):
        """Ends the server as an operator does and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout)
        self._reader.join(5)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
