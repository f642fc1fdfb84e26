"""Reference fixtures of COCO-SSD's TensorFlow.js graph, computed by TensorFlow.

    python golden/cocossd.py        # from the repository root, after make build

Needs Python 3.11 with tensorflow-cpu==2.16.2 and numpy==1.26.4. Writes
convert/tfjs/testdata/cocossd.npz and pipeline/testdata/tf_resize.npz.

The graph is rebuilt as a GraphDef from model.json and its shards, so neither the
tensorflowjs converter nor our own reader has a hand in it.
"""

import base64
import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / ".deps" / "coco-ssd" / "model.json"


def load(path):
    """GraphDef of an unquantised TensorFlow.js graph model."""
    model = json.loads(path.read_text())
    weights = {}
    for group in model["weightsManifest"]:
        data = b"".join((path.parent / p).read_bytes() for p in group["paths"])
        at = 0
        for w in group["weights"]:
            a = np.frombuffer(data, w["dtype"], int(np.prod(w["shape"])), at).reshape(w["shape"])
            weights[w["name"]] = a
            at += a.nbytes
        assert at == len(data)
    graph = tf.compat.v1.GraphDef()
    for n in model["modelTopology"]["node"]:
        for a in n.get("attr", {}).values():
            if "s" in a:
                a["s"] = base64.b64encode(bytes(a["s"])).decode()
            a.pop("tensor", None)
            if n["op"] == "Const" and "tensor" in a:
                del a["tensor"]
        attrs = n.pop("attr", {})
        value = attrs.pop("value", None) if n["op"] == "Const" else None
        assert n["op"] != "Const" or value is not None
        n["attr"] = attrs
        node = json_format.ParseDict(n, graph.node.add(), ignore_unknown_fields=True)
        if n["op"] == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[n["name"]]))
            node.attr["dtype"].type = node.attr["value"].tensor.dtype
    return graph


def pixels(n, height, width):
    """A picture by formula: uint8 [height, width, 3], different for each n."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * (3 + n) + y * (5 + 2 * c) + x * y // (7 + n)) % 256).astype(np.uint8)


def main():
    graph = load(MODEL)
    net = tf.Graph()
    with net.as_default():
        tf.import_graph_def(graph, name="")
    with tf.compat.v1.Session(graph=net) as session:
        scale, shift = session.run(["Preprocessor/mul/x:0", "Preprocessor/sub/y:0"])
        print("normalisation: x *", repr(scale), "-", repr(shift), "; 1/127.5 =", repr(np.float32(1 / 127.5)))
        resize = net.get_operation_by_name("Preprocessor/map/while/ResizeImage/ResizeBilinear")
        print("resize:", {k: resize.get_attr(k) for k in ("align_corners", "half_pixel_centers")}, resize.inputs[1].op.name)

        images = np.stack([pixels(n, 300, 300) for n in range(2)])
        x = images.astype(np.float32) * scale - shift
        scores, boxes = session.run(["Postprocessor/Slice:0", "Postprocessor/ExpandDims_1:0"], {"Preprocessor/sub:0": x})
        print(scores.shape, scores.dtype, boxes.shape, "best", scores.max(axis=(1, 2)))
        one = session.run("Postprocessor/Slice:0", {"Preprocessor/sub:0": x[:1]})
        print("batch of one differs by", np.abs(one - scores[:1]).max())
        np.savez_compressed(
            ROOT / "convert/tfjs/testdata/cocossd.npz",
            scores=scores[:, ::64],  # [2, 30, 90]
            boxes=boxes[:, ::16],  # [2, 120, 1, 4], ymin xmin ymax xmax
            scores_sum=scores.sum(axis=2, dtype=np.float64).astype(np.float32),  # [2, 1917]
            boxes_sum=boxes.sum(axis=(1, 2), dtype=np.float64).astype(np.float32),  # [2, 4]
        )

        # What the model does to a file's pixels before the network, run as it stands.
        small = pixels(0, 23, 37)
        own = session.run("Preprocessor/sub:0", {"image_tensor:0": small[None]})[0]
        large = pixels(1, 48, 64)
    v1 = tf.raw_ops.ResizeBilinear
    to = lambda img, h, w: v1(images=img[None].astype(np.float32), size=[h, w], align_corners=False, half_pixel_centers=False)[0].numpy()
    assert np.array_equal(to(small, 300, 300) * scale - shift, own)
    np.savez_compressed(
        ROOT / "pipeline/testdata/tf_resize.npz",
        small=small,  # uint8 [23, 37, 3]
        small_30x30=to(small, 30, 30),  # float32 [30, 30, 3], 0 to 255
        small_own=own[::10, ::10],  # the model's own 300x300 output, normalised, every tenth row and column
        large=large,  # uint8 [48, 64, 3]
        large_20x20=to(large, 20, 20),
    )
    for f in ("convert/tfjs/testdata/cocossd.npz", "pipeline/testdata/tf_resize.npz"):
        size = (ROOT / f).stat().st_size
        print(f, size)
        assert size <= 50_000, f


if __name__ == "__main__":
    sys.exit(main())
