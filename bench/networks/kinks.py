"""Where float32 leaves float64: forward errors and kinks of a whole network.

What goes into every Relu, Clip and MaxPool and what comes out of every
BatchNormalization is compared with float64, in our step (bin/trilobite grad, run by
onnxruntime in float32) and in PyTorch's float32, over several batches.  An input of a
ReLU or ReLU6 that float32 puts on the other side of a kink moves the derivatives by that
element's whole share.  For each batch the script says how far both are from the
derivatives in float64, in parts of 1e-3 of their length, and which inputs each has on
the other side; at the end how many, and how many are to be expected of errors of that
size, which is less a matter of luck: the errors of the inputs near 0 by the density of
inputs there.  Windows of a MaxPool that take another element count as found.

    python bench/networks/kinks.py NETWORK [--exporter script|dynamo] [--bn train|frozen] [--batches 20]
"""
import argparse
import math
import pathlib
import re
import tempfile

import match
import nets
import numpy as np
import onnx
import onnxruntime as ort
import reference
import run
import torch
from torch.utils._python_dispatch import TorchDispatchMode

KINKS = {"relu": "Relu", "hardtanh": "Clip", "max_pool2d_with_indices": "MaxPool"}


def winners(v, *window):
    """Which element each window of a MaxPool takes; -1 where that is a ReLU's 0, which has no derivative."""
    y, i = torch.nn.functional.max_pool2d(torch.tensor(v), *window, return_indices=True)
    return torch.where(y > 0, i, -1).numpy()


SIDES = {"Relu": lambda v: v > 0, "Clip": lambda v: (v > 0).astype(int) + (v > 6), "MaxPool": winners}  # ReLU, ReLU6


class Record(TorchDispatchMode):
    """Keeps what goes into operators with a kink and comes out of batch normalisations."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__.rstrip("_")
        if name in KINKS:
            self.kept.append((KINKS[name], args[0].detach().clone().double().numpy(), args[1:] if KINKS[name] == "MaxPool" else ()))
        out = func(*args, **(kwargs or {}))
        if "batch_norm" in name and "backward" not in name:
            self.kept.append(("BatchNormalization", out[0].detach().clone().double().numpy(), ()))
        return out


def forward(net, matches, x, dtype):
    net, _ = reference.in_precision(net, matches, dtype)
    with Record() as r, torch.no_grad():
        net(x.to(dtype))
    return r.kept


def extend(model, step):
    """Makes outputs of the step of the same values of the model: operator and name of each,
    in the order of the model's nodes."""
    names = []
    for n in onnx.load(model).graph.node:
        if n.op_type == "BatchNormalization":
            names.append((n.op_type, n.output[0]))
        elif n.op_type in KINKS.values():
            names.append((n.op_type, n.input[0]))
    graph = onnx.load(step)
    have = {o for n in graph.graph.node for o in n.output}
    for name in {n for _, n in names if n in have}:
        graph.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    onnx.save(graph, step)
    return names


class Tally:
    """What a float32 does beside float64, summed over batches."""

    def __init__(self, name):
        self.name, self.missed, self.apart, self.expected, self.errors, self.found = name, 0, 0, 0.0, [], []

    def layer(self, op, value, got, exact, window):
        """Notes a layer's error, relative to its root mean square, and what lies across a kink."""
        self.errors.append(math.log(max(np.sqrt(np.mean((got - exact) ** 2)) / np.sqrt(np.mean(exact**2)), 1e-12)))
        if op not in SIDES:
            return
        if op != "MaxPool":
            width = 0.1 * np.sqrt(np.mean(exact**2))
            self.expected += np.abs(got - exact)[np.abs(exact) < width].sum() / (2 * width)
        a, b = (SIDES[op](v.astype(np.float64), *window) for v in (got, exact))
        for i in np.argwhere(a != b):
            i = tuple(i)
            what = f"takes {a[i]}, float64 {b[i]}" if op == "MaxPool" else f"{exact[i]:.2e}, float32 {got[i]:.2e}"
            self.found.append(f"{self.name} {op} {value}: {what}")

    def batch(self, gradients, exact):
        """Ends a batch: how far the worst derivative is off, 1 being 1e-3 of its length."""
        longest = max(g.norm().item() for g in exact.values())
        off = max((torch.as_tensor(gradients[n]).double() - g).norm().item() / (1e-3 * g.norm().item() + 1e-6 * longest) for n, g in exact.items())
        found, self.found = self.found, []
        self.missed += off > 1
        self.apart += len(found)
        return off, found


def compare(o, folder):
    net = nets.build(o.network, o.bn == "train")
    model, step = folder / "model.onnx", folder / "step.onnx"
    nets.export(net, nets.pictures(o.network)[0], o.exporter, str(model))
    if o.exporter == "dynamo":
        net = reference.fused(net)
    net.train(o.bn == "train")
    matches, _, _ = match.match(str(model), net)
    run.trilobite(model, step, o.bn, "--trainable", "^(" + "|".join(re.escape(m.name) for m in matches) + ")$")
    values = extend(str(model), str(step))
    s = run.session(step)
    ours, short = Tally("ours"), Tally("PyTorch")
    for seed in range(4, 4 + o.batches):
        x, target = nets.pictures(o.network, seed)
        out = run.run(s, {s.get_inputs()[0].name: x.numpy(), "target": target.numpy()} | {m.name: m.value for m in matches})
        exact, low = (forward(net, matches, x, t) for t in (torch.float64, torch.float32))
        assert [k for k, _, _ in exact] == [k for k, _ in values], "the file has other operators than the network"
        for (op, ref, window), (_, theirs, _), (_, value) in zip(exact, low, values):
            if value in out:
                ours.layer(op, value, out[value], ref, window)
                short.layer(op, value, theirs, ref, window)
        loss, ref = reference.derivatives(net, matches, x, target, torch.float64)
        short_loss, theirs = reference.derivatives(net, matches, x, target, torch.float32)
        (a, across), (b, theirs_across) = ours.batch({n: out[n + ".grad"] for n in ref}, ref), short.batch(theirs, ref)
        print(f"batch {seed}: derivatives {a:.3f}, PyTorch {b:.3f}; loss {abs(out['loss'].item() - loss):.1e}, PyTorch {abs(short_loss - loss):.1e}; "
              f"across a kink {len(across)}, PyTorch {len(theirs_across)}", flush=True)
        for row in (across + theirs_across)[:8]:
            print("   ", row)
    print(f"{o.network} {o.exporter} {o.bn}, {o.batches} batches: missed 1e-3 {ours.missed}, PyTorch {short.missed}; across a kink {ours.apart} (expected {ours.expected:.1f}), PyTorch {short.apart} ({short.expected:.1f}); "
          f"forward error of a layer {math.exp(np.mean(ours.errors)):.2e}, PyTorch {math.exp(np.mean(short.errors)):.2e}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("network", choices=nets.NETS)
    p.add_argument("--exporter", choices=nets.EXPORTERS, default="script")
    p.add_argument("--bn", choices=("train", "frozen"), default="train")
    p.add_argument("--batches", type=int, default=20)
    options = p.parse_args()
    torch.set_num_threads(1)  # two, where other programs compute too, wait for each other twenty times as long
    with tempfile.TemporaryDirectory() as folder:
        compare(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
