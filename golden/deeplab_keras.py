"""DeepLabV3+ of Keras' example "Multiclass semantic segmentation using DeepLabV3+", for package nn.

Writes nn/testdata/deeplab_keras.npz: weights by formula (formula.py) under the names of
package nn, a 64x64 input after preprocess_input, every fourth logit of each row and column,
the channels' means, and the number of weights.  The layers and their order are those of
keras.io/examples/vision/deeplabv3_plus with keras.applications.ResNet50(weights=None).
Versions: keras 3.15.1 on torch 2.15.0, numpy 2.4.6.
"""
import os

os.environ["KERAS_BACKEND"] = "torch"
import pathlib

import keras
import numpy as np
from keras import layers

from formula import noise, weights

keras.utils.set_random_seed(1)
out = pathlib.Path(__file__).parent.parent / "nn" / "testdata"
SIZE, CLASSES = 64, 5


def dashed(name):
    return name.replace(".", "-")  # torch allows no dots in names


def block(x, name, filters=256, kernel=3, rate=1, bias=False):
    x = layers.Conv2D(filters, kernel, dilation_rate=rate, padding="same", use_bias=bias,
                      kernel_initializer=keras.initializers.HeNormal(), name=dashed(name + ".0"))(x)
    return keras.ops.nn.relu(layers.BatchNormalization(name=dashed(name + ".1"))(x))


def pyramid(x):
    rows, columns = x.shape[1:3]
    pooled = block(layers.AveragePooling2D(pool_size=(rows, columns))(x), "head.pool", kernel=1, bias=True)
    branches = [layers.UpSampling2D(size=(rows, columns), interpolation="bilinear")(pooled)]
    branches.append(block(x, "head.aspp.0", kernel=1))
    for i, rate in enumerate((6, 12, 18)):
        branches.append(block(x, f"head.aspp.{i + 1}", rate=rate))
    return block(layers.Concatenate(axis=-1)(branches), "head.project", kernel=1)


def upsample(x, rows, columns):
    return layers.UpSampling2D(size=(rows // x.shape[1], columns // x.shape[2]), interpolation="bilinear")(x)


image = keras.Input(shape=(SIZE, SIZE, 3))
backbone = keras.applications.ResNet50(weights=None, include_top=False, input_tensor=image)
x = pyramid(backbone.get_layer("conv4_block6_2_relu").output)
x = upsample(x, SIZE // 4, SIZE // 4)
low = block(backbone.get_layer("conv2_block3_2_relu").output, "head.skip4", filters=48, kernel=1)
x = layers.Concatenate(axis=-1)([x, low])
x = block(block(x, "head.merge4.0"), "head.merge4.1")
x = layers.Conv2D(CLASSES, kernel_size=(1, 1), padding="same", name="head-classify")(upsample(x, SIZE, SIZE))
model = keras.Model(inputs=image, outputs=x)

NAMES = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias",
         "moving_mean": "running_mean", "moving_variance": "running_var"}
for layer in model.layers:
    prefix = layer.name.replace("-", ".") if layer.name.startswith("head-") else "backbone." + layer.name
    for v in layer.weights:
        shape, kernel = tuple(v.shape), v.name == "kernel"
        if kernel:
            shape = (shape[3], shape[2], shape[0], shape[1])
        w = weights(f"{prefix}.{NAMES[v.name]}", shape).numpy()
        v.assign(w.transpose(2, 3, 1, 0) if kernel else w)

picture = noise(3 * SIZE * SIZE, 1).reshape(1, 3, SIZE, SIZE)
logits = np.array(model.predict(picture.transpose(0, 2, 3, 1), verbose=0)).transpose(0, 3, 1, 2)[0]
count = sum(int(np.prod(v.shape)) for v in model.trainable_weights)
print(keras.__version__, count, "learned, logits", logits.shape, logits.min(), logits.max(), logits.std())
np.savez_compressed(out / "deeplab_keras.npz", logits=np.ascontiguousarray(logits[:, ::4, ::4]),
                    means=logits.mean((1, 2)), learned=np.array([count], np.int64))
