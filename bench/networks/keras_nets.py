"""Keras 3 networks through `trilobite grad`, beside Keras' own derivatives.

Each network is exported twice: "export" by model.export(format="onnx"), which folds each
BatchNormalization's scale and variance into one number, and "unfolded" by PyTorch's
exporter with do_constant_folding=False, in which all weights stay apart.  Derivatives are
compared with autograd through the Keras network in float64, as run.py does it, running
statistics with Keras' own after the batch, and of the unfolded files the losses over twenty
steps of AdamW and SGD with torch.optim's on Keras' variables.  Statistics are those of a fresh layer
where folded files are put into training mode; else scale and variance are not known.

    python bench/networks/keras_nets.py [NETWORK …]
"""
import argparse
import contextlib
import io
import os
import pathlib
import subprocess
import tempfile
import warnings

os.environ["KERAS_BACKEND"] = "torch"
import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import run  # noqa: E402
import torch  # noqa: E402
from keras import layers  # noqa: E402
from onnx import numpy_helper  # noqa: E402

warnings.simplefilter("ignore")
CLASSES = 5


def mlp():
    i = keras.Input((12,))
    x = layers.BatchNormalization()(layers.Dense(16, activation="gelu")(i))
    x = layers.BatchNormalization(scale=False)(layers.Dense(8, activation="tanh")(x))
    return keras.Model(i, layers.Dense(CLASSES, activation="softmax")(x))


def cnn():
    i = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(i)))
    x = layers.ReLU(6.0)(layers.BatchNormalization(scale=False)(layers.SeparableConv2D(12, 3, strides=2, padding="same", use_bias=False)(x)))
    x = layers.BatchNormalization(center=False, epsilon=1e-5, momentum=0.9)(layers.Conv2D(16, 3, use_bias=False)(layers.MaxPooling2D()(x)))
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(i, layers.Dense(CLASSES)(layers.Activation("silu")(layers.BatchNormalization()(x))))


def unet():
    """Scores of each pixel, (N, H, W, C)."""
    i = keras.Input((16, 16, 3))
    block = lambda x, n: layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(n, 3, padding="same", use_bias=False)(x)))
    a = block(i, 8)
    b = block(layers.MaxPooling2D()(a), 16)
    x = layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(b), a])
    x = layers.Conv2DTranspose(8, 2, 2)(layers.AveragePooling2D(2)(block(x, 8)))
    return keras.Model(i, layers.Conv2D(CLASSES, 1, activation="softmax")(x))


def application(name, **kw):
    return lambda: getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3), classes=CLASSES, **kw)


NETS = {
    "mlp": mlp, "cnn": cnn, "unet": unet,
    "MobileNetV2": application("MobileNetV2", alpha=0.35),
    "ResNet50": application("ResNet50"),
    "DenseNet121": application("DenseNet121", classifier_activation=None),
    "EfficientNetB0": application("EfficientNetB0"),
}


def build(name, dtype):
    keras.utils.clear_session()
    keras.config.set_dtype_policy(dtype)
    keras.config.set_floatx(dtype)
    net = NETS[name]()
    for layer in net._flatten_layers():
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    return net


def weights(net, fresh, seed=4):
    """Values for net's variables: distinct, so that no exporter makes one of two."""
    r, values = np.random.default_rng(seed), []
    for v in net.weights:
        value, kind = np.array(keras.ops.convert_to_numpy(v.value)), v.path.rsplit("/", 1)[-1]
        if kind in ("bias", "beta"):
            value = r.normal(0, 0.1, value.shape)
        elif kind == "gamma" and not fresh:
            value = r.uniform(0.7, 1.4, value.shape)
        elif kind == "moving_mean" and not fresh:
            value = r.normal(0, 0.1, value.shape)
        elif kind == "moving_variance" and not fresh:
            value = r.uniform(0.7, 1.4, value.shape)
        values.append(np.asarray(value, np.float32))
    return values


