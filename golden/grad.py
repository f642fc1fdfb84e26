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


# The families below come last, in the order in which they were added: each draws from the
# generator where the one before it stopped.


def activation_2():
    limits = np.float32(-0.8), np.float32(0.6)
    between = clear(3, 5, kinks=limits)
    save(
        "activation_2",
        ("prelu", F.prelu, clear(2, 3, 4), normal(1)),
        ("prelu_channels", lambda x, w: F.prelu(x, w.flatten()), clear(2, 3, 4), normal(3, 1)),
        ("celu", lambda x: F.celu(x, 0.7), clear(3, 5)),
        ("selu", F.selu, clear(3, 5)),
        ("thresholded_relu", lambda x: torch.where(x > 0.5, x, 0), clear(3, 5, kinks=(0.5,))),
        ("softsign", F.softsign, clear(3, 5)),
        ("mish", F.mish, normal(3, 5)),
        ("clip_limits", torch.clamp, between, *limits),
        ("clip_lower_limit", lambda x, lo: x.clamp(min=lo), between, limits[0]),
        ("clip_upper_limit", lambda x, hi: x.clamp(max=hi), between, limits[1]),
    )


def arithmetic_2():
    zero = np.array([0, 0, 2, 3], np.float32)
    save("arithmetic_2", ("pow_zeros", torch.pow, zero, np.array([0, 2, 0, 1], np.float32)))


def trigonometry():
    inside = lambda: rng.uniform(-0.8, 0.8, 5).astype(np.float32)
    save(
        "trigonometry",
        *((f.__name__, f, normal(5)) for f in (torch.sin, torch.cos, torch.sinh, torch.cosh, torch.atan, torch.asinh)),
        *((f.__name__, f, inside()) for f in (torch.tan, torch.asin, torch.acos, torch.atanh)),
        ("acosh", torch.acosh, positive(5) + 1),
    )


def reduce_2():
    zeros = np.array([[2, 3, 4], [0, 3, 4], [0, 0, 4]], np.float32)
    save(
        "reduce_2",
        ("l1", lambda x: x.abs().sum(1), clear(3, 4)),
        ("sum_square", lambda x: (x * x).sum((0, 2), keepdim=True), normal(2, 3, 4)),
        ("log_sum", lambda x: x.sum(1).log(), positive(3, 4)),
        ("log_sum_exp", lambda x: x.logsumexp((1, 2)), normal(2, 3, 4)),
        ("prod", lambda x: x.prod(1), normal(3, 4)),
        ("prod_zeros", lambda x: x.prod(1), zeros),
    )


def layout_2():
    crd = lambda x: F.pixel_shuffle(x, 2)

    def dcr(x):
        n, c, h, w = x.shape
        return x.reshape(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, h * 2, w * 2)

    def space(x):
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, c * 4, h // 2, w // 2)

    save(
        "layout_2",
        ("tile", lambda x: x.repeat(2, 1, 3), normal(2, 3, 2)),
        ("depth_to_space", dcr, normal(2, 8, 2, 3)),
        ("pixel_shuffle", crd, normal(2, 8, 2, 3)),
        ("space_to_depth", space, normal(2, 3, 4, 2)),
        ("cumsum", lambda x: x.cumsum(1), normal(2, 4)),
        ("cumsum_reverse", lambda x: x.flip(1).cumsum(1).flip(1), normal(2, 4)),
        ("cumsum_exclusive", lambda x: x.cumsum(1) - x, normal(2, 4)),
        ("triu", lambda x: x.triu(1), normal(2, 3, 4)),
        ("tril", lambda x: x.tril(), normal(3, 4)),
        ("dropout_off", lambda x: F.dropout(x, 0.5, False), normal(2, 3)),
        ("dropout_none", lambda x: F.dropout(x, 0.0, True), normal(2, 3)),
    )


