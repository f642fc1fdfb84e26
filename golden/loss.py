"""Losses by PyTorch, for package loss: writes loss/testdata/losses.npz.

Each case NAME is NAME.x, NAME.target, NAME.loss, the mean over what counts, and
NAME.grad, its derivative by x. The attributes are repeated in loss/loss_test.go. Versions: torch 2.15.0, torchvision 0.29.2, numpy 2.4.6. Seed 1.
"""
import pathlib
import numpy as np
import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

g = torch.Generator().manual_seed(1)
cases = {}


def case(name, loss, x, target, **attrs):
    x.requires_grad_()
    value = loss(x, target, **attrs)
    value.backward()
    print(name, value.item())
    arrays = {"x": x, "target": target, "loss": value, "grad": x.grad}
    cases.update({f"{name}.{k}": v.detach().numpy() for k, v in arrays.items()})


def normal(*shape, scale=2.0):
    return torch.randn(*shape, generator=g) * scale


def classes(*shape, c, ignore=None):
    y = torch.randint(c, shape, generator=g)
    return y if ignore is None else torch.where(torch.rand(*shape, generator=g) < 0.3, ignore, y)


w = torch.tensor([0.5, 2.0, 1.0, 0.0, 3.25])
case("classes", F.cross_entropy, normal(6, 7), classes(6, c=7))
case("far", F.cross_entropy, normal(6, 7, scale=3e4), classes(6, c=7))
case("default_ignore", F.cross_entropy, normal(9, 5), classes(9, c=5, ignore=-100))
case("weights", F.cross_entropy, normal(9, 5), classes(9, c=5), weight=w)
case("smooth", F.cross_entropy, normal(9, 5), classes(9, c=5), label_smoothing=0.1)
case("all_attrs", F.cross_entropy, normal(9, 5), classes(9, c=5, ignore=2), weight=w, label_smoothing=0.2, ignore_index=2)
case("pixels", F.cross_entropy, normal(2, 5, 4, 3), classes(2, 4, 3, c=5, ignore=255), ignore_index=255)
case("pixels_all_attrs", F.cross_entropy, normal(2, 5, 4, 3), classes(2, 4, 3, c=5, ignore=255), weight=w,
     label_smoothing=0.1, ignore_index=255)
case("double", F.cross_entropy, normal(6, 5).double(), classes(6, c=5), weight=w.double(), label_smoothing=0.1)

bce = F.binary_cross_entropy_with_logits
case("bce", bce, normal(4, 3, 5), torch.rand(4, 3, 5, generator=g))
case("bce_hard", bce, normal(30, scale=8), classes(30, c=2).float())
case("bce_far", bce, torch.tensor([0.0, 0.0, 200.0, 200.0, -200.0, -200.0]), torch.tensor([0.0, 1, 0, 1, 0, 1]))
case("mse", F.mse_loss, normal(4, 3, 5), normal(4, 3, 5))
case("smooth_l1", F.smooth_l1_loss, normal(4, 3, 5), normal(4, 3, 5))
case("smooth_l1_beta", F.smooth_l1_loss, normal(4, 3, 5), normal(4, 3, 5), beta=0.11)
case("smooth_l1_ties", F.smooth_l1_loss, torch.tensor([0.0, 1, -1, 3, -3]), torch.zeros(5))

focal = lambda x, t, **attrs: sigmoid_focal_loss(x, t, reduction="mean", **attrs)
case("focal", focal, normal(30, scale=4), classes(30, c=2).float(), alpha=0.25, gamma=2)
case("focal_soft", focal, normal(4, 3, 5), torch.rand(4, 3, 5, generator=g), alpha=-1, gamma=1.5)
case("focal_far", focal, torch.tensor([0.0, 0, 20, 20, -20, -20]), torch.tensor([0.0, 1, 0, 1, 0, 1]), alpha=0.75, gamma=2)
case("focal_flat", focal, normal(12), classes(12, c=2).float(), alpha=0.25, gamma=0)

out = pathlib.Path(__file__).parent.parent / "loss" / "testdata" / "losses.npz"
np.savez_compressed(out, **cases)
print(out.stat().st_size, "bytes")