def export(net, form, path):
    shape = net.inputs[0].shape[1:]
    x = torch.zeros(2, *shape)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), torch.no_grad():
        net(x)
        if form == "export":
            net.export(path, format="onnx", verbose=False)
        else:
            net.eval()
            torch.onnx.export(net, (x,), path, dynamo=False, do_constant_folding=False, opset_version=17,
                              training=torch.onnx.TrainingMode.PRESERVE, input_names=["input"], dynamic_axes={"input": {0: "N"}})


def logits(net):
    """net without its Softmax."""
    last = net.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
    return net


def loss(net, x, target, train):
    y = net(x, training=train)
    return torch.nn.functional.cross_entropy(y.movedim(-1, 1), target)


def reference(name, values, x, target, train, dtype):
    """Loss, derivative by variable, statistics afterwards."""
    net = logits(build(name, dtype))
    net.set_weights(values)
    total = loss(net, x.to(getattr(torch, dtype)), target, train)
    found = torch.autograd.grad(total, [v.value for v in net.trainable_variables])
    number = lambda t: t.detach().double().numpy()
    return (total.item(), {v.path: number(g) for v, g in zip(net.trainable_variables, found)},
            {v.path: number(v.value) for v in net.non_trainable_variables if "moving" in v.path})


def curve(name, values, x, target, train, rule):
    """The losses before each of twenty steps in float64."""
    net = logits(build(name, "float64"))
    net.set_weights(values)
    rule, losses = rule([v.value for v in net.trainable_variables]), []
    for _ in range(run.STEPS):
        rule.zero_grad()
        total = loss(net, x.double(), target, train)
        total.backward()
        rule.step()
        losses.append(total.item())
    return losses


def initializers(path):
    return {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer if i.data_type == onnx.TensorProto.FLOAT}


def layouts(kind, v):
    """A variable in the layouts that exporters give it."""
    yield v
    if v.ndim == 4:
        yield v.transpose(3, 2, 0, 1)
        if kind == "depthwise_kernel" or v.shape[-1] == 1:
            yield v.transpose(2, 3, 0, 1)


def matches(path, net, exact):
    """What the derivative by each initializer is to be, from those by variable, summed
    where the exporter found variables equal."""
    values, by_name = initializers(path), {}
    variables = {v.path: v for v in net.weights}
    epsilons = {layer.path: layer.epsilon for layer in net._flatten_layers() if isinstance(layer, layers.BatchNormalization)}
    for name, g in exact.items():
        kind, value = name.rsplit("/", 1)[-1], keras.ops.convert_to_numpy(variables[name].value)
        factor = 1.0
        if f"_torch_params.{name}" in values:
            by_name[f"_torch_params.{name}"] = g
            continue
        if kind == "gamma":
            norm = name.rsplit("/", 1)[0]
            factor = np.sqrt(keras.ops.convert_to_numpy(variables[norm + "/moving_variance"].value).astype(np.float64) + epsilons[norm])
        for v, d in zip(layouts(kind, value / factor), layouts(kind, g * factor)):
            hit = next((n for n, i in values.items() if i.size == v.size and np.allclose(i.reshape(-1), v.reshape(-1), 1e-5, 1e-7)), None)
            if hit:
                by_name[hit] = by_name.get(hit, 0) + d.reshape(values[hit].shape)
                break
        else:
            raise KeyError(f"no initializer is {name}")
    return by_name


def unscaled(path, net):
    """The initializers that are 1/√(variance + epsilon) of layers without gamma: nothing in
    the file says that they are not trained."""
    values = initializers(path)
    roots = [1 / np.sqrt(keras.ops.convert_to_numpy(layer.moving_variance.value) + layer.epsilon) for layer in net._flatten_layers()
             if isinstance(layer, layers.BatchNormalization) and not layer.scale]
    return {n for n, v in values.items() for r in roots if v.size == r.size and np.allclose(v.reshape(-1), r, 1e-5)}


