"""Figures of classifications by scikit-learn, for package compare.

Writes compare/testdata/classes.json. Seed 4. Class n of "said" is "no answer". Versions are
in the file.
"""
import json, pathlib
import numpy as np, sklearn
from sklearn import metrics

rng = np.random.default_rng(4)
out = pathlib.Path(__file__).parent.parent / "compare" / "testdata"
out.mkdir(parents=True, exist_ok=True)
g = {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "seed": 4}

n, images, least = 4, 60, 0.3
truth = rng.integers(0, n, images)
scores = rng.dirichlet(np.ones(n) * 0.5, images) * rng.uniform(0.3, 1, (images, 1))
scores[np.arange(images), truth] += rng.uniform(0, 0.5, images)
scores = np.round(np.clip(scores, 0, 1), 4)
said = np.where(scores.max(1) >= least, scores.argmax(1), n)
p, r, f, _ = metrics.precision_recall_fscore_support(truth, said, labels=range(n), average="macro", zero_division=0)
mAP = np.mean([metrics.average_precision_score(truth == k, scores[:, k]) for k in range(n)])
g["one"] = {"least": least, "truth": [[int(t)] for t in truth], "scores": scores.tolist(),
            "figures": [float(np.mean(said == truth)), p, r, f, mAP]}

several = rng.random((images, n)) < 0.3
scores = np.round(np.clip(rng.random((images, n)) * 0.6 + several * rng.random((images, n)) * 0.6, 0, 1), 4)
least = 0.5
p, r, f, _ = metrics.precision_recall_fscore_support(several, scores >= least, average="micro", zero_division=0)
mAP = metrics.average_precision_score(several, scores, average="macro")
g["several"] = {"least": least, "truth": [np.flatnonzero(row).tolist() for row in several], "scores": scores.tolist(),
                "figures": [mAP, p, r, f]}
(out / "classes.json").write_text(json.dumps(g) + "\n")