def pad():
    save(
        "pad",
        ("reflect", lambda x: F.pad(x, (2, 1, 1, 2), mode="reflect"), normal(1, 2, 3, 4)),
        ("edge", lambda x: F.pad(x, (2, 1, 0, 3), mode="replicate"), normal(1, 2, 3, 4)),
        ("wrap", lambda x: F.pad(x, (2, 1, 0, 3), mode="circular"), normal(1, 2, 3, 4)),
        ("reflect_line", lambda x: F.pad(x, (3, 2), mode="reflect"), normal(1, 2, 5)),
        ("edge_cut", lambda x: F.pad(x, (-1, -2), mode="replicate"), normal(1, 2, 5)),
        ("filling", lambda x, v: torch.cat([v.expand(2, 1), x, v.expand(2, 2)], 1), normal(2, 3), np.float32(0.3)),
    )


def gather():
    i = lambda *list: np.array(list, np.int64)
    save(
        "gather",
        ("one", lambda x, k: x[:, 1], normal(2, 3, 4), i()),
        ("run", lambda x, k: x[1:3], normal(4, 3), i()),
        ("from_the_end", lambda x, k: x[:, -2:], normal(2, 4), i()),
        ("repeated", lambda x, k: x[k], normal(4, 3), i(2, 0, 2, -1)),
        ("matrix", lambda x, k: x[:, k], normal(2, 4, 3), i(3, 1, 1, 0).reshape(2, 2)),
        ("scalar", lambda x, k: x[:, k], normal(2, 4), np.int64(2)),
        ("elements", lambda x, k: x.gather(1, k), normal(2, 4), i(3, 0, 0, 1, 1, 2).reshape(2, 3)),
        ("nd", lambda x, k: x[k[:, 0], k[:, 1]], normal(3, 4, 2), i(0, 1, 2, -1, 0, 1).reshape(3, 2)),
        ("nd_batch", lambda x, k: torch.stack([x[b][k[b, :, 0]] for b in range(2)]), normal(2, 4, 3), i(0, 3, 1, 2, 2, 0).reshape(2, 3, 1)),
        ("scatter", lambda x, k, u: x.scatter(1, k, u), normal(2, 4), i(3, 0, 1, 2).reshape(2, 2), normal(2, 2)),
        ("scatter_add", lambda x, k, u: x.scatter_add(0, k, u), normal(4, 2), i(3, 0, 3, 0, 1, 1).reshape(3, 2), normal(3, 2)),
        ("scatter_nd", lambda x, k, u: x.index_put((k[:, 0], k[:, 1]), u), normal(3, 4, 2), i(0, 1, 2, 3).reshape(2, 2), normal(2, 2)),
        ("scatter_nd_add", lambda x, k, u: x.index_put((k[:, 0],), u, accumulate=True), normal(3, 4), i(1, 1).reshape(2, 1), normal(2, 4)),
        ("top_k", lambda x: x.topk(2, 1).values, normal(3, 5)),
    )


def norm_layer():
    group = lambda g: lambda x, w, b: F.group_norm(x, g, w, b, 1e-3)
    save(
        "norm_layer",
        ("layer", lambda x, w, b: F.layer_norm(x, (4,), w, b, 1e-5), normal(2, 3, 4), positive(4), normal(4)),
        ("layer_axes", lambda x, w, b: F.layer_norm(x, (3, 4), w, b, 1e-3), normal(2, 3, 4), positive(3, 4), normal(3, 4)),
        ("layer_without_bias", lambda x, w: F.layer_norm(x, (6,), w), normal(3, 6) + 30, positive(6)),
        ("instance", lambda x, w, b: F.instance_norm(x, None, None, w, b, eps=1e-5), normal(2, 3, 4, 3), positive(3), normal(3)),
        ("instance_line", lambda x, w, b: F.instance_norm(x, None, None, w, b, eps=1e-3), normal(2, 2, 5), positive(2), normal(2)),
        ("group", group(2), normal(2, 4, 3, 3), positive(4), normal(4)),
        ("group_all", group(1), normal(2, 4, 3, 2), positive(4), normal(4)),
        ("lp", lambda x: F.normalize(x, dim=1), normal(2, 3, 2)),
        ("lp_1", lambda x: F.normalize(x, 1, dim=-1), clear(3, 4)),
    )


