"""What `trilobite export` writes, read by other programs: ONNX Runtime's Python and torchvision."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="make acceptance-frameworks installs it")
torchvision = pytest.importorskip("torchvision", reason="make acceptance-frameworks installs it")
onnxruntime = pytest.importorskip("onnxruntime", reason="make acceptance-frameworks installs it")
Image = pytest.importorskip("PIL.Image", reason="make acceptance-frameworks installs it")
safetensors = pytest.importorskip("safetensors.torch", reason="make acceptance-frameworks installs it")

from frameworks import Store  # noqa: E402
from test_import_torch import lively  # noqa: E402


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(2)
    return lively(torchvision.models.resnet50(weights=None), seed=2)


@pytest.fixture(scope="module")
def store(net, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    path = store.path / "resnet50.pth"
    torch.save(net.state_dict(), path)
    store.run("models", "import", path, "--name", "net", "--labels", "imagenet")
    return store


@pytest.fixture(scope="module")
def photo():
    r = np.random.default_rng(3)
    y, x = np.mgrid[:360, :480]
    waves = [120 + 80 * np.sin(x / (20 + 5 * c)) * np.cos(y / (15 + 3 * c)) for c in range(3)]
    return np.clip(np.stack(waves, 2) + r.normal(0, 8, (360, 480, 3)), 0, 255).astype(np.uint8)


def answer(net, x):
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()


def test_onnx(net, store, tmp_path):
    store.run("export", "net", "-o", tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    x = np.random.default_rng(4).normal(size=(2, 3, 224, 224)).astype(np.float32)
    want = answer(net, x)
    got = session.run(None, {session.get_inputs()[0].name: x})[0]
    assert np.abs(got - want).max() < 1e-4 * max(1, np.abs(want).max())
    about = session.get_modelmeta().custom_metadata_map
    assert about["trilobite.task"] == "classify" and len(json.loads(about["trilobite.labels"])) == 1000
    assert json.loads(about["trilobite.preprocessing"])["width"] == 224


def test_preprocessing_inside(net, store, photo, tmp_path):
    """A photograph of any size goes in; the answer is that of torchvision's own preparation, to what a resize may differ."""
    store.run("export", "net", "-o", tmp_path / "whole.onnx", "--preprocessing")
    session = onnxruntime.InferenceSession(tmp_path / "whole.onnx")
    assert [(i.name, i.type) for i in session.get_inputs()] == [("image", "tensor(uint8)")]
    t = torchvision.transforms.Compose([
        torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224), torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    want = answer(net, t(Image.fromarray(photo))[None].numpy())[0]
    got = session.run(None, {"image": photo[None]})[0][0]
    assert np.corrcoef(got, want)[0, 1] > 0.999


def test_safetensors(net, store, tmp_path):
    store.run("export", "net", "-o", tmp_path / "net.safetensors")
    again = torchvision.models.resnet50(weights=None).eval()
    again.load_state_dict(safetensors.load_file(tmp_path / "net.safetensors"))
    x = np.random.default_rng(5).normal(size=(2, 3, 224, 224)).astype(np.float32)
    want = answer(net, x)
    assert np.abs(answer(again, x) - want).max() < 1e-4 * max(1, np.abs(want).max())


def test_int8(tmp_path):
    """The pinned classifier in integers: Python's ONNX Runtime gives the classes that floats give."""
    from photos import DATA, need

    from serving import models_folder

    photos = need(DATA / "imagenet200")
    store = Store(models_folder().parent)
    said = json.loads(store.run("export", "efficientnet-lite0", "-o", tmp_path / "small.onnx", "--int8", "--calibration", photos, "--json"))
    before, after = said["int8"]["accuracy"]
    assert after >= before - 0.01, said
    session = onnxruntime.InferenceSession(tmp_path / "small.onnx")
    assert (tmp_path / "small.onnx").stat().st_size < 8e6
    x = np.zeros((1, 3, 224, 224), np.float32)
    assert np.isfinite(session.run(None, {session.get_inputs()[0].name: x})[0]).all()


def test_refusals(store, tmp_path):
    for args, says in (
        (["-o", tmp_path / "net.pb"], ".onnx or .safetensors"),
        (["-o", tmp_path / "net.onnx", "--int8"], "--calibration"),
        (["-o", tmp_path / "net.safetensors", "--preprocessing"], "weights alone"),
    ):
        assert says in store.run("export", "net", *args, ok=False)
