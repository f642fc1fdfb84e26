"""Transfer learning beside PyTorch: decode to trained model, in turns, in one run.

`trilobite train` on hymenoptera and pizza_steak_sushi against peer.py, --rounds each,
medians.  Bars: at most half of PyTorch's time; accuracy on the test part 0.95 and 0.92.
Ours is the training's own time, as the peer's: from the first picture decoded to the
trained layer.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("TRILOBITE_DATA", ROOT.parent / "shared" / "data"))
BARS = {"hymenoptera": 0.95, "pizza_steak_sushi": 0.92}


def ours(data, home, threads):
    command = [ROOT / "bin" / "trilobite", "train", data, "--name", "bench", "--json", "--home", home,
               "--packages", ROOT / ".deps", "--ort-threads", str(threads)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    subprocess.run([ROOT / "bin" / "trilobite", "models", "rm", "bench", "--home", home], check=True, stdout=subprocess.DEVNULL)
    end = json.loads(out[-1])
    return {"seconds": end["seconds"], "accuracy": end["test"]["figures"]["accuracy"]}


def peer(data, threads):
    command = [sys.executable, pathlib.Path(__file__).with_name("peer.py"), data, "--threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--threads", type=int, default=os.cpu_count())
    args.add_argument("--alone", action="store_true", help="without the peer: accuracy alone")
    args = args.parse_args()
    if not DATA.is_dir():
        print("no reference data (TRILOBITE_DATA): skipped")
        return 0
    failed = 0
    for name, bar in BARS.items():
        a, b = [], []
        with tempfile.TemporaryDirectory() as home:
            for _ in range(args.rounds):
                a.append(ours(DATA / name, home, args.threads))
                if not args.alone:
                    b.append(peer(DATA / name, args.threads))
        accuracy = min(r["accuracy"] for r in a)
        seconds = statistics.median(r["seconds"] for r in a)
        ok = accuracy >= bar
        line = f"{name}: accuracy {accuracy:.4f} (bar {bar}) {'ok' if ok else 'TOO LOW'}, {seconds:.2f} s"
        if b:
            theirs = statistics.median(r["seconds"] for r in b)
            ok &= seconds <= theirs / 2
            line += f"; PyTorch {b[0]['accuracy']:.4f}, {theirs:.2f} s: {seconds / theirs:.2f} of it (bar 0.5) {'ok' if seconds <= theirs / 2 else 'TOO SLOW'}"
        failed += not ok
        print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