def conv_transpose():
    def back(**kw):
        return lambda x, w, b=None: F.conv_transpose2d(x, w, b, **kw)

    def cut(top, left, bottom, right, **kw):
        def f(x, w):
            y = F.conv_transpose2d(x, w, **kw)
            return y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]

        return f

    save(
        "conv_transpose",
        ("plain", back(), whole(2, 3, 4, 3), whole(3, 4, 3, 2), whole(4)),
        ("strided", back(stride=2), whole(2, 3, 3, 4), whole(3, 2, 2, 2), whole(2)),
        ("padded", back(stride=2, padding=1), whole(1, 2, 4, 3), whole(2, 3, 3, 3)),
        ("output_padding", back(stride=2, padding=1, output_padding=1), whole(2, 2, 3, 4), whole(2, 3, 3, 3), whole(3)),
        ("output_padding_alone", back(stride=3, output_padding=(2, 1)), whole(1, 2, 3, 2), whole(2, 3, 2, 2)),
        ("dilated", back(stride=2, dilation=(2, 3), padding=2), whole(1, 2, 4, 3), whole(2, 2, 3, 3)),
        ("groups", back(stride=2, groups=2, padding=1), whole(2, 4, 3, 3), whole(4, 3, 3, 3), whole(6)),
        ("depthwise", back(stride=2, groups=3), whole(2, 3, 3, 4), whole(3, 1, 4, 4)),
        ("asymmetric", cut(0, 1, 2, 0, stride=2), whole(1, 2, 4, 4), whole(2, 2, 3, 3)),
        ("pointwise", back(), whole(2, 3, 3, 4), whole(3, 2, 1, 1)),
        ("line", lambda x, w: F.conv_transpose1d(x, w, stride=2), whole(2, 2, 4), whole(2, 3, 3)),
        ("volume", lambda x, w: F.conv_transpose3d(x, w, stride=2, padding=1), whole(1, 2, 2, 3, 2), whole(2, 2, 3, 2, 3)),
        ("same_upper", cut(0, 0, 1, 1, stride=2), whole(1, 2, 3, 3), whole(2, 2, 3, 3)),
        ("same_lower", cut(1, 1, 0, 0, stride=2), whole(1, 2, 3, 3), whole(2, 2, 3, 3)),
        ("output_shape", cut(1, 1, 0, 1, stride=2), whole(1, 2, 3, 4), whole(2, 2, 3, 3)),
    )


def einsum():
    of = lambda equation: lambda *x: torch.einsum(equation, *x)
    save(
        "einsum",
        ("matrices", of("ij,jk->ik"), normal(2, 3), normal(3, 4)),
        ("attention", of("bhqd,bhkd->bhqk"), normal(2, 2, 3, 4), normal(2, 2, 2, 4)),
        ("outer", of("i,j->ij"), normal(3), normal(2)),
        ("three", of("ij,jk,kl->il"), normal(2, 3), normal(3, 2), normal(2, 4)),
        ("summed", of("ij->i"), normal(2, 3)),
        ("summed_alone", of("ij,k->i"), normal(2, 3), normal(4)),
        ("trace", of("ii->"), normal(3, 3)),
        ("diagonal", of("bii->bi"), normal(2, 3, 3)),
        ("ellipsis", of("...ij,...jk->...ik"), normal(2, 2, 3), normal(2, 3, 2)),
        ("ellipsis_stretched", of("...ij,jk->...ik"), normal(2, 2, 3), normal(3, 2)),
        ("implicit", of("kj,ik"), normal(3, 2), normal(2, 3)),
        ("itself", lambda x: torch.einsum("ij,kj->ik", x, x), normal(3, 2)),
    )


def pool_2():
    ceil = lambda pads: lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=pads)
    save(
        "pool_2",
        ("average_ceil", ceil(False), normal(1, 2, 6, 7)),
        ("average_ceil_counts_pads", ceil(True), normal(1, 2, 6, 7)),
        ("average_ceil_alone", lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True), normal(1, 2, 5, 7)),
        ("max_ceil_padded", lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True), normal(1, 2, 6, 7)),
    )


