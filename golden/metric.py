"""Figures of classification and segmentation by torchmetrics, for package metric.

Writes metric/testdata/metric.npz. Seed 5. Versions: torchmetrics 1.9.0, torch 2.15.0,
numpy 2.4.6.
"""
import pathlib, warnings
import numpy as np, torch
import torchmetrics.functional as F
import torchmetrics.functional.classification as C
from torchmetrics.functional.segmentation import dice_score

warnings.simplefilter("ignore")
rng = np.random.default_rng(5)
out = pathlib.Path(__file__).parent.parent / "metric" / "testdata"
a = {}
T = lambda x: torch.from_numpy(np.ascontiguousarray(x)).long()


def masks(name, classes, n, noise, ignore, absent=()):
    """Two masks of n pixels; classes in absent appear in neither."""
    have = np.array([c for c in range(classes) if c not in absent])
    truth = rng.choice(have, n)
    pred = np.where(rng.random(n) < noise, rng.choice(have, n), truth)
    if ignore >= 0:
        truth[rng.random(n) < 0.15] = ignore
    kw = dict(num_classes=classes, ignore_index=ignore if ignore >= 0 else None)
    t, p = T(truth), T(pred)
    a[name + "_truth"], a[name + "_pred"] = truth.astype(np.uint8), pred.astype(np.uint8)
    a[name + "_ignore"] = np.array([ignore], np.int64)
    a[name + "_confusion"] = C.multiclass_confusion_matrix(p, t, **kw).numpy()
    a[name + "_iou"] = C.multiclass_jaccard_index(p, t, average="none", **kw).numpy()
    a[name + "_precision"] = C.multiclass_precision(p, t, average="none", **kw).numpy()
    a[name + "_recall"] = C.multiclass_recall(p, t, average="none", **kw).numpy()
    a[name + "_f1"] = C.multiclass_f1_score(p, t, average="none", **kw).numpy()
    keep = t != ignore
    a[name + "_dice"] = dice_score(p[keep][None], t[keep][None], classes, average="none", input_format="index", aggregation_level="global").numpy().ravel()
    a[name + "_means"] = np.array([
        C.multiclass_jaccard_index(p, t, average="macro", **kw), C.multiclass_accuracy(p, t, average="micro", **kw),
        C.multiclass_f1_score(p, t, average="macro", **kw)], np.float64)
    print(name, a[name + "_means"])


masks("plain", 4, 900, 0.4, -1)
masks("ignore_outside", 11, 900, 0.3, 255)
masks("ignore_inside", 5, 900, 0.3, 2, absent=(2,))
masks("absent", 6, 700, 0.5, -1, absent=(1, 4))
masks("perfect", 3, 200, 0.0, -1)


def curve(name, scores, positive):
    s, p = torch.from_numpy(scores), T(positive)
    precision, recall, threshold = C.binary_precision_recall_curve(s, p)
    a[name + "_scores"], a[name + "_positive"] = scores, positive.astype(np.uint8)
    # From the highest threshold down, without the end point.
    a[name + "_precision"], a[name + "_recall"] = precision.numpy()[:-1][::-1].copy(), recall.numpy()[:-1][::-1].copy()
    a[name + "_threshold"] = threshold.numpy()[::-1].copy()
    ap = C.binary_average_precision(s, p)
    a[name + "_ap"] = np.array([0.0 if torch.isnan(ap) else float(ap)])
    print(name, a[name + "_ap"])


s = rng.random(300)
curve("curve_distinct", s, rng.random(300) < s)
s = np.round(rng.random(300), 1)
curve("curve_ties", s, rng.random(300) < s)
curve("curve_all_positive", rng.random(40), np.ones(40, bool))
curve("curve_no_positive", rng.random(40), np.zeros(40, bool))
curve("curve_one_score", np.full(30, 0.5), rng.random(30) < 0.5)


def calibration(name, probs, target, bins):
    e = C.multiclass_calibration_error(torch.from_numpy(probs), T(target), num_classes=probs.shape[1], n_bins=bins, norm="l1")
    a[name + "_confidence"] = probs.max(1)
    a[name + "_right"] = (probs.argmax(1) == target).astype(np.uint8)
    a[name + "_ece"] = np.array([bins, float(e)], np.float64)
    print(name, float(e))


p = rng.dirichlet([0.3] * 5, 800).astype(np.float32)
calibration("ece_15", p, rng.integers(0, 5, 800), 15)
calibration("ece_10", p, np.where(rng.random(800) < 0.6, p.argmax(1), rng.integers(0, 5, 800)), 10)
q = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 200)]
calibration("ece_certain", q, rng.integers(0, 3, 200), 15)
q = np.repeat(np.array([[0.5, 0.25, 0.25], [0.75, 0.25, 0.0], [0.4, 0.3, 0.3]], np.float32), 50, 0)
calibration("ece_on_edges", q, rng.integers(0, 3, 150), 4)

v = np.sort(rng.normal(size=97))
a["quantile_values"], a["quantile_at"] = v, np.array([0, 0.025, 0.31, 0.5, 0.975, 1])
a["quantile_want"] = np.quantile(v, a["quantile_at"])


def multilabel(name, scores, target):
    """Scores and 0 or 1 of (samples, classes); at a threshold of 0.5. A class that no sample
    bears has no AP and is left out of the mean."""
    s, t, n = torch.from_numpy(scores), T(target), scores.shape[1]
    a[name + "_answers"], a[name + "_target"] = scores, target.astype(np.uint8)
    kw = dict(num_labels=n, threshold=0.5, average="none")
    a[name + "_ap"] = np.nan_to_num(C.multilabel_average_precision(s, t, num_labels=n, average="none").numpy())
    a[name + "_precision"] = C.multilabel_precision(s, t, **kw).numpy()
    a[name + "_recall"] = C.multilabel_recall(s, t, **kw).numpy()
    a[name + "_f1"] = C.multilabel_f1_score(s, t, **kw).numpy()
    borne = target.any(0)
    a[name + "_means"] = np.array([a[name + "_ap"][borne].mean(), a[name + "_f1"][borne].mean()], np.float64)
    print(name, a[name + "_means"])


s = np.round(rng.random((60, 5)), 2).astype(np.float32)
multilabel("multilabel_some", s, rng.random((60, 5)) < s)
t = rng.random((40, 4)) < 0.3
t[:, 2] = False
multilabel("multilabel_one_unseen", rng.random((40, 4)).astype(np.float32), t)
np.savez_compressed(out / "metric.npz", **a)
print((out / "metric.npz").stat().st_size, "bytes")
