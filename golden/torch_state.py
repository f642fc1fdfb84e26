"""Checkpoints of every container and element type for package convert/torch.

Writes convert/torch/testdata/*.pth and state.npz, the same values by numpy.
Versions: torch 2.15.0, numpy 2.4.6, safetensors 0.8.0.
"""
import collections, pathlib
import numpy as np
import torch
from safetensors.torch import save_file

torch.manual_seed(3)
out = pathlib.Path(__file__).parent.parent / "convert" / "torch" / "testdata"
out.mkdir(parents=True, exist_ok=True)

net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.BatchNorm2d(4), torch.nn.Linear(5, 2))
state = net.state_dict()
base = torch.randn(4, 6)
state["transposed"] = base.t()
state["window"] = base[1:3, 2:5]
state["every_other"] = base[::2, ::3]
state["expanded"] = torch.randn(3, 1).expand(3, 4)
state["tied"] = base
state["parameter"] = torch.nn.Parameter(torch.randn(2))
state["scalar"] = torch.tensor(2.5)
state["empty"] = torch.zeros(0, 3)
for t in "float64 float16 bfloat16 int8 int16 int32 int64 uint8 bool".split():
    state[t] = (torch.randn(3) * 5).to(getattr(torch, t))

torch.save(state, out / "zip.pth")
torch.save(state, out / "zip_protocol4.pth", pickle_protocol=4)
torch.save(state, out / "legacy.pth", _use_new_zipfile_serialization=False)
save_file({k: v.detach().clone().contiguous() for k, v in state.items()}, out / "state.safetensors")
opt = torch.optim.Adam(net.parameters())
torch.save({"epoch": 3, "optimizer": opt.state_dict(), "state_dict": dict(state), "loss": 0.5}, out / "checkpoint.pth")
torch.save(net, out / "module.pth")
torch.jit.script(torch.nn.Linear(2, 1)).save(out / "script.pth")
torch.save({"epoch": 3}, out / "no_tensors.pth")


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("false",)


torch.save({"a": torch.zeros(1), "b": Evil()}, out / "evil.pth")
torch.save({"a": torch.zeros(1), "b": Evil()}, out / "evil_protocol4.pth", pickle_protocol=4)
torch.save({"a": torch.zeros(1), "b": Evil()}, out / "evil_legacy.pth", _use_new_zipfile_serialization=False)


def plain(t):
    t = t.detach().contiguous()
    return t.view(torch.int16).numpy().view(np.uint16) if t.dtype == torch.bfloat16 else t.numpy()


arrays = {k: plain(v) for k, v in state.items()}
arrays["names"] = np.array(list(state))
np.savez_compressed(out / "state.npz", **arrays)
