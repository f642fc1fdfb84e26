"""A small channels-last network exported by Keras, with and without constant folding, and
its derivatives in float64: writes step/testdata/keras_{export,fresh,unfolded}.onnx and
keras.npz.

Conv2D (3 to 4, 3×3, bias), BatchNormalization, ReLU, SeparableConv2D (4 to 5, no bias),
BatchNormalization without gamma, Conv2D (5 to 3) and a Softmax over the last axis; images
(N, 6, 6, 3), target (N, 6, 6). x and target are the batch; CASE.loss, CASE.NAME.grad by the
file's initializers and, for unfolded.train, CASE.NAME.new by its statistics: Keras' own
after the batch.  Export and comparison are those of bench/networks/keras_nets.py.

Versions: keras 3.15.1, torch 2.15.0, onnx 1.22.0; stored with the seed in the file.

    KERAS_BACKEND=torch python golden/keras_norm.py
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench" / "networks"))

import keras  # noqa: E402
import keras_nets as nets  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from keras import layers  # noqa: E402

SEED = 11


def small():
    i = keras.Input((6, 6, 3))
    x = layers.ReLU()(layers.BatchNormalization(name="first")(layers.Conv2D(4, 3, padding="same", name="conv")(i)))
    x = layers.BatchNormalization(scale=False, name="second")(layers.SeparableConv2D(5, 3, padding="same", use_bias=False, name="separable")(x))
    return keras.Model(i, layers.Conv2D(3, 1, activation="softmax", name="scores")(x))


keras.utils.set_random_seed(SEED)
nets.NETS["small"] = small
g = torch.Generator().manual_seed(SEED)
x, target = torch.randn(4, 6, 6, 3, generator=g), torch.randint(0, 3, (4, 6, 6), generator=g)
version = lambda v: np.array([int(p) for p in v.split("+")[0].split(".")[:3]])
out = {"keras": version(keras.__version__), "torch": version(torch.__version__), "seed": np.array([SEED]), "x": x.numpy(), "target": target.numpy()}
folder = ROOT / "step" / "testdata"
first = None
for file, form, fresh, modes in (("export", "export", False, ["frozen"]), ("fresh", "export", True, ["train"]), ("unfolded", "unfolded", False, ["train", "frozen"])):
    net = nets.build("small", "float32")
    net.set_weights(nets.weights(net, fresh, SEED))
    values = [np.array(keras.ops.convert_to_numpy(v.value)) for v in net.weights]
    path = folder / f"keras_{file}.onnx"
    nets.export(net, form, str(path))
    for mode in modes:
        loss, exact, moved = nets.reference("small", values, x, target, mode == "train", "float64")
        out[f"{file}.{mode}.loss"] = np.array(loss)
        for name, d in nets.matches(str(path), net, exact).items():
            out[f"{file}.{mode}.{name}.grad"] = d
        if mode == "train" and form == "unfolded":
            out |= {f"{file}.{mode}._torch_params.{n}.new": v for n, v in moved.items()}
    print(path.name, path.stat().st_size)
np.savez_compressed(folder / "keras.npz", **{n.replace("/", "|"): v for n, v in out.items()})
print((folder / "keras.npz").stat().st_size)
