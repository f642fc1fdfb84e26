"""Losses under AdamW, step by step: how far float32 is from float64, ours and PyTorch's.

A curve can be so sensitive that no float32 follows it: beside the two stands float64
itself, with pictures that differ by a rounding to float32 (a normal factor of 1 ± 6e-8).

    python bench/networks/curve.py NETWORK [--exporter script|dynamo] [--bn train|frozen] [--lr 0.001]
"""
import argparse
import pathlib
import re
import tempfile

import match
import nets
import reference
import run
import torch


def compare(o, folder):
    net = nets.build(o.network, o.bn == "train")
    x, target = nets.pictures(o.network)
    model, step = folder / "model.onnx", folder / "step.onnx"
    nets.export(net, x, o.exporter, str(model))
    if o.exporter == "dynamo":
        net = reference.fused(net)
    net.train(o.bn == "train")
    matches, _, _ = match.match(str(model), net)
    run.trilobite(model, step, o.bn, "--optimizer", "adamw", "--trainable", "^(" + "|".join(re.escape(m.name) for m in matches) + ")$")
    s = run.session(step)
    ours = run.follow(s, {s.get_inputs()[0].name: x.numpy(), "target": target.numpy()} | {m.name: m.value for m in matches}, o.lr)
    moved = x.double() * (1 + 6e-8 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    pytorch = lambda pictures, dtype: reference.curve(net, matches, pictures, target, run.STEPS, o.lr, dtype)
    exact, short, other = pytorch(x, torch.float64), pytorch(x, torch.float32), pytorch(moved, torch.float64)
    print("| step | loss in float64 | ours | PyTorch's float32 | float64, pictures moved |\n|---|---|---|---|---|")
    for k, row in enumerate(zip(exact, ours, short, other)):
        print(f"| {k + 1} | {row[0]:.6f} | " + " | ".join(f"{v - row[0]:.1e}" for v in row[1:]) + " |")
    print(f"largest: ours {run.apart(ours, exact):.1e}, PyTorch's float32 {run.apart(short, exact):.1e}, float64 with pictures moved {run.apart(other, exact):.1e}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("network", choices=nets.NETS)
    p.add_argument("--exporter", choices=nets.EXPORTERS, default="script")
    p.add_argument("--bn", choices=("train", "frozen"), default="train")
    p.add_argument("--lr", type=float, default=1e-3)
    options = p.parse_args()
    torch.set_num_threads(1)  # two, where other programs compute too, wait for each other twenty times as long
    with tempfile.TemporaryDirectory() as folder:
        compare(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
