"""Small models as their frameworks export them, for package zoo's imports.

Writes zoo/testdata/imported/NAME.onnx and, for each, NAME.npz: x, an image as package
pipeline feeds it (1, 3, H, W) and y, the framework's answer, scores of maps as (N, C, H, W).

 torch_old, torch_new   a classifier by both of PyTorch's exporters, for one image; torch_new
                        ends in a softmax
 torch_segment          a U of two levels with a second output, as torchvision's have one
 torch_binary           the same with one sigmoid a pixel
 keras_classify         depthwise, squeeze and excitation, ReLU6, a softmax; any number of images
 keras_segment          concatenation, bilinear upsampling, BatchNorms; any number of images
 tensorflow             a graph as tf2onnx writes it: uint8 channels last, Transposes where
                        they must be, names of operations

Versions: torch 2.15.0, keras 3.15.1 on torch, onnx 1.22.0, onnxscript 0.7.2, onnxruntime
1.32.0, numpy 2.4.6.
"""
import os

os.environ["KERAS_BACKEND"] = "torch"
import pathlib

import keras
import numpy as np
import onnx
import onnxruntime
import torch
from keras import layers
from onnx import TensorProto, helper, numpy_helper
from torch import nn

keras.utils.set_random_seed(1)
torch.manual_seed(1)
rng = np.random.default_rng(1)
out = pathlib.Path(__file__).parent.parent / "zoo" / "testdata" / "imported"
out.mkdir(parents=True, exist_ok=True)
H, W = 24, 32


def save(name, x, y):
    model = onnx.load(out / f"{name}.onnx")
    model.doc_string = ""
    for thing in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        thing.doc_string = ""
        del thing.metadata_props[:]  # where in PyTorch a node comes from, with this machine's paths
    onnx.save(model, out / f"{name}.onnx")
    np.savez_compressed(out / f"{name}.npz", x=x, y=y)
    size = (out / f"{name}.onnx").stat().st_size
    print(name, size, "bytes, answer", y.shape, y.min(), y.max())
    assert size < 50_000


class Classifier(nn.Module):
    def __init__(self, softmax):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.more = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.fc = nn.Linear(16, 7)
        self.softmax = softmax

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.more(self.stem(x)), 1)
        x = self.fc(torch.flatten(x, 1))
        return torch.softmax(x, 1) if self.softmax else x


class Segmenter(nn.Module):
    def __init__(self, classes, sigmoid):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.deep = nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU())
        self.last = nn.Conv2d(20, classes, 1)
        self.sigmoid = sigmoid

    def forward(self, x):
        a = self.down(x)
        b = nn.functional.interpolate(self.deep(a), size=a.shape[-2:], mode="bilinear", align_corners=False)
        y = nn.functional.interpolate(self.last(torch.cat([a, b], 1)), size=x.shape[-2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(y) if self.sigmoid else (y, b.mean((2, 3)))


def lively(module):
    """BatchNorms with statistics of their own."""
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.uniform_(-0.5, 0.5)
            m.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.uniform_(m.bias, -0.5, 0.5)
    return module.eval()


with torch.no_grad():
    x = torch.randn(1, 3, H, W)
    for name, dynamo in (("torch_old", False), ("torch_new", True)):
        net = lively(Classifier(dynamo))
        torch.onnx.export(net, (x,), out / f"{name}.onnx", dynamo=dynamo, external_data=False)
        save(name, x.numpy(), net(x).numpy())
    net = lively(Segmenter(4, False))
    torch.onnx.export(net, (x,), out / "torch_segment.onnx", dynamo=True, external_data=False, output_names=["out", "aux"])
    save("torch_segment", x.numpy(), net(x)[0].numpy())
    net = lively(Segmenter(1, True))
    torch.onnx.export(net, (x,), out / "torch_binary.onnx", dynamo=True, external_data=False)
    save("torch_binary", x.numpy(), net(x).numpy())


def norm(x):
    return layers.BatchNormalization(beta_initializer="random_normal", gamma_initializer=keras.initializers.RandomUniform(0.5, 1.5),
                                     moving_mean_initializer="random_normal", moving_variance_initializer=keras.initializers.RandomUniform(0.5, 1.5))(x)


def keras_save(name, model):
    image = rng.normal(size=(1, H, W, 3)).astype(np.float32)
    y = np.array(model.predict(image, verbose=0))
    model.export(out / f"{name}.onnx", format="onnx", verbose=False)
    save(name, image.transpose(0, 3, 1, 2), y.transpose(0, 3, 1, 2) if y.ndim == 4 else y)


image = keras.Input((H, W, 3))
x = layers.ReLU(6.0)(norm(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)))
x = norm(layers.DepthwiseConv2D(3, padding="same")(layers.ZeroPadding2D(1)(x)))
s = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
s = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="silu")(s))
x = layers.Multiply()([x, s])
x = layers.GlobalAveragePooling2D()(layers.Conv2D(12, 1)(x))
keras_save("keras_classify", keras.Model(image, layers.Dense(6, activation="softmax")(x)))

