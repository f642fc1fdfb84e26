"""Every file of the hostile collection through the command line and both APIs."""
import base64
import collections
import concurrent.futures
import http.client
import json
import pathlib
import subprocess
import time

from process import PROGRAM, peak_rss

CLIENTS = 8
SECONDS = 5  # for one file
# How Rekognition refuses a picture: by format, by size, or because a side is below 80 pixels.
REFUSALS = ("InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException")


class Tally:
    """What came back, what took longest, and what must not have happened."""

    def __init__(self, name):
        self.name, self.answers, self.times, self.faults = name, collections.Counter(), [], []

    def add(self, path, answer, seconds, fault=None):
        self.answers[answer] += 1
        self.times.append((seconds, pathlib.Path(path).name))
        if fault:
            self.faults.append(f"{self.name}: {path}: {fault}")
        if seconds > SECONDS:
            self.faults.append(f"{self.name}: {path}: took {seconds:.1f} s")

    def report(self, seconds, peak):
        print(f"{self.name}: {sum(self.answers.values())} files in {seconds:.0f} s, peak {peak:.0f} MB; "
              + ", ".join(f"{n} {a}" for a, n in self.answers.most_common()))
        slow = sorted(self.times, reverse=True)[:10]
        print("  slowest ten: " + ", ".join(f"{s:.2f} s {n[:40]}" for s, n in slow))


def post(port, path, body, headers=(), timeout=120):
    """One request on a connection of its own: status, headers, body."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        c.request("POST", path, body, dict(headers))
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read()
    finally:
        c.close()


def rekognition(port, data, **more):
    body = json.dumps({"Image": {"Bytes": base64.b64encode(data).decode()}, **more})
    return post(port, "/", body, {"X-Amz-Target": "RekognitionService.DetectLabels",
                                  "Content-Type": "application/x-amz-json-1.1",
                                  "Authorization": "AWS4-HMAC-SHA256 any"})


def vision(port, data, *features):
    features = [{"type": f} for f in features or ("LABEL_DETECTION", "OBJECT_LOCALIZATION")]
    body = json.dumps({"requests": [{"image": {"content": base64.b64encode(data).decode()}, "features": features}]})
    return post(port, "/v1/images:annotate", body, {"Content-Type": "application/json"})


def judge_rekognition(status, _, body):
    """The answer in a word, and what is wrong with it."""
    answer = json.loads(body)
    if status == 200:
        return "answered", None if "Labels" in answer else f"no Labels in {body[:200]}"
    name = answer.get("__type")
    ok = status == 400 and name in REFUSALS and answer.get("Message")
    return name, None if ok else f"{status} {body[:200]}"


def judge_vision(status, _, body):
    answer = json.loads(body)
    if status != 200:
        # An empty picture makes an empty request.
        return f"status {status}", None if status == 400 and "error" in answer else f"{status} {body[:200]}"
    error = answer["responses"][0].get("error")
    if error is None:
        return "answered", None
    ok = error["code"] == 3 and error["message"]
    return f"code {error['code']}", None if ok else f"{error}"


def over_http(name, port, server, paths, call, judge):
    """Sends every file, CLIENTS at once."""
    tally, begin = Tally(name), time.monotonic()

    def one(path):
        data, start = path.read_bytes(), time.monotonic()
        try:
            return path, *judge(*call(port, data)), time.monotonic() - start
        except (OSError, ValueError, KeyError, http.client.HTTPException) as e:
            return path, "no answer", repr(e), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for path, answer, fault, seconds in pool.map(one, paths):
            tally.add(path, answer, seconds, fault)
    if not server.alive():
        tally.faults.append(f"{name}: the server died")
    tally.report(time.monotonic() - begin, server.peak())
    return tally.faults


def over_command_line(paths):
    """One `trilobite label --json` over all files. Its lines come in the files' order, so
    a file's time is known as the wait for its line."""
    tally, begin = Tally("trilobite label"), time.monotonic()
    cli = subprocess.Popen([PROGRAM, "label", "--json", *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peak, last = 0, None
    for path, line in zip(paths, cli.stdout):
        now = time.monotonic()
        seconds, last = now - (last or now), now
        answer = json.loads(line)
        peak = max(peak, peak_rss(cli.pid)) if cli.poll() is None else peak
        wrong = answer["file"] != str(path) or ("error" not in answer and not answer.get("width"))
        tally.add(path, "refused" if "error" in answer else "answered", seconds, f"{line[:200]}" if wrong else None)
    err = cli.stderr.read().decode()
    status = cli.wait()
    if status != 1 or "panic" in err:
        tally.faults.append(f"trilobite label: exit {status}, want 1 for some bad files: {err[-500:]}")
    if sum(tally.answers.values()) != len(paths):
        tally.faults.append(f"trilobite label: {sum(tally.answers.values())} lines for {len(paths)} files")
    tally.report(time.monotonic() - begin, peak)
    if peak > 1000:
        tally.faults.append(f"trilobite label: peak of {peak:.0f} MB")
    return tally.faults


def run(server, data):
    paths = sorted(p for p in data.rglob("*") if p.is_file())
    faults = over_command_line(paths)
    faults += over_http("Rekognition DetectLabels", server.port, server, paths, rekognition, judge_rekognition)
    faults += over_http("Vision images:annotate", server.port, server, paths, vision, judge_vision)
    return faults
