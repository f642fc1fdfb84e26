"""Soft Dice by PyTorch, and torchvision's complete IoU loss, with derivatives, for package loss.

Writes loss/testdata/dice.npz: each case NAME is NAME.x, NAME.target, NAME.loss and
NAME.grad; and ciou.npz: x and target (16, 4), per pair the loss ciou and 1 − IoU iou, and
the derivatives of their sums weighted by 1, 2, … 16, ciou_grad and iou_grad. Pairs overlap,
touch, lie apart, contain each other and are equal. The attributes are in loss/dice_test.go.
Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6. Seed 3.
"""
import pathlib

import numpy as np
import torch
from torchvision.ops import complete_box_iou_loss

gen = torch.Generator().manual_seed(3)
out = pathlib.Path(__file__).parent.parent / "loss" / "testdata"


def dice(x, target, ignore=-100, smooth=0.0):
    """Class by class, as the definition has it."""
    p, counts = x.softmax(1), target != ignore
    losses = []
    for c in range(x.shape[1]):
        pc, t = p[:, c][counts], (target[counts] == c).to(x.dtype)
        above, below = 2 * (pc * t).sum() + smooth, pc.sum() + t.sum() + smooth
        losses.append(1 - above / below)
    return torch.stack(losses).mean()


cases = {}
for name, shape, classes, share, attrs in (
    ("plain", (2, 4, 5, 3), 4, 0, {}),
    ("ignored", (2, 4, 5, 3), 4, 0.4, {"ignore": 255}),
    ("absent", (2, 5, 4, 3), 3, 0, {"smooth": 1.0}),  # classes 3 and 4 are nowhere
    ("binary", (3, 2, 4, 4), 2, 0.2, {"ignore": 255, "smooth": 0.5}),
):
    x = (torch.randn(shape, generator=gen) * 2).requires_grad_()
    target = torch.randint(classes, (shape[0], *shape[2:]), generator=gen)
    target = torch.where(torch.rand(target.shape, generator=gen) < share, attrs.get("ignore", -100), target)
    loss = dice(x.double(), target, **attrs)
    loss.backward()
    cases |= {f"{name}.x": x.detach().numpy(), f"{name}.target": target.numpy(), f"{name}.loss": loss.detach().numpy(), f"{name}.grad": x.grad.numpy()}
np.savez_compressed(out / "dice.npz", **cases)

x = [[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [2, 2, 5, 5], [0, 0, 8, 8], [1, 1, 2, 9], [-5, 2, 7, 90.5], [3, 3, 9, 4]]
t = [[5, 5, 15, 15], [10.5, 1, 20, 10], [30, 40, 50, 60], [0, 0, 10, 10], [0, 0, 8.5, 8], [4, 1, 8, 3], [1.5, 3, 6, 50], [3, 3, 9, 4]]
corner, size = torch.rand(8, 2, generator=gen) * 10, torch.rand(8, 2, generator=gen) * 8 + 4
near = torch.cat([corner, corner + size], 1)
x = torch.cat([torch.tensor(x), near]).requires_grad_()
t = torch.cat([torch.tensor(t), near + torch.randn(8, 4, generator=gen)])
weight = torch.arange(1.0, 17)
arrays = {"x": x.detach().numpy(), "target": t.numpy()}
wide, wide_t = x.double(), t.double()
low, high = torch.maximum(wide[:, :2], wide_t[:, :2]), torch.minimum(wide[:, 2:], wide_t[:, 2:])
both = (high - low).clamp(min=0).prod(1)
area = lambda b: (b[:, 2:] - b[:, :2]).prod(1)
for name, losses in (("ciou", complete_box_iou_loss(wide, wide_t)), ("iou", 1 - both / (area(wide) + area(wide_t) - both + 1e-7))):
    grad, = torch.autograd.grad((losses * weight).sum(), x, retain_graph=True)
    arrays |= {name: losses.detach().float().numpy(), f"{name}_grad": grad.numpy()}
np.savez_compressed(out / "ciou.npz", **arrays)
