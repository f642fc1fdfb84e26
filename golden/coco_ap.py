"""COCO box AP of random scenes by pycocotools, for package metric.

Writes metric/testdata/coco_ap.npz: for each scene "NAME_truth" (image, class, x, y, w,
h, area, crowd), "NAME_pred" (image, class, x, y, w, h, score), "NAME_stats", the twelve
figures, and "NAME_class", AP by class. Versions: pycocotools 2.0.11, numpy 2.4.6.
"""
import contextlib, io, pathlib
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

out = pathlib.Path(__file__).parent.parent / "metric" / "testdata"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(11)


def scene(images, classes, objects, integers, noise, extra, crowd=0.1, scores=2, empty=()):
    truth, pred = [], []
    r = (lambda v: np.round(v)) if integers else (lambda v: np.round(v, 3))
    for i in range(images):
        for _ in range(rng.integers(0, objects + 1)):
            c = rng.integers(classes)
            if c in empty:
                continue
            w, h = r(np.exp(rng.uniform(1, 5.5, 2)))
            x, y = r(rng.uniform(0, 400, 2))
            area = r(w * h * rng.uniform(0.4, 1)) if rng.random() < 0.7 else w * h
            is_crowd = rng.random() < crowd
            truth.append((i, c, x, y, w, h, area, is_crowd))
            for _ in range(rng.integers(0, 4)):  # several, or none, near each object
                d = r(rng.normal(0, noise, 4) * (w, h, w, h))
                pred.append((i, c if rng.random() < 0.9 else rng.integers(classes),
                             x + d[0], y + d[1], max(w + d[2], 1), max(h + d[3], 1), np.round(rng.random(), scores)))
        for _ in range(rng.integers(0, extra + 1)):
            x, y, w, h = r(rng.uniform(1, 300, 4))
            pred.append((i, rng.integers(classes), x, y, w, h, np.round(rng.random(), scores)))
    pred = [pred[k] for k in rng.permutation(len(pred))]
    return np.array(truth, float).reshape(-1, 8), np.array(pred, float).reshape(-1, 7)


def evaluate(images, classes, truth, pred):
    gt = COCO()
    gt.dataset = {
        "images": [{"id": i} for i in range(images)],
        "categories": [{"id": c, "name": str(c)} for c in range(classes)],
        "annotations": [{"id": k + 1, "image_id": int(t[0]), "category_id": int(t[1]), "bbox": list(map(float, t[2:6])),
                         "area": float(t[6]), "iscrowd": int(t[7])} for k, t in enumerate(truth)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        gt.createIndex()
        dt = gt.loadRes([{"image_id": int(p[0]), "category_id": int(p[1]), "bbox": list(map(float, p[2:6])), "score": float(p[6])} for p in pred])
        e = COCOeval(gt, dt, "bbox")
        e.evaluate(); e.accumulate(); e.summarize()
    p = e.eval["precision"][:, :, :, 0, 2]
    by_class = np.array([p[:, :, c].mean() if (p[:, :, c] > -1).any() else -1 for c in range(classes)])
    return e.stats, by_class


SCENES = {
    "plain": dict(images=12, classes=4, objects=8, integers=False, noise=0.08, extra=3),
    "ties": dict(images=10, classes=3, objects=8, integers=True, noise=0.1, extra=4, scores=1),
    "crowds": dict(images=10, classes=2, objects=9, integers=True, noise=0.15, extra=5, crowd=0.5),
    "empty_classes": dict(images=10, classes=8, objects=5, integers=False, noise=0.1, extra=5, empty=(0, 3, 7)),
    "over_100": dict(images=2, classes=1, objects=60, integers=True, noise=0.2, extra=90),
    "sharp": dict(images=10, classes=3, objects=8, integers=True, noise=0.02, extra=1),
    "sparse": dict(images=20, classes=6, objects=1, integers=True, noise=0.05, extra=1),
}
arrays = {}
for name, s in SCENES.items():
    truth, pred = scene(**s)
    stats, by_class = evaluate(s["images"], s["classes"], truth, pred)
    print(name, len(truth), len(pred), np.round(stats, 3))
    arrays |= {f"{name}_truth": truth, f"{name}_pred": pred, f"{name}_stats": stats, f"{name}_class": by_class}
# Every prediction is the object itself: figures of exactly 1, sizes that are absent -1.
truth = np.array([[0, 0, 10, 10, 20, 20, 400, 0], [1, 0, 5, 5, 30, 10, 300, 0]], float)
pred = np.concatenate([truth[:, :6], [[0.5], [0.5]]], 1)
stats, by_class = evaluate(2, 1, truth, pred)
arrays |= {"perfect_truth": truth, "perfect_pred": pred, "perfect_stats": stats, "perfect_class": by_class}
# IoU on the thresholds themselves, exactly: a square of 20 against parts of it.
truth = np.array([[i, 0, 0, 0, 20, 20, 400, 0] for i in range(10)], float)
pred = np.array([[i, 0, 0, 0, 20, 10 + i, 0.9 - i / 100] for i in range(10)], float)
stats, by_class = evaluate(10, 1, truth, pred)
arrays |= {"thresholds_truth": truth, "thresholds_pred": pred, "thresholds_stats": stats, "thresholds_class": by_class}
np.savez_compressed(out / "coco_ap.npz", **arrays)
