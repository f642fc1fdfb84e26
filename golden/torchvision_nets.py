"""Logits and feature maps of torchvision's classification networks, for package nn.

Writes nn/testdata/NAME.npz: weights by formula (formula.py), a 64x64 input, logits and
for strides 4 to 32 the feature map's shape and per-channel means.
Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6.
"""
import pathlib
import numpy as np
import torch
import torchvision

from formula import noise, weights

torch.set_num_threads(2)
out = pathlib.Path(__file__).parent.parent / "nn" / "testdata"
SIZE = 64
# The modules whose outputs are the last feature maps of strides 4, 8, 16 and 32.
RESNET = ["layer1", "layer2", "layer3", "layer4"]
NETWORKS = {
    "resnet18": RESNET,
    "resnet34": RESNET,
    "resnet50": RESNET,
    "resnet101": RESNET,
    "mobilenet_v2": ["features.3", "features.6", "features.13", "features.17"],
    "mobilenet_v3_small": ["features.1", "features.3", "features.8", "features.11"],
    "mobilenet_v3_large": ["features.3", "features.6", "features.12", "features.15"],
}

with torch.no_grad():
    for name, modules in NETWORKS.items():
        net = torchvision.models.get_model(name, weights=None).eval()
        net.load_state_dict({k: v if "num_batches" in k else weights(k, tuple(v.shape)) for k, v in net.state_dict().items()})
        maps = {}
        for i, module in enumerate(modules):
            net.get_submodule(module).register_forward_hook(lambda _m, _x, y, i=i: maps.update({i: y.clone()}))
        logits = net(torch.from_numpy(noise(3 * SIZE * SIZE, 1).reshape(1, 3, SIZE, SIZE))).numpy()[0]
        taps = {f"stride{4 << i}": maps[i].mean((2, 3)).numpy()[0] for i in range(4)}
        shapes = {f"shape{4 << i}": np.array(maps[i].shape[1:]) for i in range(4)}
        print(name, sum(p.numel() for p in net.parameters()), "parameters, logits", logits.min(), logits.max(), logits.std())
        np.savez_compressed(out / f"{name}.npz", logits=logits, **taps, **shapes)