def resize_2():
    def to(mode, **kw):
        return lambda x: F.interpolate(x, mode=mode, **kw)

    save(
        "resize_2",
        ("cubic", to("bicubic", size=(7, 9)), normal(1, 2, 4, 5)),
        ("cubic_corners", to("bicubic", size=(7, 3), align_corners=True), normal(1, 2, 4, 5)),
        ("antialias", to("bilinear", size=(3, 4), antialias=True), normal(1, 2, 7, 9)),
        ("antialias_cubic", to("bicubic", size=(4, 3), antialias=True), normal(1, 2, 9, 8)),
        ("channels_last", lambda x: F.interpolate(x.permute(0, 3, 1, 2), size=(6, 5), mode="bilinear").permute(0, 2, 3, 1), normal(1, 3, 4, 2)),
        ("volume", to("trilinear", size=(3, 5, 4)), normal(1, 1, 2, 3, 3)),
    )


def conv_2():
    """Enough positions for conv_weight.go's product per sample."""
    save(
        "conv_2",
        ("wide", F.conv2d, whole(2, 2, 6, 34), whole(3, 2, 3, 3)),
        ("wide_padded", lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=1), whole(2, 2, 8, 32), whole(2, 2, 3, 3)),
        ("wide_pointwise", F.conv2d, whole(2, 3, 12, 11), whole(2, 3, 1, 1), whole(2)),
        ("wide_line", lambda x, w: F.conv1d(x, w, dilation=3), whole(2, 2, 140), whole(2, 2, 3)),
    )


def conv_3():
    """Shapes beyond the limits of conv_weight.go's and conv_depthwise.go's special cases."""
    save(
        "conv_3",
        ("many", F.conv2d, whole(2, 9, 4, 5), whole(2, 9, 3, 3)),
        ("many_wide", lambda x, w: F.conv2d(x, w, padding=1), whole(2, 9, 4, 32), whole(2, 9, 3, 3)),
        ("many_taps", F.conv2d, whole(1, 2, 10, 11), whole(2, 2, 9, 9)),
        ("depthwise_wide", lambda x, w: F.conv2d(x, w, padding=1, groups=2), whole(2, 2, 3, 58), whole(2, 1, 3, 3)),
        ("depthwise_unread", lambda x, w: F.conv2d(x, w, stride=3, groups=2), whole(2, 2, 6, 8), whole(2, 1, 1, 1)),
        ("depthwise_dilated", lambda x, w: F.conv2d(x, w, stride=(1, 2), dilation=(2, 1), padding=(2, 1), groups=2), whole(2, 2, 6, 9), whole(2, 1, 3, 2)),
    )


def norm_2():
    """What norm.go and conv.go write otherwise: wide maps, a convolution before."""
    def training(x, w, b):
        return F.batch_norm(x, None, None, w, b, True, 0.1, 1e-5)

    def after(x, kernel, w, b):
        return training(F.conv2d(x, kernel), w, b)

    level = rng.standard_normal((1, 3, 1, 1)).astype(np.float32) * 3
    save(
        "norm_2",
        ("wide", training, normal(2, 1, 16, 33), positive(1), normal(1)),
        ("projected", after, normal(3, 4, 5, 4), normal(16, 4, 1, 1), normal(16), normal(16)),
        ("projected_far_from_0", after, normal(2, 3, 6, 5) + level, normal(8, 3, 1, 1), positive(8), normal(8)),
        ("scaled", after, normal(2, 2, 8, 9), normal(3, 2, 3, 3), normal(3), normal(3)),
    )


def layout_3():
    save(
        "layout_3",
        ("flip", lambda x: x.flip(1), normal(2, 5)),
        ("flip_part", lambda x: x.flip(1)[:, 1:4:2], normal(2, 7)),
        ("stride_both", lambda x: x[1::2, :3:2], normal(6, 5)),
        ("tile_computed", lambda x, r: x.repeat(2, 3), normal(2, 2), np.array([2, 3], np.int64)),
        ("nd_rows", lambda x, k: x[k[:, 0], k[:, 1]], normal(3, 2, 4, 2), np.array([[0, 1], [2, 0]], np.int64)),
    )


def scatter():
    at = np.array([[3, 0, 1], [1, 2, 2]], np.int64)
    reduce = lambda how: lambda x, k, u: x.scatter_reduce(1, k, u, how)
    ties = np.array([[1, 2, 0, 3]], np.float32)
    save(
        "scatter",
        ("max", reduce("amax"), normal(2, 4), at, normal(2, 3)),
        ("min", reduce("amin"), normal(2, 4), at, normal(2, 3)),
        ("max_ties", reduce("amax"), ties, np.array([[1, 1, 3, 2]], np.int64), np.array([[2, 2, 1, 5]], np.float32)),
    )


