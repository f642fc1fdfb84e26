"""`trilobite grad` writes files that plain ONNX Runtime trains with: the program in
docs/training-graphs.md, as it stands there, and a gradient against differences."""

import json
import re
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from serving import BINARY, ROOT

MODEL = ROOT / "step" / "testdata" / "small.onnx"


def grad(*args, ok=True):
    run = subprocess.run([BINARY, "grad", *map(str, args)], capture_output=True, text=True)
    assert (run.returncode == 0) == ok, run.stderr
    return run.stdout if ok else run.stderr


@pytest.mark.smoke
def test_documented_program(tmp_path):
    step, first, last = tmp_path / "step.onnx", tmp_path / "step.npz", tmp_path / "last.npz"
    grad(MODEL, "-o", step, "--loss", "cross-entropy", "--optimizer", "adamw", "--initial", first)
    text = (ROOT / "docs" / "training-graphs.md").read_text()
    program = tmp_path / "train.py"
    program.write_text(re.search(r"```python\n(.*?)```", text, re.S).group(1))
    run = subprocess.run([sys.executable, program, step, first, last], capture_output=True, text=True, check=True)
    losses = [float(line.split()[1]) for line in run.stdout.splitlines()]
    assert len(losses) == 40 and losses[0] > 1 and losses[-1] < 0.05, losses
    trained = np.load(last)
    assert set(trained) == set(np.load(first)) and all(np.isfinite(trained[k]).all() for k in trained)


def test_gradient_file(tmp_path):
    path = tmp_path / "grad.onnx"
    said = json.loads(grad(MODEL, "-o", path, "--loss", "mse", "--bn", "frozen", "--trainable", "^9[.]", "--batch", 3, "--json"))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["input", "target", "9.weight", "9.bias"]
    assert [o.name for o in session.get_outputs()] == ["loss", "9.weight.grad", "9.bias.grad"]
    assert said["parameters"] == 2 and said["inputs"][0]["shape"] == [3, 3, 32, 32]
    rng = np.random.default_rng(1)
    feed = {i.name: rng.standard_normal(i.shape, dtype=np.float32) for i in session.get_inputs()}
    _, weight, bias = session.run(None, feed)
    for name, derivative in (("9.weight", weight), ("9.bias", bias)):
        ends = [session.run(["loss"], feed | {name: feed[name] + by * derivative})[0] for by in (0.25, -0.25)]
        # a quadratic loss changes along its gradient by exactly the gradient's square
        assert (ends[0] - ends[1]) / 0.5 == pytest.approx((derivative**2).sum(), rel=1e-3)


def test_refusals(tmp_path):
    out = tmp_path / "out.onnx"
    for args, says in (
        ([MODEL, "-o", MODEL, "--loss", "mse"], "is the model"),
        ([MODEL, "-o", out, "--loss", "huber"], "cross-entropy, bce"),
        ([MODEL, "-o", out, "--loss", "mse", "--trainable", "nothing"], "matches no initializer"),
        ([MODEL, "-o", tmp_path / "no" / "folder.onnx", "--loss", "mse"], "no such file or directory"),
    ):
        assert says in grad(*args, ok=False)
        assert not out.exists()