def compare(name, form, bn, folder, options):
    train = bn == "train"
    fresh = train and form == "export"
    net = build(name, "float32")
    values = weights(net, fresh)
    net.set_weights(values)
    path, step = folder / "model.onnx", folder / "step.onnx"
    export(net, form, str(path))
    g = torch.Generator().manual_seed(options.seed)
    x = torch.randn(4, *net.inputs[0].shape[1:], generator=g)
    target = torch.randint(0, CLASSES, (4, *net.outputs[0].shape[1:-1]), generator=g)
    total, exact, moved = reference(name, values, x, target, train, "float64")
    own_total, own, _ = reference(name, values, x, target, train, "float32")
    want = matches(str(path), net, exact)
    short = matches(str(path), net, {n: own[n] - exact[n] for n in exact})
    extra = {"MobileNetV2": ["--bn-momentum", "0.999"]}.get(name, []) if train else []
    run.trilobite(path, step, bn, *extra)
    s = run.session(step)
    feed = {s.get_inputs()[0].name: x.numpy(), "target": target.numpy()} | initializers(str(path))
    out = run.run(s, feed)
    unknown = ({o[:-5] for o in out if o.endswith(".grad")} ^ set(want)) - unscaled(str(path), net)
    tensors = {n: torch.tensor(d) for n, d in want.items()}
    ratio, worst = run.distance(out, tensors, {n: np.linalg.norm(d) for n, d in short.items()})
    strict, _ = run.distance(out, tensors, None)
    off = lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)
    momenta = {layer.path: layer.momentum for layer in net._flatten_layers() if isinstance(layer, layers.BatchNormalization)}
    usual = {n: v for n, v in moved.items() if momenta[n.rsplit("/", 1)[0]] == (0.999 if name == "MobileNetV2" else 0.99)}
    statistics = max((off(out[f"_torch_params.{n}.new"], v) for n, v in usual.items()), default=0) if train and form == "unfolded" else None
    curves = []
    if form == "unfolded" and options.curve:
        for flags, rule in ((["adamw"], lambda p: torch.optim.AdamW(p, 1e-3)),
                            (["sgd", "--momentum", "0.9", "--nesterov", "--weight-decay", "1e-4"], lambda p: torch.optim.SGD(p, 1e-2, 0.9, weight_decay=1e-4, nesterov=True))):
            run.trilobite(path, step, bn, *extra, "--optimizer", *flags)
            lr = 1e-3 if flags[0] == "adamw" else 1e-2
            curves.append(run.apart(run.follow(run.session(step), feed, lr), curve(name, values, x, target, train, rule)))
    holds = ratio <= 1 and abs(out["loss"].item() - total) <= max(1e-5, 2 * abs(own_total - total)) and not unknown and (statistics or 0) <= 1e-5
    notes = ([] if holds else [f"FAILED, worst {worst}"]) + ([f"not the same parameters: {sorted(unknown)[:3]}"] if unknown else [])
    told = "" if statistics is None else f"{statistics:.0e}"
    print(f"| {name} | {form} | {bn} | {len(want)} | {abs(out['loss'].item() - total):.1e} | {strict:.3f} | {ratio:.3f} | {told} | "
          f"{' | '.join(f'{c:.1e}' for c in curves) or ' | '} | {'; '.join(notes)} |", flush=True)
    return holds


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("networks", nargs="*", choices=[[], *NETS], metavar="NETWORK")
    p.add_argument("--seed", type=int, default=4, help="of the batch")
    p.add_argument("--no-curve", dest="curve", action="store_false", help="no steps of AdamW and SGD")
    options = p.parse_args()
    torch.set_num_threads(1)
    print("| network | file | bn | parameters | loss error | derivative, of 1e-3 | of what is allowed | statistics | AdamW at 1e-3 | SGD at 1e-2 | |\n" + "|---" * 11 + "|")
    failed = 0
    for name in options.networks or NETS:
        for form in ("export", "unfolded"):
            for bn in ("frozen", "train"):
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        failed += not compare(name, form, bn, pathlib.Path(folder), options)
                    except (subprocess.CalledProcessError, KeyError, RuntimeError) as e:
                        failed += 1
                        print(f"| {name} | {form} | {bn} | | | | | | | | {' '.join(str(e).split())[:300]} |", flush=True)
    return failed != 0


if __name__ == "__main__":
    raise SystemExit(main())
