"""torchvision's generalised IoU loss and its derivative, and box_iou, for package loss.

Writes loss/testdata/iou.npz: x and target (2, 8, 4), the loss of each pair, its derivative
by x, and the IoU of each pair.  Pairs overlap, touch, lie apart, contain each other, are
equal, and have no area.
Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6.
"""
import pathlib

import numpy as np
import torch
from torchvision.ops import box_iou, generalized_box_iou_loss

from formula import noise

x = [[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [2, 2, 5, 5], [0, 0, 8, 8], [3, 3, 3, 3], [1, 1, 1, 9], [-5, 2, 7, 90.5]]
t = [[5, 5, 15, 15], [10, 0, 20, 10], [30, 40, 50, 60], [0, 0, 10, 10], [0, 0, 8.5, 8], [0, 0, 10, 10], [4, 1, 8, 3], [1.5, 3, 6, 50]]
corner, size = noise(16, 1).reshape(8, 2) * 10, noise(16, 2).reshape(8, 2) * 8 + 9
near = np.concatenate([corner, corner + size], 1)
x = torch.tensor(np.stack([np.array(x, np.float32), near]), requires_grad=True)
t = torch.tensor(np.stack([np.array(t, np.float32), near + noise(32, 3).reshape(8, 4) * 2]), dtype=torch.float32)
losses = generalized_box_iou_loss(x, t, reduction="none")
(losses * torch.arange(1, 17).reshape(2, 8)).sum().backward()
iou = torch.stack([torch.stack([box_iou(a[None], b[None])[0, 0] for a, b in zip(p, q)]) for p, q in zip(x, t)])
print(losses, iou, x.grad)
out = pathlib.Path(__file__).parent.parent / "loss" / "testdata"
np.savez_compressed(out / "iou.npz", x=x.detach().numpy(), target=t.numpy(), loss=losses.detach().numpy(),
                    grad=x.grad.numpy(), iou=iou.detach().numpy())
