"""Twenty steps of a small network: train/testdata/training.npz.

A convolution, a BatchNorm in training mode, ReLU, a global pool and a linear layer learn
16 pictures of 3 classes, all of them in every step, by AdamW with a cosine schedule.
Written with torch 2.15.0 and numpy 2; the seed is below.
"""
import pathlib

import numpy as np
import torch
from torch import nn

torch.manual_seed(11)
net = nn.Sequential()
net.add_module("conv", nn.Conv2d(3, 6, 3, padding=1, bias=False))
net.add_module("norm", nn.BatchNorm2d(6))
net.add_module("relu", nn.ReLU())
net.add_module("pool", nn.AdaptiveAvgPool2d(1))
net.add_module("flat", nn.Flatten())
net.add_module("fc", nn.Linear(6, 3))
images = torch.randn(16, 3, 8, 8)
classes = torch.arange(16) % 3
out = {"images": images.numpy(), "classes": classes.numpy()}
for name, t in net.state_dict().items():
    if "num_batches" not in name:
        out["before." + name] = t.numpy().copy()

optimizer = torch.optim.AdamW(net.parameters(), lr=5e-2, weight_decay=1e-2)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
losses = []
for _ in range(20):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(images), classes)
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
out["losses"] = np.array(losses, np.float64)
for name, t in net.state_dict().items():
    if "num_batches" not in name:
        out["after." + name] = t.numpy().copy()
out["versions"] = np.array([f"torch {torch.__version__}", f"numpy {np.__version__}"])
path = pathlib.Path(__file__).parent.parent / "train/testdata/training.npz"
path.parent.mkdir(parents=True, exist_ok=True)
np.savez_compressed(path, **out)
print(path, path.stat().st_size, losses[0], losses[-1])
