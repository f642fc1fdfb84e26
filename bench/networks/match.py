"""Which PyTorch parameter each initializer of an exported file is.

Exporters keep names ("features.0.weight"), or make up others ("onnx::MatMul_123"), for
values that they have transposed or folded.  A match is of equal elements, in the same
shape, transposed or with axes of size 1 more or less, and by name first.
"""
import numpy as np
import onnx
import torch
from onnx import numpy_helper


class Match:
    """An initializer and its parameters, several where the exporter found them equal;
    transposed: the initializer's two axes are exchanged."""

    def __init__(self, name, value, parameter, transposed):
        self.name, self.value, self.parameters, self.transposed = name, value, [parameter], transposed

    def like_file(self, t):
        """A tensor of the parameter's shape in that of the initializer."""
        return (t.T if self.transposed else t).reshape(self.value.shape)

    def like_torch(self, v):
        return (v.T if self.transposed else v).reshape(self.parameters[0].shape)


def initializers(path):
    return {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer
            if i.data_type == onnx.TensorProto.FLOAT}


def same(a, b):
    return a.size == b.size and np.allclose(a.reshape(-1), b.reshape(-1), 1e-5, 1e-6)


def match(path, net):
    """The matches of a file's initializers with a network's parameters, and the names of
    the initializers, running statistics aside, that are none."""
    free = dict(net.named_parameters())
    plain = {n.removeprefix("net."): n for n in free}
    found, rest = [], []
    values = initializers(path)
    statistics = [b.numpy() for n, b in net.named_buffers() if b.dtype == torch.float32 and b.dim()]

    def take(name, torch_name, transposed):
        p = free.pop(torch_name)
        v = values.pop(name)
        found.append(Match(name, v, p, transposed))

    for name in list(values):
        own = name if name in free else plain.get(name)
        if own in free and same(values[name], free[own].detach().numpy()):
            take(name, own, False)
    by_size = {}
    for n, p in free.items():
        by_size.setdefault(p.numel(), []).append(n)
    for name in list(values):
        v = values[name]
        for n in by_size.get(v.size, []):
            if n not in free:
                continue
            p = free[n].detach().numpy()
            if same(v, p):
                take(name, n, False)
            elif p.ndim == 2 and same(v, p.T):
                take(name, n, True)
            else:
                continue
            break
        else:
            if not any(same(v, s) for s in statistics):
                rest.append(name)
    aliases = shared(path)
    for m in found:
        for alias in aliases.get(m.name, []):
            own = plain.get(alias, alias)
            if own in free:
                m.parameters.append(free.pop(own))
    return found, rest, sorted(free)


def shared(path):
    """For each initializer the values that Identity nodes hand it on as: parameters that
    the exporter found equal."""
    names = {}
    for n in onnx.load(path, load_external_data=False).graph.node:
        if n.op_type == "Identity":
            names.setdefault(n.input[0], []).append(n.output[0])
    return names
