"""Weights of models that were trained here, exported under PyTorch's names, are loaded in PyTorch and
answer as the exported ONNX file does: classifiers in their publishers' modules, segmentations and
detectors in those of docs/pytorch_networks.py."""

import json
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="make acceptance-frameworks installs it")
lite = pytest.importorskip("efficientnet_lite_pytorch", reason="make acceptance-frameworks installs it")
onnxruntime = pytest.importorskip("onnxruntime", reason="make acceptance-frameworks installs it")
Image = pytest.importorskip("PIL.Image", reason="make acceptance-frameworks installs it")
safetensors = pytest.importorskip("safetensors.torch", reason="make acceptance-frameworks installs it")

from frameworks import Store, blocks  # noqa: E402
from serving import ROOT  # noqa: E402

sys.path.append(str(ROOT / "docs"))
import pytorch_networks  # noqa: E402

CLASSES = 5


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return blocks(tmp_path_factory.mktemp("pictures") / "set", 10, 96, 96)


def equal(store, name, net, tmp_path):
    """Both files of a model give the same numbers on two pictures."""
    store.run("export", name, "-o", tmp_path / "net.safetensors")
    store.run("export", name, "-o", tmp_path / "net.onnx")
    net.load_state_dict(safetensors.load_file(tmp_path / "net.safetensors"))
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    first = session.get_inputs()[0]
    x = np.random.default_rng(1).normal(size=(2, *first.shape[1:])).astype(np.float32)
    with torch.no_grad():
        got = net.eval()(torch.from_numpy(x))
    want = session.run(None, {first.name: x})
    for a, b in zip(got if isinstance(got, tuple) else [got], want, strict=True):
        assert a.shape == b.shape and b.std() > 0
        assert np.abs(a.numpy() - b).max() < 2e-4 * max(1, np.abs(b).max())


@pytest.mark.parametrize(("network", "module"), [("deeplabv3plus", "DeepLabV3Plus"), ("unet", "UNet"), ("fpn", "SemanticFPN")])
def test_segmentation(store, pictures, tmp_path, network, module):
    store.run("train", pictures, "--name", network, "--network", network, "--epochs", 1)
    equal(store, network, getattr(pytorch_networks, module)(CLASSES), tmp_path)


def test_segmentation_with_deeper_layers(store, pictures, tmp_path):
    store.run("train", pictures, "--name", "deeper", "--unfreeze", 15, "--epochs", 1)
    equal(store, "deeper", pytorch_networks.DeepLabV3Plus(CLASSES), tmp_path)


def test_detector(store, pictures, tmp_path):
    """Boxes of the blocks."""
    images, objects = [], []
    for i, path in enumerate(sorted((pictures / "images").iterdir())):
        mask = np.array(Image.open(pictures / "masks" / path.name))
        images.append({"id": i, "file_name": path.name, "width": 96, "height": 96})
        for c in set(np.unique(mask)) - {0}:
            y, x = np.nonzero(mask == c)
            box = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]
            objects.append({"id": len(objects), "image_id": i, "category_id": int(c), "bbox": box, "area": box[2] * box[3], "iscrowd": 0})
    coco = pictures / "images" / "coco.json"
    coco.write_text(json.dumps({"images": images, "annotations": objects, "categories": [{"id": c, "name": f"block {c}"} for c in range(1, CLASSES)]}))
    store.run("train", coco, "--task", "detect", "--name", "boxes", "--epochs", 1)
    coco.unlink()
    equal(store, "boxes", pytorch_networks.FCOS(CLASSES - 1), tmp_path)


def test_classifier(store, tmp_path):
    """A new last layer, and one with deeper layers: the publisher's own module loads both."""
    for name in ("bright", "dark"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(6):
            Image.new("RGB", (64, 64), (20 * i + (120 if name == "bright" else 0),) * 3).save(tmp_path / "set" / name / f"{i}.png")
    for name, more in (("head", []), ("layers", ["--unfreeze", 15])):
        store.run("train", tmp_path / "set", "--name", name, "--epochs", 2, *more)
        equal(store, name, lite.EfficientNet.from_name("efficientnet-lite0", num_classes=2), tmp_path)


def test_without_the_run(store, pictures, tmp_path):
    """The weights lie in the training's folder; without it a classifier's come from its graph, and for others it is said."""
    said = store.run("train", pictures, "--name", "lost", "--epochs", 1, "--json").splitlines()
    run = json.loads(said[-1])["run"]
    (store.path / "runs" / run / "weights.safetensors").unlink()
    assert "weights.safetensors" in store.run("export", "lost", "-o", tmp_path / "lost.safetensors", ok=False)
