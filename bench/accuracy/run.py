"""Accuracy of the default models on reference data, held to the bars.

Runs `bin/trilobite eval` on coco128 and imagenet200 under TRILOBITE_DATA (default
../shared/data) and judges the detector's boxes with pycocotools as well; the two
AP figures must agree to 1e-6.  Without the data it says so and passes.
"""
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
DATA = pathlib.Path(os.environ.get("TRILOBITE_DATA", ROOT.parent / "shared" / "data"))
BARS = {"coco-ssd AP on coco128": 0.337, "efficientnet-lite0 top-1 on imagenet200": 0.88,
        "efficientnet-lite0 top-5 on imagenet200": 0.975}


def evaluate(*args):
    out = subprocess.run([ROOT / "bin" / "trilobite", "eval", "--json", *map(str, args)],
                         check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def pycocotools(dump):
    """AP over all IoU thresholds of the dumped boxes, as pycocotools computes it."""
    both = json.loads(dump.read_text())
    with contextlib.redirect_stdout(sys.stderr):
        truth = COCO()
        truth.dataset = both["truth"]
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(both["found"]), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[0]


def main():
    if not DATA.is_dir():
        print("no reference data (TRILOBITE_DATA): evaluation skipped")
        return 0
    coco, imagenet = DATA / "coco128", DATA / "imagenet200"
    with tempfile.TemporaryDirectory() as folder:
        dump = pathlib.Path(folder) / "coco.json"
        detector = evaluate("coco-ssd", coco, "--labels", coco / "labels_yolo", "--classes",
                            coco / "classes_object_detection.yaml", "--dump", dump)
        judged = pycocotools(dump)
    classifier = evaluate("efficientnet-lite0", imagenet)
    figures = dict(zip(BARS, (detector["coco"]["ap"], classifier["top1"], classifier["top5"])))
    failed = 0
    for name, value in figures.items():
        ok = value >= BARS[name]
        failed += not ok
        print(f"{name}: {value:.4f} (bar {BARS[name]}) {'ok' if ok else 'TOO LOW'}")
    agree = abs(judged - detector["coco"]["ap"]) <= 1e-6
    failed += not agree
    print(f"pycocotools: {judged:.8f}, metric: {detector['coco']['ap']:.8f} {'equal' if agree else 'DIFFER'}")
    print(f"{4 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
