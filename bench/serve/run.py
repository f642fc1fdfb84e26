"""Speed and memory of `trilobite serve` beside a FastAPI server, in one run.

Rounds of: the peer as people write it (ONNX Runtime's own thread choice), the peer
tuned (one thread a run; one process, then one process a core), Trilobite with the same
model, and the best bare ONNX Runtime loop on the same cores.  640x480 JPEG in, JSON
out, 8 clients, after two seconds that do not count.  Prints every round, then medians
and ratios.  --count N also holds resident memory over N requests; --also NAME puts
another model of the store, such as an eight-bit copy, beside them.

Run: make bench, or python bench/serve/run.py --help
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = 18765
URL = f"http://127.0.0.1:{PORT}"
CORES = len(os.sched_getaffinity(0))


def photos(folder):
    """The sample photos as 640x480 JPEGs of quality 85, as cameras and phones send them."""
    made = []
    for name in ("motorcycle_left", "coffee", "chelsea", "astronaut"):
        path = folder / f"{name}.jpg"
        image = Image.open(ROOT / ".deps" / "samples" / f"{name}.png").convert("RGB")
        image.resize((640, 480)).save(path, quality=85)
        made.append(path)
    return made


def model(name):
    out = subprocess.run([ROOT / "bin/trilobite", "models", "show", name], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return pathlib.Path(out.splitlines()[0].removeprefix("# ")) / "model.onnx"


class Server:
    """A server process that is ready, with the seconds that took."""

    def __init__(self, command, env=None):
        start = time.monotonic()
        self.process = subprocess.Popen(
            list(map(str, command)), env={**os.environ, **(env or {})}, cwd=ROOT / "bench/serve",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        while True:
            try:
                with urllib.request.urlopen(URL + "/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                if self.process.poll() is not None or time.monotonic() - start > 60:
                    raise SystemExit(f"did not start: {command}")
                time.sleep(0.005)
        self.ready = time.monotonic() - start

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)

    def processor(self):
        """Seconds of processor time that the server and its workers have taken."""
        ticks = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:  # its process group
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident megabytes now and at the highest, of the first process."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return [int(fields[k].split()[0]) / 1024 for k in ("VmRSS", "VmHWM")]


def load(files, *extra):
    out = subprocess.run([ROOT / "bin/load", "-url", URL, *map(str, extra), *files],
                         check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def bare(path, seconds):
    """Images per second of the best bare loop: a single-thread run a core, or one over all cores."""
    out = subprocess.run([ROOT / "bin/ortloop", "-model", path, "-only", "^(narrow|wide, spinning)$",
                          "-rounds", "1", "-time", f"{seconds}s"],
                         check=True, stdout=subprocess.PIPE, text=True)
    print(out.stdout, end="")
    return max(float(rate) for rate in re.findall(r"([\d.]+) images/s", out.stdout))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=15)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--model", default="coco-ssd", help="everybody's, of COCO-SSD's inputs and outputs")
    arguments.add_argument("--also", action="append", default=[], metavar="NAME", help="Trilobite with this model too")
    arguments.add_argument("--count", type=int, default=0, help="also this many requests for memory")
    a = arguments.parse_args()
    subprocess.run(["go", "build", "-o", "bin/", "./bench/load", "./bench/ortloop"], cwd=ROOT, check=True)
    path = model(a.model)
    uvicorn = [sys.executable, "-m", "uvicorn", "peer:app", "--port", PORT, "--log-level", "error"]
    serve = [ROOT / "bin/trilobite", "serve", "--addr", f"127.0.0.1:{PORT}", "--log-level", "error", "--models"]
    ours = [*serve, a.model]
    contenders = {
        "fastapi": (uvicorn, {"THREADS": "0"}),
        "fastapi, 1 thread": (uvicorn, {"THREADS": "1"}),
        f"fastapi, {CORES} workers of 1 thread": (uvicorn + ["--workers", CORES], {"THREADS": "1"}),
        "trilobite": (ours, {}),
        **{f"trilobite, {name}": ([*serve, name], {}) for name in a.also},
    }
    rates = {name: [] for name in [*contenders, "bare loop"]}
    with tempfile.TemporaryDirectory() as folder:
        files = photos(pathlib.Path(folder))
        for number in range(a.rounds):
            for name, (command, env) in contenders.items():
                with Server(command, {"MODEL": str(path), **env}) as server:
                    load(files, "-clients", a.clients, "-seconds", 2, "-warm", 0)  # does not count
                    before = server.processor()
                    r = load(files, "-clients", a.clients, "-seconds", a.seconds, "-warm", 0)
                    rates[name].append(r["per_s"])
                    used = (server.processor() - before) / r["requests"] * 1000
                    print(f"round {number + 1}  {name:32} {r['per_s']:6.1f}/s  {used:5.2f} ms of processor each  p50 {r['p50_ms']:6.1f} ms  p99 {r['p99_ms']:6.1f} ms  "
                          f"failed {r['failed']}  ready {server.ready:.2f} s  RSS {server.memory()[0]:.0f} MB", flush=True)
            rates["bare loop"].append(bare(path, a.seconds))
            print(f"round {number + 1}  {'bare loop':32} {rates['bare loop'][-1]:6.1f}/s", flush=True)
        median = {name: statistics.median(r) for name, r in rates.items()}
        tuned = max(v for name, v in median.items() if name.startswith("fastapi,"))
        print(f"trilobite / fastapi        {median['trilobite'] / median['fastapi']:.2f}  (bar 1.7)")
        print(f"trilobite / fastapi tuned  {median['trilobite'] / tuned:.2f}  (bar 1.2)")
        print(f"trilobite / bare loop      {median['trilobite'] / median['bare loop']:.2f}  (bar 0.85)")
        for name in a.also:
            rate = median[f"trilobite, {name}"]
            print(f"trilobite, {name} / fastapi {rate / median['fastapi']:.2f}, / tuned {rate / tuned:.2f}")
        if a.count:
            with Server(ours) as server:
                for done in range(0, a.count, a.count // 10):
                    load(files, "-clients", a.clients, "-count", a.count // 10, "-warm", 0)
                    now, high = server.memory()
                    print(f"{done + a.count // 10:6} requests  RSS {now:.0f} MB, highest {high:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
