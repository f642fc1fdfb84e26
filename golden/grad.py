"""Writes grad/testdata/*.npz: operators and their gradients by torch.autograd.

A case CASE of a family is the arrays CASE.x0, CASE.x1, … (inputs), CASE.Y (result),
CASE.dY (a random derivative of the loss by it) and CASE.d0, … (the derivatives by the
inputs; none for inputs that are not floats). gradients_test.go has the same cases as
ONNX graphs. Everything is float32, computed in float64 and rounded once.

Versions: torch 2.15.0, numpy 2.4.6; stored with the seed in each file.

    python golden/grad.py
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F

OUT = pathlib.Path(__file__).parent.parent / "grad" / "testdata"
SEED = 4
rng = np.random.default_rng(SEED)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return rng.uniform(0.5, 2, shape).astype(np.float32)


def clear(*shape, kinks=(0,)):
    """Normal numbers at least 0.1 from every kink."""
    x = normal(*shape) * 2
    for k in kinks:
        near = np.abs(x - k) < 0.1
        x = np.where(near, k + np.float32(0.1) * np.where(x < k, -2, 2), x).astype(np.float32)
    return x


def whole(*shape):
    return rng.integers(-3, 4, shape).astype(np.float32)


def case(out, name, fn, *xs):
    fixed = [isinstance(x, list) for x in xs]  # a list of one array: no derivative by it
    xs = [x[0] if f else x for x, f in zip(xs, fixed)]
    ts = [torch.tensor(x.astype(np.float64) if x.dtype == np.float32 else x) for x in xs]
    for t, f in zip(ts, fixed):
        t.requires_grad_(t.is_floating_point() and not f)
    y = fn(*ts)
    dy = (whole if all(np.all(x == np.round(x)) for x in xs) else normal)(*y.shape)
    leaves = [t for t in ts if t.requires_grad]
    grads = iter(torch.autograd.grad(y, leaves, torch.tensor(dy.astype(np.float64))))
    for i, (x, t) in enumerate(zip(xs, ts)):
        out[f"{name}.x{i}"] = x
        if t.requires_grad:
            out[f"{name}.d{i}"] = next(grads).numpy().astype(np.float32)
    out[f"{name}.Y"] = y.detach().numpy().astype(np.float32)
    out[f"{name}.dY"] = dy


def save(family, *cases):
    out = {"torch": np.array([int(p) for p in torch.__version__.split("+")[0].split(".")]), "seed": np.array([SEED])}
    for c in cases:
        case(out, *c)
    path = OUT / f"{family}.npz"
    np.savez_compressed(path, **out)
    print(path.name, path.stat().st_size)
    assert path.stat().st_size <= 50_000


def arithmetic():
    tie_a = np.array([1, 2, 3, 4], np.float32)
    tie_b = np.array([1, 3, 2, 4], np.float32)
    cond = np.array([[True, False, True], [False, False, True]])
    save(
        "arithmetic",
        ("add", torch.add, normal(2, 3), normal(2, 3)),
        ("add_row", torch.add, normal(2, 3), normal(3)),
        ("add_both", torch.add, normal(2, 1, 3), normal(4, 1)),
        ("add_itself", lambda x: x + x, normal(3)),
        ("sub_column", torch.sub, normal(2, 3), normal(2, 1)),
        ("mul", torch.mul, normal(2, 3), normal(1, 3)),
        ("mul_scalar", torch.mul, normal(2, 3), np.float32(0.7)),
        ("mul_itself", lambda x: x * x, normal(3)),
        ("div", torch.div, normal(2, 3), positive(3)),
        ("pow", torch.pow, positive(2, 3), normal(3)),
        ("pow_2", lambda x: x**2, normal(5)),
        ("pow_3", lambda x: x**3, normal(5)),
        ("pow_half", lambda x: x**0.5, positive(5)),
        ("pow_1", lambda x: x**1.0, normal(5)),
        ("pow_0", lambda x: x**0.0, np.array([-1, 0, 2], np.float32)),
        ("sum", lambda a, b, c: a + b + c, normal(2, 3), normal(3), normal(2, 1)),
        ("mean", lambda a, b: (a + b) / 2, normal(2, 3), normal(3)),
        ("max", torch.maximum, normal(2, 3), normal(3)),
        ("min", torch.minimum, normal(2, 3), normal(3)),
        ("max_ties", torch.maximum, tie_a, tie_b),
        ("where", lambda c, a, b: torch.where(c, a, b), cond, normal(2, 3), normal(3)),
        ("where_scalar", lambda c, a, b: torch.where(c, a, b), cond, np.float32(0.4), normal(2, 3)),
    )


def pointwise():
    save(
        "pointwise",
        ("neg", torch.neg, normal(5)),
        ("abs", torch.abs, clear(5)),
        ("abs_zero", torch.abs, np.array([-2, 0, 3], np.float32)),
        ("sqrt", torch.sqrt, positive(5)),
        ("reciprocal", torch.reciprocal, positive(5)),
        ("exp", torch.exp, normal(5)),
        ("log", torch.log, positive(5)),
        ("identity", lambda x: x.clone(), normal(5)),
        ("cast", lambda x: x.float().double(), normal(5)),
    )


def activation():
    save(
        "activation",
        ("relu", torch.relu, clear(3, 5)),
        ("relu_zero", torch.relu, np.array([-2, 0, 3], np.float32)),
        ("leaky", lambda x: F.leaky_relu(x, 0.1), clear(3, 5)),
        ("leaky_steep", lambda x: F.leaky_relu(x, 1.5), clear(3, 5)),
        ("elu", F.elu, clear(3, 5)),
        ("elu_alpha", lambda x: F.elu(x, 0.6), clear(3, 5)),
        ("clip", lambda x: x.clamp(-1, 0.5), clear(3, 5, kinks=(-1, 0.5))),
        ("clip_low", lambda x: x.clamp(min=-1), clear(3, 5, kinks=(-1,))),
        ("clip_high", lambda x: x.clamp(max=0.5), clear(3, 5, kinks=(0.5,))),
        ("relu6_limits", F.relu6, np.array([-2, 0, 3, 6, 8], np.float32)),
        ("sigmoid", torch.sigmoid, normal(3, 5)),
        ("hard_sigmoid", F.hardsigmoid, clear(3, 5, kinks=(-3, 3)) * 1),
        ("hard_swish", F.hardswish, clear(4, 6, kinks=(-3, 3)) * 1),
        ("tanh", torch.tanh, normal(3, 5)),
        ("softplus", F.softplus, normal(3, 5)),
        ("erf", torch.erf, normal(3, 5)),
        ("gelu", F.gelu, normal(3, 5)),
        ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), normal(3, 5)),
        ("softmax", lambda x: F.softmax(x, -1), normal(3, 5)),
        ("softmax_channels", lambda x: F.softmax(x, 1), normal(2, 3, 2)),
        ("log_softmax", lambda x: F.log_softmax(x, 1), normal(3, 5)),
    )


def matmul():
    save(
        "matmul",
        ("matrices", torch.matmul, normal(3, 4), normal(4, 5)),
        ("batch", torch.matmul, normal(2, 3, 4), normal(2, 4, 5)),
        ("batch_shared", torch.matmul, normal(2, 3, 4), normal(4, 5)),
        ("shared_batch", torch.matmul, normal(3, 4), normal(2, 4, 5)),
        ("batch_stretched", torch.matmul, normal(2, 1, 3, 4), normal(3, 4, 2)),
        ("vector_matrix", torch.matmul, normal(4), normal(4, 5)),
        ("matrix_vector", torch.matmul, normal(3, 4), normal(4)),
        ("batch_vector", torch.matmul, normal(2, 3, 4), normal(4)),
        ("vector_batch", torch.matmul, normal(3), normal(2, 3, 4)),
        ("vectors", torch.matmul, normal(4), normal(4)),
        ("gemm", lambda a, b, c: 0.5 * a @ b + 2 * c, normal(3, 4), normal(4, 5), normal(5)),
        ("gemm_ta", lambda a, b, c: a.T @ b + c, normal(4, 3), normal(4, 5), normal(3, 1)),
        ("gemm_tb", lambda a, b, c: a @ b.T + c, normal(3, 4), normal(5, 4), np.float32(0.3)),
        ("gemm_tab", lambda a, b: 3 * a.T @ b.T, normal(4, 3), normal(5, 4)),
    )


def layout():
    save(
        "layout",
        ("reshape", lambda x: x.reshape(3, 4), normal(2, 6)),
        ("flatten", lambda x: x.flatten(1), normal(2, 3, 2)),
        ("squeeze", lambda x: x.squeeze(1), normal(2, 1, 3)),
        ("unsqueeze", lambda x: x.unsqueeze(1), normal(2, 3)),
        ("transpose", lambda x: x.permute(2, 0, 1), normal(2, 3, 4)),
        ("reversed", lambda x: x.permute(2, 1, 0), normal(2, 3, 4)),
        ("expand", lambda x: x.expand(2, 3, 4), normal(3, 1)),
        ("concat", lambda a, b, c: torch.cat([a, b, c], 1), normal(2, 3), normal(2, 1), normal(2, 2)),
        ("split", lambda x: torch.cat([x[:, 3:] * 2, x[:, :1]], 1), normal(2, 5)),
        ("slice", lambda x: x[1:3, -3:-1], normal(4, 5)),
        ("slice_beyond", lambda x: x[:, 2:], normal(2, 5)),
        ("slice_step", lambda x: x[:, 1::2, ::3], normal(2, 5, 7)),
        ("pad", lambda x: F.pad(x, (1, 2, 0, 3)), normal(2, 3, 2)),
        ("pad_cut", lambda x: F.pad(x, (-1, 2)), normal(2, 4)),
    )


def reduce():
    ties = np.array([[1, 3, 3], [2, 2, 2]], np.float32)
    save(
        "reduce",
        ("sum", lambda x: x.sum((0, 2)), normal(2, 3, 4)),
        ("sum_keep", lambda x: x.sum(-1, keepdim=True), normal(2, 3)),
        ("sum_all", lambda x: x.sum(), normal(2, 3)),
        ("mean", lambda x: x.mean((1, 2)), normal(2, 3, 4)),
        ("mean_all", lambda x: x.mean(), normal(2, 3)),
        ("max", lambda x: x.amax(1), normal(3, 4)),
        ("max_ties", lambda x: x.amax(1), ties),
        ("min", lambda x: x.amin((0, 2), keepdim=True), normal(2, 3, 4)),
        ("l2", lambda x: torch.linalg.vector_norm(x, dim=1), normal(3, 4)),
        ("l2_zero", lambda x: torch.linalg.vector_norm(x, dim=1), np.array([[0, 0], [3, 4]], np.float32)),
        ("global_average", lambda x: F.adaptive_avg_pool2d(x, 1), normal(2, 3, 4, 2)),
    )


def conv():
    def conv2(**kw):
        def f(x, w, b=None):
            pads = kw.get("pads")
            if pads is not None:  # top, left, bottom, right
                x = F.pad(x, (pads[1], pads[3], pads[0], pads[2]))
            return F.conv2d(x, w, b, **{k: v for k, v in kw.items() if k != "pads"})

        return f

    save(
        "conv",
        ("plain", conv2(), whole(2, 3, 5, 4), whole(4, 3, 3, 2), whole(4)),
        ("pointwise", conv2(), whole(2, 3, 3, 4), whole(4, 3, 1, 1)),
        ("padded", conv2(padding=1), whole(2, 2, 4, 5), whole(3, 2, 3, 3)),
        ("asymmetric", conv2(pads=(0, 1, 2, 0)), whole(1, 2, 4, 5), whole(3, 2, 3, 3)),
        ("wide_pads", conv2(padding=2), whole(1, 2, 3, 3), whole(2, 2, 2, 2)),
        ("strided", conv2(stride=2, padding=1), whole(2, 2, 5, 7), whole(3, 2, 3, 3)),
        ("remainder", conv2(stride=2), whole(2, 2, 6, 8), whole(3, 2, 3, 3), whole(3)),
        ("remainder_padded", conv2(stride=(2, 3), padding=1), whole(1, 2, 6, 9), whole(3, 2, 3, 3)),
        ("unread", conv2(stride=3), whole(1, 2, 6, 8), whole(3, 2, 1, 1)),
        ("dilated", conv2(dilation=2, padding=2), whole(1, 2, 5, 6), whole(3, 2, 3, 3)),
        ("dilated_strided", conv2(dilation=2, stride=2, padding=1), whole(1, 2, 8, 9), whole(3, 2, 3, 3)),
        ("groups", conv2(groups=2, padding=1), whole(2, 4, 4, 5), whole(6, 2, 3, 3), whole(6)),
        ("groups_strided", conv2(groups=2, stride=2), whole(2, 4, 6, 5), whole(2, 2, 3, 3)),
        ("depthwise", conv2(groups=3, padding=1), whole(2, 3, 4, 5), whole(3, 1, 3, 3), whole(3)),
        ("depthwise_strided", conv2(groups=3, stride=2, padding=1), whole(2, 3, 6, 5), whole(3, 1, 3, 3)),
        ("depthwise_double", conv2(groups=2, padding=1), whole(1, 2, 4, 4), whole(4, 1, 3, 3)),
        ("line", lambda x, w: F.conv1d(x, w, stride=2, padding=1), whole(2, 2, 7), whole(3, 2, 4)),
        ("volume", lambda x, w: F.conv3d(x, w, padding=1), whole(1, 2, 3, 4, 3), whole(2, 2, 2, 3, 2)),
        ("same_upper", conv2(stride=2, pads=(0, 0, 1, 1)), whole(1, 2, 6, 6), whole(2, 2, 3, 3)),
        ("same_lower", conv2(stride=1, pads=(1, 1, 0, 0)), whole(1, 2, 4, 4), whole(2, 2, 2, 2)),
    )


def norm():
    def frozen(x, w, b, mean, var):
        return F.batch_norm(x, mean, var, w, b, False, 0, 1e-3)

    def training(x, w, b, mean, var):
        return F.batch_norm(x, mean.clone(), var.clone(), w, b, True, 0.1, 1e-5)

    stats = lambda c: (positive(c), normal(c), [normal(c)], [positive(c)])
    far = normal(3, 2, 4, 4) + np.array([50, -20], np.float32).reshape(1, 2, 1, 1)
    save(
        "norm",
        ("frozen", frozen, normal(2, 3, 4, 3), *stats(3)),
        ("frozen_matrix", frozen, normal(4, 3), *stats(3)),
        ("training", training, normal(3, 2, 4, 3), *stats(2)),
        ("training_matrix", training, normal(6, 3), *stats(3)),
        ("training_far_from_0", training, far, *stats(2)),
    )


def pool():
    def distinct(*shape):
        return (rng.permutation(int(np.prod(shape))).reshape(shape) * 0.25).astype(np.float32)

    padded = lambda x: F.max_pool2d(F.pad(x, (0, 1, 1, 0), value=-np.inf), (3, 2), (2, 1))
    save(
        "pool",
        ("max", lambda x: F.max_pool2d(x, 2), distinct(2, 3, 4, 6)),
        ("max_overlapping", lambda x: F.max_pool2d(x, 3, 2, 1), distinct(2, 2, 7, 6)),
        ("max_asymmetric", padded, distinct(1, 2, 6, 5)),
        ("max_dilated", lambda x: F.max_pool2d(x, 2, 1, 0, 2), distinct(1, 2, 5, 5)),
        ("max_ceil", lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True), distinct(1, 2, 5, 5)),
        ("max_ties", lambda x: F.max_pool2d(x, 2), np.zeros((1, 2, 4, 4), np.float32)),
        ("max_line", lambda x: F.max_pool1d(x, 3, 2), distinct(2, 2, 8)),
        ("global_max", lambda x: x.amax((2, 3), keepdim=True), distinct(2, 3, 3, 4)),
        ("average", lambda x: F.avg_pool2d(x, 2), normal(2, 3, 4, 6)),
        ("average_remainder", lambda x: F.avg_pool2d(x, 2), normal(1, 2, 5, 7)),
        ("average_padded", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), normal(2, 2, 6, 5)),
        ("average_counts_pads", lambda x: F.avg_pool2d(x, 3, 1, 1), normal(2, 2, 4, 5)),
        ("average_line", lambda x: F.avg_pool1d(x, 3, 2), normal(2, 2, 8)),
    )


def resize():
    def to(mode, **kw):
        return lambda x: F.interpolate(x, mode=mode, **kw)

    save(
        "resize",
        ("nearest", to("nearest", scale_factor=2), whole(2, 3, 3, 4)),
        ("nearest_sizes", to("nearest", size=(7, 3)), whole(1, 2, 3, 5)),
        ("nearest_exact", to("nearest-exact", size=(7, 3)), whole(1, 2, 3, 5)),
        ("linear", to("bilinear", scale_factor=2), normal(2, 3, 3, 4)),
        ("linear_sizes", to("bilinear", size=(7, 3)), normal(1, 2, 3, 5)),
        ("linear_corners", to("bilinear", size=(7, 9), align_corners=True), normal(1, 2, 3, 5)),
        ("linear_line", to("linear", size=7), normal(1, 2, 4)),
    )


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    arithmetic()
    pointwise()
    activation()
    matmul()
    layout()
    reduce()
    conv()
    norm()
    pool()
    resize()
