"""Whole networks through `trilobite grad`, beside PyTorch's autograd.

Each network is exported by both exporters, made a training step by bin/trilobite grad,
run by Python's onnxruntime and compared with torch.autograd in float64.  A network holds
if its loss is right to 1e-5 (or twice what PyTorch's own float32 is off), every parameter's derivative to 1e-3 of its length (or twice
what PyTorch's own float32 is off, plus 1e-6 of the longest derivative), and twenty steps
of AdamW, learning rate 1e-4, follow PyTorch's losses to 1e-3 (or twice what float32 is
off there).  The dynamo exporter folds each BatchNorm behind
a Conv into it; PyTorch's network is folded likewise then.  A value that float32 rounds
across the kink of a Relu, or past its equal in a MaxPool, moves derivatives by percents:
a network that does not hold is tried on a second batch, and the table says so.

    python bench/networks/run.py [NETWORK …] [--exporter script|dynamo] [--bn train|frozen]
"""
import argparse
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import match
import nets
import numpy as np
import onnxruntime as ort
import reference
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS, LR = 20, 1e-4


def trilobite(model, step, bn, *more):
    subprocess.run([ROOT / "bin" / "trilobite", "grad", model, "-o", step, "--loss", "cross-entropy", "--bn", bn, *more],
                   check=True, stdout=subprocess.DEVNULL)


def session(path):
    o = ort.SessionOptions()
    o.intra_op_num_threads = torch.get_num_threads()
    o.log_severity_level = 3
    return ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])


def run(s, feed):
    names = [o.name for o in s.get_outputs()]
    wanted = {i.name for i in s.get_inputs()}
    return dict(zip(names, s.run(names, {n: v for n, v in feed.items() if n in wanted})))


def compare(name, exporter, bn, folder, options, seed=4):
    exported = bn if options.exported == "same" else options.exported
    net = nets.build(name, exported == "train", options.fresh)
    x, target = nets.pictures(name, seed)
    model, step = folder / "model.onnx", folder / "step.onnx"
    nets.export(net, x, exporter, str(model), options.dynamic)
    if exporter == "dynamo":
        net = reference.fused(net)
    net.train(bn == "train")
    matches, others, missing = match.match(str(model), net)
    only = ["--trainable", "^(" + "|".join(re.escape(m.name) for m in matches) + ")$"]
    trilobite(model, step, bn, *only)

    s = session(step)
    feed = {s.get_inputs()[0].name: x.numpy(), "target": target.numpy(), "lr": np.array(LR, np.float32)} | {m.name: m.value for m in matches}
    out = run(s, feed)
    loss, exact = reference.derivatives(net, matches, x, target, torch.float64)
    short_loss, short = reference.derivatives(net, matches, x, target, torch.float32)
    ratio, worst = distance(out, exact, short)
    row = {"parameters": len(matches), "loss": abs(out["loss"].item() - loss), "own": abs(short_loss - loss), "gradient": ratio, "worst": worst,
           "curve": math.nan, "own_curve": math.nan, "others": others, "missing": missing}
    if options.curve:
        trilobite(model, step, bn, "--optimizer", "adamw", *only)
        want, own = (reference.curve(net, matches, x, target, STEPS, LR, t) for t in (torch.float64, torch.float32))
        row["curve"] = follow(session(step), feed, want)
        row["own_curve"] = max(abs(a - b) for a, b in zip(own, want))
    return row


def distance(got, exact, short):
    """How far the worst derivative is off, in parts of what is allowed, and its name."""
    longest = max(g.norm().item() for g in exact.values())
    parts = []
    for name, ref in exact.items():
        allowed = max(1e-3 * ref.norm().item(), 2 * (short[name] - ref).norm().item()) + 1e-6 * longest
        off = torch.tensor(got[name + ".grad"]).double() - ref
        parts.append((off.norm().item() / allowed, name))
    return max(parts)


def follow(s, feed, want):
    """The largest difference from the losses wanted, over as many steps."""
    for i in s.get_inputs():
        if i.name not in feed:
            feed[i.name] = np.zeros(i.shape, np.float32)  # AdamW's state; step is given below
    losses = []
    for k in range(len(want)):
        out = run(s, feed | {"step": np.array(k + 1, np.int64)})
        losses.append(out["loss"].item())
        feed |= {n.removesuffix(".new"): v for n, v in out.items() if n.endswith(".new")}
    return max(abs(a - b) for a, b in zip(losses, want))


def holds(row):
    return row["loss"] <= max(1e-5, 2 * row["own"]) and row["gradient"] <= 1 and not row["curve"] > max(1e-3, 2 * row["own_curve"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("networks", nargs="*", choices=[[], *nets.NETS], metavar="NETWORK")
    p.add_argument("--exporter", choices=nets.EXPORTERS)
    p.add_argument("--bn", choices=("train", "frozen"))
    p.add_argument("--exported", choices=("same", "train", "eval"), default="same", help="the mode in which the network is exported")
    p.add_argument("--dynamic", action="store_true", help="export with a symbolic batch")
    p.add_argument("--fresh", action="store_true", help="torchvision's own first weights, of which exporters share equal ones")
    p.add_argument("--no-curve", dest="curve", action="store_false", help="no steps of AdamW")
    options = p.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    failed = 0
    print("| network | exporter | bn | parameters | loss error | gradient, of what is allowed | curve error | PyTorch's float32 | |\n|---|---|---|---|---|---|---|---|---|")
    for name in options.networks or nets.NETS:
        for exporter in [options.exporter] if options.exporter else nets.EXPORTERS:
            for bn in [options.bn] if options.bn else ("train", "frozen"):
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        r = compare(name, exporter, bn, pathlib.Path(folder), options)
                        if r["gradient"] > 1:
                            r = compare(name, exporter, bn, pathlib.Path(folder), options, seed=5) | {"first": r["gradient"]}
                    except (subprocess.CalledProcessError, RuntimeError, KeyError) as e:
                        failed += 1
                        print(f"| {name} | {exporter} | {bn} | | | | | | {' '.join(str(e).split())[:300]} |", flush=True)
                        continue
                failed += not holds(r)
                notes = [] if holds(r) else [f"FAILED, worst {r['worst']}"]
                if "first" in r:
                    notes.append(f"second batch; the first: {r['first']:.1f}")
                if r["missing"]:
                    notes.append(f"folded by the exporter: {', '.join(r['missing'][:3])}")
                note = "; ".join(notes)
                print(f"| {name} | {exporter} | {bn} | {r['parameters']} | {r['loss']:.1e} | {r['gradient']:.3f} | {r['curve']:.1e} | {r['own_curve']:.1e} | {note} |", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
