"""Networks of other kinds (kinds_nets.py, kinds_blocks.py) through `trilobite grad`, beside
PyTorch's autograd: text, sequences, volumes, several inputs and outputs, each loss.

Each is exported by both exporters, by the newer one also with optimize=False ("plain"), in
training mode with a fixed batch and in inference mode with a symbolic one, and compared as run.py does it: loss and derivatives with
autograd in float64.  What an exporter has folded into something else has no parameter to
be compared with; the table says so.

    python bench/networks/kinds.py [KIND …] [--exporter script|dynamo|plain] [--mode train|eval] [--opset N]
"""
import argparse
import contextlib
import io
import pathlib
import re
import subprocess
import tempfile
import warnings

import kinds_blocks  # noqa: F401, adds to KINDS
import match
import numpy as np
import reference
import run
import torch
import torch.nn.functional as F
from kinds_nets import KINDS
from torch import nn

EXPORTERS = ("script", "dynamo", "plain")
LOSSES = {"cross-entropy": F.cross_entropy, "bce": F.binary_cross_entropy_with_logits, "mse": F.mse_loss, "smooth-l1": F.smooth_l1_loss}


def build(kind, train):
    """The network in float32, parameters moved a little, so that none are equal (norms, copied
    layers), which exporters would make one, and its inputs."""
    torch.manual_seed(4)
    net = kind.build()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p), alpha=0.02)
    for m in net.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(m.running_var, 0.7, 1.4)
            nn.init.normal_(m.running_mean, 0, 0.1)
    return net.train(train), kind.inputs(torch.Generator().manual_seed(4))


def fused(net):
    """net with BatchNorms folded, as the dynamo exporter folds those behind a Conv, in
    training mode too; only in inference mode where fx cannot trace it."""
    try:
        return reference.fused(net)
    except Exception:
        return net.eval()


def outputs(y):
    return y if isinstance(y, tuple) else (y,)


def goal(kind, y):
    """A target for output y."""
    g = torch.Generator().manual_seed(5)
    if kind.loss == "cross-entropy":
        y = y.movedim(kind.axis, 1)
        return torch.randint(0, y.shape[1], (y.shape[0], *y.shape[2:]), generator=g)
    t = torch.randn(y.shape, generator=g)
    return (t > 0).float() if kind.loss == "bce" else t


def logits(kind, net):
    """net, for bce without its Sigmoid, whose input is taken."""
    return net[:-1] if kind.loss == "bce" and isinstance(net, nn.Sequential) and isinstance(net[-1], nn.Sigmoid) else net


def export(kind, net, x, exporter, path, dynamic, opset):
    names, results = [f"input{i}" for i in range(len(x))], [f"output{i}" for i in range(len(outputs(net(*x))))]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        if exporter == "script":
            torch.onnx.export(net, x, path, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, opset_version=opset or 17,
                              input_names=names, output_names=results, dynamic_axes={n: {kind.batch: "N"} for n in names} if dynamic else None)
        else:
            n = torch.export.Dim("N")
            shapes = tuple({kind.batch: n} for _ in x)
            if isinstance(net, kinds_blocks.Fn):
                shapes = (shapes,)  # of *x
            torch.onnx.export(net, x, path, dynamo=True, opset_version=opset or 18, input_names=names, output_names=results, dynamic_shapes=shapes if dynamic else None,
                              optimize=exporter != "plain")


def derivatives(kind, net, matches, x, target, dtype):
    net, groups = reference.in_precision(net, matches, dtype)
    cast = lambda t: t.to(dtype) if t.is_floating_point() else t
    y = outputs(logits(kind, net)(*map(cast, x)))[kind.output]
    if kind.loss == "cross-entropy":
        y = y.movedim(kind.axis, 1)
    loss = LOSSES[kind.loss](y, cast(target))
    loss.backward()
    total = lambda group: sum(torch.zeros_like(p) if p.grad is None else p.grad for p in group)
    return loss.item(), {m.name: m.like_file(total(group)).double() for m, group in zip(matches, groups)}


