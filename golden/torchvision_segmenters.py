"""Logits of torchvision's segmentation networks, for package nn.

Writes nn/testdata/NAME.npz: weights by formula (formula.py), a 64x64 input, every fourth
logit of each row and column for 5 classes.
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

with torch.no_grad():
    for name in ("deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large"):
        net = getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None, num_classes=5).eval()
        net.load_state_dict({k: v if "num_batches" in k else weights(k, tuple(v.shape)) for k, v in net.state_dict().items()})
        logits = net(torch.from_numpy(noise(3 * SIZE * SIZE, 1).reshape(1, 3, SIZE, SIZE)))["out"].numpy()[0]
        print(name, sum(p.numel() for p in net.parameters()), "parameters, logits", logits.min(), logits.max(), logits.std())
        np.savez_compressed(out / f"{name}.npz", logits=np.ascontiguousarray(logits[:, ::4, ::4]))