image = keras.Input((H, W, 3))
a = keras.ops.nn.relu(norm(layers.Conv2D(8, 3, strides=2, padding="same")(image)))
b = layers.LeakyReLU()(norm(layers.Conv2D(12, 3, strides=2, dilation_rate=1, padding="same")(a)))
p = layers.UpSampling2D((H // 4, W // 4), interpolation="bilinear")(layers.AveragePooling2D((H // 4, W // 4))(b))
b = layers.UpSampling2D(2, interpolation="bilinear")(layers.Concatenate()([b, p]))
x = layers.Concatenate()([a, b])
x = layers.Conv2D(5, 1)(layers.UpSampling2D(2, interpolation="bilinear")(x))
keras_save("keras_segment", keras.Model(image, x))


def constant(name, a):
    return numpy_helper.from_array(np.asarray(a), name)


scope = "StatefulPartitionedCall/model/"
nodes = [
    helper.make_node("Cast", ["image:0"], [scope + "Cast:0"], name=scope + "Cast", to=TensorProto.FLOAT),
    helper.make_node("Mul", [scope + "Cast:0", "scale"], [scope + "rescale/mul:0"], name=scope + "rescale/mul"),
    helper.make_node("Add", [scope + "rescale/mul:0", "offset"], [scope + "rescale/add:0"], name=scope + "rescale/add"),
    helper.make_node("Transpose", [scope + "rescale/add:0"], ["to_nchw"], perm=[0, 3, 1, 2]),
    helper.make_node("Conv", ["to_nchw", "w1", "b1"], ["conv1"], name=scope + "conv1/Conv2D", strides=[2, 2], pads=[0, 0, 1, 1]),
    helper.make_node("Relu", ["conv1"], [scope + "relu1/Relu:0"], name=scope + "relu1/Relu"),
    helper.make_node("Conv", [scope + "relu1/Relu:0", "w2"], ["conv2"], name=scope + "conv2/Conv2D"),
    helper.make_node("Transpose", ["conv2"], ["to_nhwc"], perm=[0, 2, 3, 1]),
    helper.make_node("Add", ["to_nhwc", "b2"], [scope + "conv2/BiasAdd:0"], name=scope + "conv2/BiasAdd"),
    helper.make_node("ArgMax", [scope + "conv2/BiasAdd:0"], ["mask"], name=scope + "ArgMax", axis=3, keepdims=0),
]
graph = helper.make_graph(
    nodes, "tf2onnx",
    [helper.make_tensor_value_info("image:0", TensorProto.UINT8, ["unk__1", H, W, 3])],
    [helper.make_tensor_value_info("mask", TensorProto.INT64, ["unk__2", H // 2, W // 2])],
    [constant("scale", np.float32(1 / 127.5)), constant("offset", np.array([-1, -0.9, -1.1], np.float32)),
     constant("w1", rng.normal(size=(8, 3, 3, 3)).astype(np.float32)), constant("b1", rng.normal(size=8).astype(np.float32)),
     constant("w2", rng.normal(size=(4, 8, 1, 1)).astype(np.float32)), constant("b2", rng.normal(size=4).astype(np.float32))])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tf2onnx")
onnx.checker.check_model(model)
onnx.save(model, out / "tensorflow.onnx")
picture = rng.integers(0, 256, (1, H, W, 3), dtype=np.uint8)
y = onnxruntime.InferenceSession(out / "tensorflow.onnx").run(None, {"image:0": picture})[0]
save("tensorflow", picture.transpose(0, 3, 1, 2).astype(np.float32), y)
