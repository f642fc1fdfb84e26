"""Models of TensorFlow, converted by tf2onnx, come in, answer as TensorFlow does, and are trained further."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime", reason="make acceptance-frameworks installs it")
if not importlib.util.find_spec("tf2onnx"):
    pytest.skip("make acceptance-frameworks installs tf2onnx", allow_module_level=True)

from frameworks import Store, blocks  # noqa: E402


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of files of tensorflow_models.py."""
    folder = tmp_path_factory.mktemp("tensorflow")
    subprocess.run([sys.executable, Path(__file__).parent / "tensorflow_models.py", folder], check=True, capture_output=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.mark.parametrize(("name", "task"), [("unet", "segment"), ("mobilenet", "classify"), ("function", "segment")])
def test_answers_as_tensorflow(made, store, name, task):
    classes = made / "classes.txt"
    classes.write_text("".join(f"class {i}\n" for i in range(5)))
    labels = ["--labels", classes] if name == "function" else []  # whose answer does not tell how many there are
    said = json.loads(store.run("models", "import", made / f"{name}.onnx", "--name", name, "--json", *labels))
    assert "channels last, turned to channels first" in said["input"] and said["task"] == task
    known = np.load(made / f"{name}.npz")
    session = onnxruntime.InferenceSession(store.graph(said["model"]))
    x = known["x"].transpose(0, 3, 1, 2).astype(np.float32)
    got = session.run(None, {session.get_inputs()[0].name: np.concatenate([x, x])})[0][1:]
    want = known["y"]
    if name == "unet":
        want = want.transpose(0, 3, 1, 2)
    if name == "function":
        assert len(np.unique(want)) > 1 and (got == want).mean() >= 0.999
    else:
        assert np.abs(got - want).max() < 1e-4 * max(1, np.abs(want).max())


def test_is_trained_further(made, store, tmp_path):
    pictures = blocks(tmp_path / "set", 8, 64, 64)
    said = store.run("train", pictures, "--name", "further", "--from", "unet", "--unfreeze", ".", "--epochs", 1)
    assert "further@1" in said
    said = store.run("train", pictures, "--name", "headed", "--backbone", "mobilenet", "--epochs", 1)
    assert "headed@1" in said
