"""Makes ONNX files with TensorFlow and its converter, tf2onnx, and what TensorFlow answers: for
test_import_tensorflow.py, in a process of its own, since Keras has one backend in each.

Usage: tensorflow_models.py FOLDER"""

import os
import pathlib
import subprocess
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["KERAS_BACKEND"] = "3", "tensorflow"
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

out, SIZE = pathlib.Path(sys.argv[1]), 64
rng = np.random.default_rng(1)


def unet():
    x = image = keras.Input((SIZE, SIZE, 3))
    skips = []
    for filters in (8, 16, 32):
        x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for filters, skip in zip((32, 16, 8), skips[::-1]):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(layers.Concatenate()([x, skip]))
    return keras.Model(image, layers.Conv2D(4, 1, activation="softmax")(x))


def mobilenet():
    return keras.applications.MobileNetV2(weights=None, classes=10, input_shape=(SIZE, SIZE, 3))


class Function(tf.Module):
    """Bytes of any number of pictures go in; the answer is the class of each pixel."""

    def __init__(self):
        super().__init__()
        self.kernels = [tf.Variable(rng.normal(0, 0.2, s).astype("f")) for s in ((3, 3, 3, 16), (3, 3, 16, 1), (1, 1, 16, 5))]

    @tf.function(input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.uint8, name="image")])
    def __call__(self, image):
        x = tf.image.convert_image_dtype(image, tf.float32)
        x = tf.nn.relu6(tf.nn.conv2d(x, self.kernels[0], 2, "SAME"))
        x = tf.nn.conv2d(tf.nn.depthwise_conv2d(x, self.kernels[1], (1, 1, 1, 1), "SAME"), self.kernels[2], 1, "SAME")
        return tf.argmax(tf.image.resize(x, (SIZE, SIZE)), -1)


def save(name, model, x, y):
    if isinstance(model, keras.Model):
        model.export(out / name, verbose=False)
    else:
        tf.saved_model.save(model, str(out / name))
    subprocess.run([sys.executable, "-m", "tf2onnx.convert", "--saved-model", out / name, "--output", out / f"{name}.onnx", "--opset", "17"],
                   check=True, capture_output=True)
    np.savez(out / f"{name}.npz", x=x, y=y)


keras.utils.set_random_seed(1)
x = rng.uniform(0, 255, (1, SIZE, SIZE, 3)).astype("f")
for name, model in (("unet", unet()), ("mobilenet", mobilenet())):
    save(name, model, x, model.predict(x, verbose=0))
pixels = rng.integers(0, 256, (1, SIZE, SIZE, 3)).astype(np.uint8)
function = Function()
save("function", function, pixels, function(pixels).numpy())