def compare(name, exporter, mode, folder, opset):
    kind = KINDS[name]
    net, x = build(kind, mode == "train")
    dynamic = mode == "eval" and kind.batch is not None
    path, step = folder / "model.onnx", folder / "step.onnx"
    export(kind, net, x, exporter, str(path), dynamic, opset or kind.opset)
    if exporter == "dynamo" and any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules()):
        net = fused(net)
    matches, others, missing = match.match(str(path), net)
    command = [run.ROOT / "bin" / "trilobite", "grad", path, "-o", step, "--loss", kind.loss, "--output", f"output{kind.output}"]
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules()):  # which the newer exporter always writes for inference
        command += ["--bn", "train" if mode == "train" else "frozen"]
    got = subprocess.run(command, capture_output=True, text=True)
    if got.returncode:
        return {"error": got.stderr.removeprefix("trilobite: ").replace(str(folder) + "/", "")}
    target = goal(kind, outputs(net(*x))[kind.output].detach())
    s = run.session(step)
    out = run.run(s, {f"input{i}": v.numpy() for i, v in enumerate(x)} | {"target": target.numpy()} | match.initializers(str(path)))
    loss, exact = derivatives(kind, net, matches, x, target, torch.float64)
    own, short = derivatives(kind, net, matches, x, target, torch.float32)
    trained = {o[:-5] for o in out if o.endswith(".grad")}
    lost = sorted(n for n in set(exact) - trained if exact[n].norm() > 0)
    exact = {n: g for n, g in exact.items() if n in trained}
    ratio, worst = run.distance(out, exact, {n: (short[n] - g).norm().item() for n, g in exact.items()}) if exact else (0.0, "")
    return {"parameters": len(exact), "loss": abs(out["loss"].item() - loss), "own": abs(own - loss), "strict": run.distance(out, exact, None)[0] if exact else 0.0,
            "gradient": ratio, "worst": worst, "unmatched": sorted(trained & set(others)), "missing": missing, "lost": lost, "nan": bool(np.isnan(out["loss"]))}


def row(r):
    """The table's cells, and whether it holds."""
    if "error" in r:
        return f"| | | | | {' '.join(r['error'].split())[:400]} |", False
    holds = r["gradient"] <= 1 and r["loss"] <= max(1e-5, 2 * r["own"]) and not r["nan"] and not r["lost"]
    notes = [] if holds else [f"FAILED, worst {r['worst']}"]
    for what, text in (("lost", "not trained"), ("missing", "folded by the exporter"), ("unmatched", "trained, of no parameter")):
        if r[what]:
            notes.append(f"{text}: {', '.join(r[what][:4])}{' …' if len(r[what]) > 4 else ''}")
    return f"| {r['parameters']} | {r['loss']:.1e} | {r['strict']:.3f} | {r['gradient']:.3f} | {'; '.join(notes)} |", holds


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND")
    p.add_argument("--exporter", choices=EXPORTERS)
    p.add_argument("--mode", choices=("train", "eval"), help="training mode with a fixed batch, or inference mode with a symbolic one")
    p.add_argument("--opset", type=int, default=0, help="default: 17 traced, 18 by dynamo")
    o = p.parse_args()
    torch.set_num_threads(1)
    failed = 0
    print("| kind | exporter | mode | parameters | loss error | derivative, of 1e-3 | of what is allowed | |\n" + "|---" * 8 + "|")
    for name in o.kinds or KINDS:
        for exporter in [o.exporter] if o.exporter else EXPORTERS:
            for mode in [o.mode] if o.mode else ("train", "eval"):
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        cells, holds = row(compare(name, exporter, mode, pathlib.Path(folder), o.opset))
                    except Exception as e:  # an exporter's, of many kinds
                        text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(e)).split())
                        cells, holds = f"| | | | | {type(e).__name__}: {text[:250]} |", False
                failed += not holds
                print(f"| {name} | {exporter} | {mode} {cells}", flush=True)
    return failed != 0


if __name__ == "__main__":
    raise SystemExit(main())
