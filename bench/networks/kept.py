"""What PyTorch says, computed once: reference.py's answers, in files.

float64 takes most of a comparison's time and says the same until weights, pictures or
PyTorch change, which together name the files.  A network without BatchNorm has one
answer for both of its modes.
"""
import hashlib
import os
import pathlib

import numpy as np
import reference
import torch
from torch import nn


class Kept:
    """The answers for a network with a file's elements on a batch, kept in a folder."""

    def __init__(self, folder, net, matches, x, target):
        self.args = net, matches, x, target
        h = hashlib.sha256(f"{torch.__version__} {net} {[(m.name, m.transposed, len(m.parameters)) for m in matches]}".encode())
        if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules()):
            h.update(b"train" if net.training else b"frozen")
        for a in [m.value for m in matches] + [b.numpy() for b in net.buffers()] + [x.numpy(), target.numpy()]:
            h.update(np.ascontiguousarray(a))
        self.path = pathlib.Path(folder) / h.hexdigest()[:16]

    def get(self, name, compute):
        """The arrays that compute makes."""
        path = self.path / f"{name}.npz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            with part.open("wb") as f:
                np.savez(f, **compute())
            part.rename(path)
        return dict(np.load(path))

    def derivatives(self):
        """Loss and derivatives in float64, the latter kept in float32, and how far
        PyTorch's float32 is off: loss, derivatives, loss error, distance by name."""
        def compute():
            loss, exact = reference.derivatives(*self.args, torch.float64)
            own, short = reference.derivatives(*self.args, torch.float32)
            return ({"loss": loss, "own": abs(own - loss)} | {f"d.{n}": g.float().numpy() for n, g in exact.items()}
                    | {f"off.{n}": (short[n] - g).norm().item() for n, g in exact.items()})
        got = self.get("derivatives", compute)
        part = lambda p: {n.removeprefix(p): v for n, v in got.items() if n.startswith(p)}
        return (got["loss"].item(), {n: torch.tensor(v).double() for n, v in part("d.").items()}, got["own"].item(),
                {n: v.item() for n, v in part("off.").items()})

    def statistics(self):
        """The running statistics after a batch in training mode."""
        compute = lambda: {n: b.numpy() for n, b in reference.statistics(*self.args[:3]).items()}
        return {n: torch.tensor(v) for n, v in self.get("statistics", compute).items()}

    def curve(self, steps, lr, dtype):
        """The losses before each of some steps of AdamW."""
        compute = lambda: {"losses": np.array(reference.curve(*self.args, steps, lr, dtype))}
        return self.get(f"curve-{str(dtype).removeprefix('torch.')}-{lr:g}-{steps}", compute)["losses"].tolist()
