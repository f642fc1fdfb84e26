"""Training a detector beside PyTorch: bccd, from its pictures to a trained model.

`trilobite train` against peer.py with as many threads, one after the other; pycocotools
judges the boxes of both on the validation part.  Bars: AP50 0.88, AP 0.57, at most half of
PyTorch's time.  Ours is the training's own time: pictures decoded, features computed,
trained, evaluated; the peer decodes before its clock starts and evaluates after it.
"""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("TRILOBITE_DATA", ROOT.parent / "shared" / "data")) / "bccd"


def judge(truth, found):
    """Returns AP and AP50 of COCO's annotations."""
    with contextlib.redirect_stdout(sys.stderr):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        e = COCOeval(coco, coco.loadRes(found), "bbox")
        e.evaluate()
        e.accumulate()
        e.summarize()
    return e.stats[0], e.stats[1]


def ours(home, args):
    """Returns seconds, truth as COCO has it, boxes, and the pictures' names by number."""
    trilobite, places = ROOT / "bin" / "trilobite", ["--home", home, "--packages", ROOT / ".deps", "--ort-threads", str(args.threads)]
    command = [trilobite, "train", DATA, "--name", "bench", "--seed", str(args.seed), "--json", *places]
    if args.epochs:
        command += ["--epochs", str(args.epochs)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    end, dump = json.loads(out[-1]), pathlib.Path(home) / "dump.json"
    subprocess.run([trilobite, "eval", "bench", DATA, "--dump", dump, *places], check=True, stdout=subprocess.DEVNULL)
    boxes = json.loads(dump.read_text())
    return end, boxes["truth"], boxes["found"]


def peer(truth, args):
    """Returns the peer's line and its boxes with the numbers that truth has."""
    command = [sys.executable, pathlib.Path(__file__).with_name("peer.py"), DATA, "--threads", str(args.threads), "--seed", str(args.seed)]
    line = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    names = (DATA / "ImageSets" / "Main" / "val.txt").read_text().split()
    classes = sorted({b["class"] for b in line["found"]})
    assert len(classes) == len(truth["categories"]), classes
    found = [{"image_id": names.index(b["image"]), "category_id": classes.index(b["class"]), "bbox": b["bbox"], "score": b["score"]}
             for b in line["found"]]
    return line, found


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--threads", type=int, default=os.cpu_count())
    args.add_argument("--epochs", type=int, help="of ours, in place of the recipe's own")
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--alone", action="store_true", help="without the peer: accuracy alone")
    args = args.parse_args()
    if not DATA.is_dir():
        print("no reference data (TRILOBITE_DATA): skipped")
        return 0
    with tempfile.TemporaryDirectory() as home:
        end, truth, found = ours(home, args)
    ap, ap50 = judge(truth, found)
    ok = ap >= 0.57 and ap50 >= 0.88
    print(f"Trilobite: AP {ap:.4f} (bar 0.57), AP50 {ap50:.4f} (bar 0.88), {end['seconds']:.1f} s")
    if not args.alone:
        line, boxes = peer(truth, args)
        ap, ap50 = judge(truth, boxes)
        share = end["seconds"] / line["seconds"]
        ok &= share <= 0.5
        print(f"PyTorch {line['torch']}, {line['epochs']} epochs: AP {ap:.4f}, AP50 {ap50:.4f}, {line['seconds']:.1f} s; ours {share:.2f} of it (bar 0.5)")
    print("ok" if ok else "BARS NOT REACHED")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
