"""DeepLabV3+ on ResNet-50 as Keras' example has it, exported by Keras, comes in, answers as
Keras does, is trained further and served over HTTP."""

import io
import json
import os
import urllib.request

import numpy as np
import pytest

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="make acceptance-frameworks installs it")
onnxruntime = pytest.importorskip("onnxruntime", reason="make acceptance-frameworks installs it")
Image = pytest.importorskip("PIL.Image", reason="make acceptance-frameworks installs it")

from keras import layers  # noqa: E402

from frameworks import Store, blocks  # noqa: E402
from serving import Server  # noqa: E402

SIZE, CLASSES = 128, 5


def block(x, filters=256, kernel=3, rate=1, bias=False):
    x = layers.Conv2D(filters, kernel, dilation_rate=rate, padding="same", use_bias=bias, kernel_initializer=keras.initializers.HeNormal())(x)
    return keras.ops.nn.relu(layers.BatchNormalization()(x))


def deeplab():
    """The network of keras.io/examples/vision/deeplabv3_plus."""
    image = keras.Input(shape=(SIZE, SIZE, 3))
    backbone = keras.applications.ResNet50(weights=None, include_top=False, input_tensor=image)
    x = backbone.get_layer("conv4_block6_2_relu").output
    size = x.shape[1:3]
    pooled = block(layers.AveragePooling2D(pool_size=size)(x), kernel=1, bias=True)
    branches = [layers.UpSampling2D(size=size, interpolation="bilinear")(pooled), block(x, kernel=1), *(block(x, rate=r) for r in (6, 12, 18))]
    x = block(layers.Concatenate(axis=-1)(branches), kernel=1)
    x = layers.UpSampling2D(size=4, interpolation="bilinear")(x)
    low = block(backbone.get_layer("conv2_block3_2_relu").output, filters=48, kernel=1)
    x = block(block(layers.Concatenate(axis=-1)([x, low])))
    x = layers.UpSampling2D(size=4, interpolation="bilinear")(x)
    return keras.Model(image, layers.Conv2D(CLASSES, kernel_size=1, padding="same")(x))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    model, r = deeplab(), np.random.default_rng(1)
    for layer in model.layers:  # BatchNorms that say something, so that classes differ from place to place
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = (np.array(w) for w in layer.get_weights())
            layer.set_weights([r.uniform(0.5, 1.5, gamma.shape), r.normal(0, 0.3, beta.shape), r.normal(0, 0.1, mean.shape), r.uniform(0.5, 2, variance.shape)])
    return model


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return blocks(tmp_path_factory.mktemp("pictures") / "set", 20, SIZE, SIZE)


@pytest.fixture(scope="module")
def imported(model, store, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "deeplab.onnx"
    model.predict(np.zeros((1, SIZE, SIZE, 3), np.float32), verbose=0)  # export wants a model that was called
    model.export(path, format="onnx", verbose=False)
    said = json.loads(store.run("models", "import", path, "--name", "deeplab", "--normalise", "caffe", "--json"))
    assert "channels last, turned to channels first, any number at once" in said["input"]
    assert (said["task"], said["classes"]) == ("segment", str(CLASSES))
    return said["model"]


def test_answers_as_keras(model, store, imported, pictures):
    pixels = np.stack([np.array(Image.open(p)) for p in sorted((pictures / "images").iterdir())[:4]]).astype(np.float32)
    x = keras.applications.resnet.preprocess_input(pixels.copy())
    want = np.array(model.predict(x, verbose=0))
    assert len(np.unique(want.argmax(3))) > 1, "one class everywhere shows nothing"
    session = onnxruntime.InferenceSession(store.graph(imported))
    got = session.run(None, {session.get_inputs()[0].name: x.transpose(0, 3, 1, 2)})[0].transpose(0, 2, 3, 1)
    assert (got.argmax(3) == want.argmax(3)).mean() >= 0.999
    assert np.abs(got - want).max() < 1e-4 * max(1, np.abs(want).max())


def mask_of(server, model, path):
    """The mask of a picture file, as the native API answers it."""
    request = urllib.request.Request(f"{server.url}/api/v1/models/{model}/segment", data=path.read_bytes(),
                                     headers={"Content-Type": "image/png", "Accept": "image/png"})
    with urllib.request.urlopen(request, timeout=60) as r:
        return np.array(Image.open(io.BytesIO(r.read())))


def test_served_as_keras(model, store, imported, pictures, tmp_path):
    """The whole way, from the file of a picture to its mask, by the command and over HTTP."""
    paths = sorted((pictures / "images").iterdir())[:4]
    with Server(store, "--models", "") as server:
        for path in paths:
            store.run("segment", path, "--model", "deeplab", "--masks", tmp_path)
            x = keras.applications.resnet.preprocess_input(np.array(Image.open(path), dtype=np.float32)[None])
            want = np.array(model.predict(x, verbose=0))[0].argmax(2)
            served = mask_of(server, "deeplab", path)
            assert (served == want).mean() >= 0.999
            assert (np.array(Image.open(tmp_path / f"{path.stem}.png")) == served).all()


def test_is_trained_further_and_served(store, imported, pictures, tmp_path):
    said = [json.loads(line) for line in store.run("train", pictures, "--name", "further", "--from", "deeplab", "--unfreeze", ".", "--epochs", 1, "--json").splitlines()]
    losses = [e["loss"] for e in said if e.get("kind") == "step" and "loss" in e]
    assert losses and np.isfinite(losses).all()
    assert said[-1]["model"] == "further@1"
    store.run("segment", pictures / "images", "--model", "further", "--masks", tmp_path)
    made = sorted(tmp_path.glob("*.png"))
    assert len(made) == 20
    with Server(store, "--models", "") as server:
        for mask in made[:4]:
            assert (mask_of(server, "further", pictures / "images" / mask.name) == np.array(Image.open(mask))).all()
    before, after = (onnxruntime.InferenceSession(store.graph(f"{n}@1")) for n in ("deeplab", "further"))
    x = np.random.default_rng(2).normal(0, 50, (1, 3, SIZE, SIZE)).astype(np.float32)
    a, b = (s.run(None, {s.get_inputs()[0].name: x})[0] for s in (before, after))
    assert a.shape == b.shape and np.abs(a - b).max() > 1e-3, "nothing was learned"


def test_is_a_backbone(store, imported, pictures, tmp_path):
    """The example's own taps, by the names of nodes in the file."""
    taps = [line.split() for line in store.run("models", "show", "deeplab", "--taps").splitlines()[1:]]
    relus = {(int(t[3]), int(t[4])): t[0] for t in taps if t[2] == "Relu"}
    file = tmp_path / "model.yaml"
    store.run("model", "init", "deeplabv3plus", "--backbone", "deeplab", "-o", file)
    low, high = relus[4, 64], relus[16, 256]
    text = file.read_text().replace("width: 384", f"width: {SIZE}").replace("height: 288", f"height: {SIZE}")
    file.write_text(text.replace("  freeze: true", f"  taps: [{low}, {high}]\n  freeze: true", 1))
    store.run("model", "check", file)
    said = store.run("train", pictures, "--name", "headed", "--model", file, "--epochs", 1)
    assert "headed@1" in said
    file.write_text(file.read_text().replace(high, high + "x"))
    wrong = store.run("model", "check", file, ok=False)
    assert "model.yaml:" in wrong and "backbone.taps[1]" in wrong and high in wrong
