"""Logits and feature maps of EfficientNet-Lite by its PyTorch reference, for package nn.

Writes nn/testdata/efficientnet_lite{0,1,2}.npz, made with weights by formula (weights()
of formula.py), and efficientnet_lite0_imagenet.npz,
with the published weights on a seeded input and on a crop of chelsea.png.
Versions: torch 2.15.0, numpy 2.4.6, pillow 13.0.0, efficientnet-lite-pytorch 0.1.0.
Needs make build for .deps.
"""
import pathlib
import numpy as np
import torch
from PIL import Image
from efficientnet_lite_pytorch import EfficientNet

from formula import noise, weights

torch.set_num_threads(2)
root = pathlib.Path(__file__).parent.parent
out = root / "nn" / "testdata"
SIZES = [224, 240, 260]


def features(net, x):
    """The last feature map of strides 4, 8, 16, 32, each as its per-channel mean."""
    found = {}  # the reference has no taps: run the blocks one by one
    x = net._swish(net._bn0(net._conv_stem(x)))
    size = x.shape[-1]
    for block in net._blocks:
        y = block(x)
        if y.shape[-1] != size:
            found[size] = x
            size = y.shape[-1]
        x = y
    found[size] = x
    maps = [found[k] for k in sorted(found, reverse=True)][1:]
    return {f"stride{4 << i}": m.mean((2, 3)).numpy()[0] for i, m in enumerate(maps)} | {
        f"shape{4 << i}": np.array(m.shape[1:]) for i, m in enumerate(maps)}


with torch.no_grad():
    for i, size in enumerate(SIZES):
        net = EfficientNet.from_name(f"efficientnet-lite{i}").eval()
        net.load_state_dict({k: v if "num_batches" in k else weights(k, tuple(v.shape)) for k, v in net.state_dict().items()})
        x = torch.from_numpy(noise(3 * size * size, 1).reshape(1, 3, size, size))
        logits = net(x).numpy()[0]
        print(f"lite{i}", sum(p.numel() for p in net.parameters()), "parameters, logits", logits.min(), logits.max(), logits.std())
        np.savez_compressed(out / f"efficientnet_lite{i}.npz", logits=logits, **features(net, x))

    net = EfficientNet.from_name("efficientnet-lite0").eval()
    net.load_state_dict(torch.load(root / ".deps/efficientnet-lite0/efficientnet-lite0-57934424.pth"))
    x = torch.from_numpy(noise(3 * 224 * 224, 1).reshape(1, 3, 224, 224))
    photo = np.asarray(Image.open(root / ".deps/samples/chelsea.png").convert("RGB"))[38:262, 113:337]
    cat = torch.from_numpy((photo.astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    got = net(cat).numpy()[0]
    print("chelsea: classes", np.argsort(-got)[:5])
    np.savez_compressed(out / "efficientnet_lite0_imagenet.npz", noise=net(x).numpy()[0], chelsea=got)
