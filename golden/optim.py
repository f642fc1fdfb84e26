"""Update rules and schedules by torch.optim, for package optim: writes optim/testdata.

rules.npz, computed in float64: of each rule NAME, 20 steps on the two parameters w0 (2, 3)
and w1 (3): NAME.g0 and NAME.g1, the gradients of all micro-batches (float32), NAME.lr (20),
NAME.p0 and NAME.p1 after each step (20, …), and the state (NAME.m0, NAME.v0,
NAME.momentum0, NAME.ema0, …) after the last. schedules.npz: the rate of each step under
NAME. The attributes are repeated in optim/*_test.go.

Versions: torch 2.15.0, numpy 2.4.6; stored with the seed in each file.

    python golden/optim.py
"""

import pathlib

import numpy as np
import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import get_ema_avg_fn

OUT = pathlib.Path(__file__).parent.parent / "optim" / "testdata"
SEED, STEPS = 5, 20
gen = torch.Generator().manual_seed(SEED)
rules = {"w0": torch.randn(2, 3, generator=gen, dtype=torch.float64).numpy(),
         "w1": torch.randn(3, generator=gen, dtype=torch.float64).numpy()}  # the rates below are exact in float32, in which the graph takes them


def rule(name, make, state, clip=0.0, ema=0.0, micro=1, spread=1.0):
    """make gets a list of two parameter groups, one parameter each."""
    ps = [torch.tensor(rules[k], requires_grad=True) for k in ("w0", "w1")]
    averages = [p.detach().clone() for p in ps]
    opt = make([{"params": [p]} for p in ps])
    base = [g["lr"] / opt.defaults["lr"] for g in opt.param_groups]
    rows = {k: [] for k in ["lr", "g0", "g1", "p0", "p1"] + [f"{s}{i}" for s in state for i in (0, 1)] + (["ema0", "ema1"] if ema else [])}
    for step in range(STEPS):
        lr = opt.defaults["lr"] * (1 + step % 3)  # the rate changes between steps
        for g, factor in zip(opt.param_groups, base):
            g["lr"] = lr * factor
        rows["lr"].append(lr)
        opt.zero_grad()
        for i, p in enumerate(ps):
            gs = torch.randn(micro, *p.shape, generator=gen) * spread
            rows[f"g{i}"].append(gs.numpy())
            for g in gs.double():
                (p * g / micro).sum().backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(ps, clip)
        opt.step()
        for i, p in enumerate(ps):
            rows[f"p{i}"].append(p.detach().numpy().copy())
            for s, key in state.items():
                rows[f"{s}{i}"].append(opt.state[p][key].numpy().copy())
            if ema:
                averages[i] = get_ema_avg_fn(ema)(averages[i], p.detach(), step)
                rows[f"ema{i}"].append(averages[i].numpy().copy())
    for k, v in rows.items():
        a = np.array(v)
        if k[0] == "g":
            a = a.reshape(-1, *a.shape[2:])
        rules[f"{name}.{k}"] = a if k[0] in "lgp" else a[-1]


def no_decay(groups):
    groups[1]["weight_decay"] = 0.0
    return groups


def scaled(groups, lr):
    groups[1]["lr"] = lr / 10
    return groups


O = torch.optim
moments, buffer = {"m": "exp_avg", "v": "exp_avg_sq"}, {"momentum": "momentum_buffer"}
rule("sgd", lambda p: O.SGD(p, lr=0.125), {})
rule("sgd_decay", lambda p: O.SGD(p, lr=0.125, weight_decay=0.05), {})
rule("sgd_momentum", lambda p: O.SGD(p, lr=0.125, momentum=0.9, weight_decay=1e-3), buffer)
rule("sgd_nesterov", lambda p: O.SGD(no_decay(p), lr=2**-6, momentum=0.9, nesterov=True, weight_decay=0.05), buffer)
rule("sgd_clip", lambda p: O.SGD(scaled(p, 0.125), lr=0.125, momentum=0.9), buffer, clip=3.0)
rule("adamw", lambda p: O.AdamW(p, lr=2**-7), moments)
rule("adamw_all", lambda p: O.AdamW(scaled(no_decay(p), 2**-5), lr=2**-5, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1), moments)
rule("adamw_clip", lambda p: O.AdamW(p, lr=2**-7, weight_decay=0.0), moments, clip=0.5, ema=0.9)
rule("adamw_tiny", lambda p: O.AdamW(p, lr=2**-7), moments, spread=1e-6)
rule("adamw_micro", lambda p: O.AdamW(p, lr=2**-7), moments, micro=3, clip=2.0)

schedules = {}


def schedule(name, lr, make, steps):
    opt = O.SGD([torch.zeros(1)], lr=lr)
    s = make(opt)
    rates = []
    for step in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        if step + 1 < steps:
            s.step()
    schedules[name] = np.array(rates)


L = lr_scheduler
schedule("constant", 0.3, lambda o: L.ConstantLR(o, factor=1), 5)
schedule("step", 0.3, lambda o: L.StepLR(o, 7, 0.2), 40)
schedule("poly", 0.3, lambda o: L.PolynomialLR(o, 30, 0.9), 35)
schedule("cosine", 0.3, lambda o: L.CosineAnnealingLR(o, 30, 0.01), 31)
schedule("one_cycle", 0.3, lambda o: L.OneCycleLR(o, 0.3, total_steps=50, cycle_momentum=False), 50)
schedule("one_cycle_odd", 0.3, lambda o: L.OneCycleLR(o, 0.3, total_steps=17, pct_start=0.25, div_factor=10, final_div_factor=100, cycle_momentum=False), 17)
schedule("warm_up", 0.3, lambda o: L.SequentialLR(o, [L.LinearLR(o, 0.01, total_iters=5), L.CosineAnnealingLR(o, 20)], [5]), 26)

about = {"torch": np.array([int(p) for p in torch.__version__.split("+")[0].split(".")]), "seed": np.array([SEED])}
for name, arrays in (("rules", rules), ("schedules", schedules)):
    path = OUT / f"{name}.npz"
    np.savez_compressed(path, **about, **arrays)
    print(path.name, path.stat().st_size)
    assert path.stat().st_size <= 50_000
