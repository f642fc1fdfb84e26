"""Intervals and paired tests by scipy, for package metric.

Writes metric/testdata/paired.json. Seed 11. Versions: scipy, numpy (written into the file).
"""
import json, pathlib
import numpy as np, scipy, sklearn
from scipy import stats

rng = np.random.default_rng(11)
out = pathlib.Path(__file__).parent.parent / "metric" / "testdata"
g = {"scipy": scipy.__version__, "numpy": np.__version__, "scikit-learn": sklearn.__version__, "seed": 11}

g["mcnemar"] = [{"a": a, "b": b, "p": stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0}
                for a, b in [(0, 0), (1, 0), (0, 5), (5, 5), (3, 12), (12, 3), (40, 21), (200, 260)]]

g["share"] = []
for k, n in [(0, 1), (1, 1), (0, 39), (39, 39), (37, 39), (13, 39), (900, 1000)]:
    ci = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    g["share"].append({"k": k, "n": n, "low": ci.low, "high": ci.high})

# Paired samples: the difference of means. Up to 12 samples scipy tries every assignment.
g["permutation"] = []
for n in (5, 9, 12):
    a, b = rng.integers(0, 5, n).astype(float), rng.integers(0, 5, n).astype(float)
    p = stats.permutation_test((a, b), lambda x, y, axis=-1: np.mean(x, axis=axis) - np.mean(y, axis=axis),
                               permutation_type="samples", vectorized=True, n_resamples=np.inf).pvalue
    g["permutation"].append({"a": a.tolist(), "b": b.tolist(), "p": p})
n = 40
a = (rng.random(n) < 0.8).astype(float)
b = np.where(rng.random(n) < 0.3, (rng.random(n) < 0.5), a).astype(float)
p = stats.permutation_test((a, b), lambda x, y, axis=-1: np.mean(x, axis=axis) - np.mean(y, axis=axis),
                           permutation_type="samples", vectorized=True, n_resamples=200000, rng=3).pvalue
g["permutation_drawn"] = {"a": a.tolist(), "b": b.tolist(), "p": p}  # drawn: equal within 0.02

# Percentile bootstrap of a mean, a ratio of sums and an F1 of pairs, 100000 rounds.
truth, said = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
said = np.where(rng.random(60) < 0.7, truth, said)
from sklearn.metrics import f1_score
def macro(t, s): return f1_score(t, s, average="macro")
x = rng.random(50) ** 2
ci = stats.bootstrap((x,), np.mean, n_resamples=100000, method="percentile", rng=5).confidence_interval
g["bootstrap_mean"] = {"x": x.tolist(), "low": ci.low, "high": ci.high}
ci = stats.bootstrap((truth, said), macro, paired=True, vectorized=False, n_resamples=5000, method="percentile", rng=5).confidence_interval
g["bootstrap_f1"] = {"truth": truth.tolist(), "said": said.tolist(), "f1": macro(truth, said), "low": ci.low, "high": ci.high}

(out / "paired.json").write_text(json.dumps(g, indent=1) + "\n")
