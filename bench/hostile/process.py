"""A `trilobite serve` of our own, and what the kernel knows of a process."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "bin" / "trilobite"


def peak_rss(pid):
    """The most resident memory the process has had, in MB (VmHWM of Linux)."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


class Server:
    """`trilobite serve` on a free port of 127.0.0.1, with its log kept."""

    def __init__(self, *flags):
        self.log = []
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--addr", "127.0.0.1:0", "--log-format", "json", *flags],
            stderr=subprocess.PIPE, text=True)
        self.port = None
        ready = threading.Event()
        threading.Thread(target=self._read, args=(ready,), daemon=True).start()
        if not ready.wait(60) or self.port is None:
            raise SystemExit("the server did not start:\n" + "".join(self.log))

    def _read(self, ready):
        for line in self.process.stderr:
            self.log.append(line)
            if self.port is None and '"msg":"ready"' in line:
                self.port = int(json.loads(line)["addr"].rsplit(":", 1)[1])
                ready.set()
        ready.set()

    def alive(self):
        return self.process.poll() is None

    def peak(self):
        return peak_rss(self.process.pid)

    def lines(self, key, value):
        """The log's records whose key is value; the log is written after the answer."""
        for _ in range(50):
            found = [r for r in map(json.loads, self.log) if r.get(key) == value]
            if found:
                return found
            time.sleep(0.02)
        return []

    def panics(self):
        return [line for line in self.log if '"msg":"panic"' in line or "goroutine " in line]

    def stop(self):
        """Ends the server as a supervisor does and returns its exit status."""
        self.process.terminate()
        return self.process.wait(60)


class Home:
    """A data folder of its own, for keys, with the models of the configured one."""

    def __init__(self):
        shown = subprocess.run([PROGRAM, "config", "--json"], check=True, stdout=subprocess.PIPE)
        models = pathlib.Path(find(json.loads(shown.stdout), "home")) / "models"
        self.path = tempfile.mkdtemp(prefix="trilobite-hostile-")
        os.symlink(models.resolve(), pathlib.Path(self.path) / "models")

    def key(self, *flags):
        made = subprocess.run([PROGRAM, "--home", self.path, "key", "create", "--json", *flags],
                              check=True, stdout=subprocess.PIPE)
        return json.loads(made.stdout)

    def remove(self):
        shutil.rmtree(self.path)


def find(settings, name):
    """A setting of `trilobite config --json`, whichever way it is nested."""
    if isinstance(settings, list):
        return next(s["value"] for s in settings if s["name"] == name)
    value = settings[name]
    return value["value"] if isinstance(value, dict) else value