def defined():
    def normalise(x):
        off = x - x.mean((0, 2, 3), keepdim=True)
        return off / (off.square().mean((0, 2, 3), keepdim=True).sqrt() + 1e-9)

    save(
        "defined",
        ("lrn", lambda x: F.local_response_norm(x, 3, 0.6, 0.75, 1.5), normal(2, 5, 2, 2)),
        ("lrn_wide", lambda x: F.local_response_norm(x, 5, 0.6, 0.5, 1.0), normal(1, 4, 1, 3)),
        ("shrink", lambda x: F.softshrink(x, 0.5), clear(9, kinks=(-0.5, 0.5))),
        ("mod", torch.fmod, np.array([[5.3, -5.3, 0.4], [2.9, -2.9, 7.2]], np.float32), np.array([2, -2.2, 1.7], np.float32)),
        ("mean_variance", normalise, normal(2, 3, 2, 2)),
        ("col2im", lambda x: F.fold(x, (4, 6), 2, stride=2), normal(2, 8, 6)),
        ("col2im_over", lambda x: F.fold(x, (5, 4), (3, 2), dilation=(1, 2), padding=(1, 0), stride=(2, 1)), normal(1, 12, 6)),
    )


def grid_sample():
    def places(*shape, size, corners=False, wide=1.5):
        """Between elements of an axis of a size, some outside."""
        p = np.floor(rng.uniform(-wide, size - 1 + wide, shape)) + rng.uniform(0.25, 0.45, shape)
        return (2 * p / (size - 1) - 1 if corners else (2 * p + 1) / size - 1).astype(np.float32)

    def grid(shape, sizes, **kw):
        return np.stack([places(*shape, size=s, **kw) for s in reversed(sizes)], -1)

    def take(mode, padding, corners):
        return lambda x, g: F.grid_sample(x, g, mode, padding, corners)

    cases = []
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for corners in (False, True):
                name = f"{mode}_{padding}" + "_corners" * corners
                cases.append((name, take(mode, padding, corners), normal(1, 2, 4, 5), grid((1, 2, 3), (4, 5), corners=corners)))
    cases.append(("volume", take("bilinear", "zeros", False), normal(2, 2, 3, 4, 3), grid((2, 1, 2, 2), (3, 4, 3))))
    save("grid_sample", *cases)


