"""State dicts of torchvision come in and go out with its logits."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="make acceptance-frameworks installs it")
torchvision = pytest.importorskip("torchvision", reason="make acceptance-frameworks installs it")
onnxruntime = pytest.importorskip("onnxruntime", reason="make acceptance-frameworks installs it")

from frameworks import Store  # noqa: E402


def lively(net, seed=1):
    """Random weights, with BatchNorms that have seen something."""
    torch.manual_seed(seed)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(m.weight, 0.5, 1.5)
            torch.nn.init.normal_(m.bias, 0, 0.1)
    return net.eval()


NETWORKS = {
    "resnet50": (lambda: torchvision.models.resnet50(weights=None), 224, "classify"),
    "mobilenet_v3_small": (lambda: torchvision.models.mobilenet_v3_small(weights=None, num_classes=17), 224, "classify"),
    "deeplabv3_resnet50": (lambda: torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=5, aux_loss=True), 128, "segment"),
    "deeplabv3_mobilenet_v3_large": (lambda: torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5), 128, "segment"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dict(tmp_path, name):
    build, size, task = NETWORKS[name]
    torch.manual_seed(1)
    net, store = lively(build()), Store(tmp_path / "home")
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    said = json.loads(store.run("models", "import", tmp_path / "weights.pth", "--name", "net", "--size", f"{size}x{size}", "--json"))
    assert (said["network"], said["task"]) == (name, task)
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        want = net(x)
    want = (want["out"] if task == "segment" else want).numpy()
    session = onnxruntime.InferenceSession(store.graph(said["model"]))
    got = session.run(None, {"input": x.numpy()})[0]
    assert np.abs(got - want).max() < 1e-4 * max(1, np.abs(want).max())
