"""Whole networks through `trilobite grad`, beside PyTorch's autograd.

Each network is exported by both exporters, made a training step by bin/trilobite grad,
run by Python's onnxruntime and compared with torch.autograd in float64.  A network holds
if its loss is right to 1e-5, every parameter's derivative to 1e-3 of its length plus 1e-6
of the longest, every running statistic (NAME.new, --bn train) to 1e-5 of its length plus
1e-6 of the longest, and twenty steps of AdamW follow PyTorch's losses in float64 to 1e-3
at each --lr.  Instead of those of loss, derivative and curve twice what PyTorch's own
float32 is off is enough; the table marks who needs that.

The dynamo exporter folds each BatchNorm behind a Conv into it; PyTorch's network is
folded likewise then.  A value that float32 rounds across the kink of a Relu, or past its
equal in a MaxPool, moves derivatives by percents (kinks.py shows where): a network whose
derivatives do not hold is tried on a second batch, and the table says so.

    python bench/networks/run.py [NETWORK …] [--exporter script|dynamo] [--bn train|frozen]
"""
import argparse
import math
import pathlib
import re
import subprocess
import sys
import tempfile

import kept
import match
import nets
import numpy as np
import onnxruntime as ort
import reference
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS = 20


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
    feed = {s.get_inputs()[0].name: x.numpy(), "target": target.numpy()} | {m.name: m.value for m in matches}
    out = run(s, feed)
    said = kept.Kept(options.kept, net, matches, x, target)
    loss, exact, own, short = said.derivatives()
    ratio, worst = distance(out, exact, short)
    strict, _ = distance(out, exact, None)
    row = {"parameters": len(matches), "loss": abs(out["loss"].item() - loss), "own": own, "gradient": ratio, "strict": strict, "worst": worst,
           "statistics": statistics(out, said.statistics()) if bn == "train" else 0.0, "curves": [], "others": others, "missing": missing}
    if options.curve:
        trilobite(model, step, bn, "--optimizer", "adamw", *only)
        s = session(step)
        for lr in options.lr:
            want, own = (said.curve(STEPS, lr, t) for t in (torch.float64, torch.float32))
            row["curves"].append((apart(follow(s, feed, lr), want), apart(own, want)))
    return row


def distance(got, exact, short):
    """How far the worst derivative is off, in parts of what is allowed, and its name;
    short says how far PyTorch's float32 is, None for 1e-3 alone."""
    longest = max(g.norm().item() for g in exact.values())
    parts = []
    for name, ref in exact.items():
        allowed = max(1e-3 * ref.norm().item(), 2 * short[name] if short else 0) + 1e-6 * longest
        off = torch.tensor(got[name + ".grad"]).double() - ref
        parts.append((off.norm().item() / allowed, name))
    return max(parts)


def statistics(got, exact):
    """How far the worst running statistic is off after the step, relative to its length and
    a tenth of the longest (the mean of what sums to 0 is all rounding); infinite if one is
    not moved on at all."""
    longest = max((ref.norm().item() for ref in exact.values()), default=0.0)
    off = 0.0
    for name, ref in exact.items():
        new = got.get(name + ".new")
        off = max(off, math.inf if new is None else (torch.tensor(new).double() - ref).norm().item() / (ref.norm().item() + longest / 10))
    return off


def follow(s, feed, lr):
    """The losses before each of some steps of AdamW."""
    feed = feed | {"lr": np.array(lr, np.float32)}
    for i in s.get_inputs():
        if i.name not in feed:
            feed[i.name] = np.zeros(i.shape, np.float32)  # AdamW's state; step is given below
    losses = []
    for k in range(STEPS):
        out = run(s, feed | {"step": np.array(k + 1, np.int64)})
        losses.append(out["loss"].item())
        feed |= {n.removesuffix(".new"): v for n, v in out.items() if n.endswith(".new")}
    return losses


def apart(a, b):
    return max(abs(x - y) for x, y in zip(a, b))


def holds(row):
    return row["loss"] <= max(1e-5, 2 * row["own"]) and row["gradient"] <= 1 and row["statistics"] <= 1e-5 and all(c <= max(1e-3, 2 * own) for c, own in row["curves"])


def strictly(row):
    return row["loss"] <= 1e-5 and row["strict"] <= 1 and row["statistics"] <= 1e-5 and all(c <= 1e-3 for c, _ in row["curves"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("networks", nargs="*", choices=[[], *nets.NETS], metavar="NETWORK")
    p.add_argument("--exporter", choices=nets.EXPORTERS)
    p.add_argument("--bn", choices=("train", "frozen"))
    p.add_argument("--exported", choices=("same", "train", "eval"), default="same", help="the mode in which the network is exported")
    p.add_argument("--dynamic", action="store_true", help="export with a symbolic batch")
    p.add_argument("--fresh", action="store_true", help="torchvision's own first weights, of which exporters share equal ones")
    p.add_argument("--lr", type=float, nargs="+", default=[1e-3, 1e-4], help="learning rates of the curves")
    p.add_argument("--kept", default=ROOT / "out" / "networks", help="the folder that keeps PyTorch's answers for the next time")
    p.add_argument("--no-curve", dest="curve", action="store_false", help="no steps of AdamW")
    options = p.parse_args()
    torch.set_num_threads(1)  # two, where other programs compute too, wait for each other twenty times as long
    failed = 0
    print(f"| network | exporter | bn | parameters | loss error | derivative, of 1e-3 | of what is allowed | statistics | {' | '.join(f'curve at {lr:g} (float32)' for lr in options.lr)} | |\n|---|---|---|---|---|---|---|---|{'---|' * len(options.lr)}---|")
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
                        print(f"| {name} | {exporter} | {bn} | | | | | | {'| ' * len(options.lr)}| {' '.join(str(e).split())[:300]} |", flush=True)
                        continue
                failed += not holds(r)
                notes = [] if holds(r) else [f"FAILED, worst {r['worst']}"]
                if "first" in r:
                    notes.append(f"second batch; the first: {r['first']:.1f}")
                if r["missing"]:
                    notes.append(f"folded by the exporter: {', '.join(r['missing'][:3])}")
                if holds(r) and not strictly(r):
                    notes.append("by PyTorch's float32 only")
                note = "; ".join(notes)
                curves = " | ".join(f"{c:.1e} ({own:.1e})" for c, own in r["curves"]) or " | ".join("" for _ in options.lr)
                print(f"| {name} | {exporter} | {bn} | {r['parameters']} | {r['loss']:.1e} | {r['strict']:.3f} | {r['gradient']:.3f} | {r['statistics']:.0e} | {curves} | {note} |", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