def recurrent():
    """In ONNX's layouts: X (T, N, I), W (D, k·H, I), R (D, k·H, H), B (D, 2k·H), states
    (D, N, H); all results, one after the other."""
    T, N, I, H = 3, 2, 3, 2

    def run(kind, order, d, bias=True):
        def fn(x, w, r, b, *states):
            turn = lambda v: torch.cat([v[i * H : (i + 1) * H] for i in order])  # ONNX's gates in PyTorch's order
            flat = []
            for k in range(d):
                flat += [turn(w[k]), turn(r[k])]
                if bias:
                    half = b.shape[1] // 2
                    flat += [turn(b[k, :half]), turn(b[k, half:])]
            state = states if kind == "lstm" else states[0]
            out = getattr(torch._VF, kind)(x, state, flat, bias, 1, 0.0, False, d == 2, False)
            y = out[0].reshape(T, N, d, H).permute(0, 2, 1, 3)
            return torch.cat([v.reshape(-1) for v in (y, *out[1:])])

        return fn

    def args(gates, d, states):
        return (normal(T, N, I), normal(d, gates * H, I), normal(d, gates * H, H), normal(d, 2 * gates * H), *(normal(d, N, H) for _ in range(states)))

    def gru_before(x, w, r, b, h):
        """linear_before_reset 0, which PyTorch has not: the formula in ONNX's Operators.md."""
        hs, h = [], h[0]
        wz, wr, wh = w[0].chunk(3)
        rz, rr, rh = r[0].chunk(3)
        bz, br, bh, cz, cr, ch = b[0].chunk(6)
        for t in range(T):
            z = (x[t] @ wz.T + h @ rz.T + bz + cz).sigmoid()
            g = (x[t] @ wr.T + h @ rr.T + br + cr).sigmoid()
            n = (x[t] @ wh.T + (g * h) @ rh.T + bh + ch).tanh()
            h = (1 - z) * n + z * h
            hs.append(h)
        return torch.cat([torch.stack(hs).reshape(-1), h.reshape(-1)])

    def peepholes(x, w, r, b, h, c, p):
        """The formula in ONNX's Operators.md."""
        h, c, hs = h[0], c[0], []
        pi, po, pf = p[0].chunk(3)
        half = b.shape[1] // 2
        for t in range(T):
            i, o, f, g = (x[t] @ w[0].T + h @ r[0].T + b[0, :half] + b[0, half:]).chunk(4, 1)
            i, f = (i + pi * c).sigmoid(), (f + pf * c).sigmoid()
            c = f * c + i * g.tanh()
            h = (o + po * c).sigmoid() * c.tanh()
            hs.append(h)
        return torch.cat([torch.stack(hs).reshape(-1), h.reshape(-1), c.reshape(-1)])

    lstm, gru = (0, 2, 3, 1), (1, 0, 2)
    save(
        "recurrent",
        ("lstm", run("lstm", lstm, 1), *args(4, 1, 2)),
        ("lstm_both_ways", run("lstm", lstm, 2), *args(4, 2, 2)),
        ("lstm_peepholes", peepholes, *args(4, 1, 2), normal(1, 3 * H)),
        ("gru", run("gru", gru, 1), *args(3, 1, 1)),
        ("gru_both_ways", run("gru", gru, 2), *args(3, 2, 1)),
        ("gru_before", gru_before, *args(3, 1, 1)),
        ("rnn", run("rnn_tanh", (0,), 1), *args(1, 1, 1)),
        ("rnn_relu", run("rnn_relu", (0,), 1), *args(1, 1, 1)),
    )


def conv_4():
    """Depthwise kernels over maps wider than ten of them."""
    save(
        "conv_4",
        ("windows_strided", lambda x, w: F.conv2d(x, w, stride=2, padding=1, groups=2), whole(2, 2, 4, 35), whole(2, 1, 3, 3)),
        ("windows_dilated", lambda x, w: F.conv2d(x, w, dilation=(1, 2), padding=(0, 3), groups=2), whole(2, 2, 4, 33), whole(2, 1, 2, 3)),
        ("crossed", lambda x, w: F.conv2d(x, w, padding=2, groups=2), whole(2, 2, 3, 53), whole(2, 1, 5, 5)),
        ("crossed_unread", lambda x, w: F.conv2d(x, w, stride=3, groups=2), whole(2, 2, 6, 32), whole(2, 1, 3, 3)),
    )


def conv_5():
    """Several input channels per group, one output channel."""
    save(
        "conv_5",
        ("shifted", lambda x, w: F.conv2d(x, w, padding=1, groups=2), whole(2, 4, 4, 5), whole(2, 2, 3, 3)),
        ("shifted_dilated", lambda x, w: F.conv2d(x, w, dilation=(1, 2), padding=(0, 1), groups=3), whole(2, 6, 4, 5), whole(3, 2, 2, 3)),
        ("shifted_even", lambda x, w: F.conv2d(F.pad(x, (0, 1, 1, 0)), w, groups=2), whole(1, 8, 3, 4), whole(2, 4, 2, 2)),
    )


def affine_grid():
    cases = []
    for name, size in (("picture", (2, 3, 4, 5)), ("volume", (2, 1, 2, 3, 4))):
        for corners in (False, True):
            d = len(size) - 2
            what = "corners" if name == "picture" else name + "_corners"
            cases.append((what if corners else name, lambda t, size=size, corners=corners: F.affine_grid(t, list(size), corners), normal(2, d, d + 1)))
    save("affine_grid", *cases)


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
    activation_2()
    arithmetic_2()
    trigonometry()
    reduce_2()
    layout_2()
    pad()
    gather()
    norm_layer()
    conv_transpose()
    einsum()
    pool_2()
    resize_2()
    conv_2()
    conv_3()
    norm_2()
    layout_3()
    scatter()
    defined()
    grid_sample()
    recurrent()
    conv_4()
    conv_5()
    affine_grid()
