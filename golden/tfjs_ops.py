"""Small TensorFlow.js graphs and what TensorFlow computes from them.

    python golden/tfjs_ops.py       # from the repository root

Needs Python 3.11 with tensorflow-cpu==2.16.2 and numpy==1.26.4. Writes
convert/tfjs/testdata/ops.json.gz: per case a topology as the tensorflowjs converter
spells it (protobuf's JSON, constants in a weights manifest), its weights, one input
and the outputs. Operations that exist in TensorFlow.js alone, the fused ones, are
written over the plain operations that define them after those have run.
"""

import base64
import gzip
import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

ROOT = pathlib.Path(__file__).resolve().parent.parent
v1, raw = tf.compat.v1, tf.raw_ops
CASES = []


def case(shape=(None, 7, 6, 4), run=None, each=False, edit=None, nchw=False):
    """Adds a case: run is the input's shape while running; each runs image by image a
    graph that is frozen to one image, and asks the converted one for all at once."""

    def add(f):
        CASES.append((f.__name__, f, shape, run or tuple(2 if d is None else d for d in shape), each, edit, nchw))
        return f

    return add


rng = np.random.default_rng(20)


def w(*shape, low=-8, high=9):
    """Weights in eighths, which compress well and are exact in float16."""
    return (rng.integers(low, high, shape) / 8).astype(np.float32)


def conv(x, f, stride=1, padding="SAME", **k):
    return raw.Conv2D(input=x, filter=f, strides=[1, stride, stride, 1], padding=padding, **k)


def depth(x, f, stride=1, padding="SAME", **k):
    return raw.DepthwiseConv2dNative(input=x, filter=f, strides=[1, stride, stride, 1], padding=padding, **k)


def norm(x, c, eps=1e-3):
    return raw.FusedBatchNormV3(x=x, scale=w(c), offset=w(c), mean=w(c), variance=w(c, low=4, high=16), epsilon=eps, is_training=False).y


@case()
def conv_same_stride_2(x):
    return raw.Relu6(features=raw.BiasAdd(value=conv(x, w(3, 3, 4, 5), 2), bias=w(5)))


@case(shape=(None, None, None, 4), run=(2, 8, 5, 4))
def conv_same_of_any_size(x):
    return conv(x, w(3, 2, 4, 3), 2)


@case()
def conv_valid_dilated(x):
    return conv(x, w(3, 2, 4, 3), 1, "VALID", dilations=[1, 2, 3, 1])


@case()
def conv_explicit_padding(x):
    return conv(x, w(3, 3, 4, 3), 2, "EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 3, 0, 0])


@case()
def conv_grouped(x):
    return conv(x, w(3, 3, 2, 6))


@case()
def conv_then_scale_and_shift(x):
    return conv(x, w(1, 1, 4, 3)) * w(3) + w(3) - w(1, 1, 1, 3)


@case()
def conv_read_twice_is_not_changed(x):
    y = conv(x, w(1, 1, 4, 3))
    return y * w(3), y


@case()
def residual_then_shift(x):
    return raw.AddN(inputs=[conv(x, w(1, 1, 4, 4)) * w(4), x]) + w(4)


@case()
def depthwise_multiplier_and_norm(x):
    return norm(depth(x, w(3, 3, 4, 2), 2), 8)


@case()
def norm_without_convolution(x):
    return norm(x, 4)


@case()
def pad_then_valid(x):
    return depth(tf.pad(x, [[0, 0], [0, 1], [2, 1], [0, 0]]), w(3, 3, 4, 1), 2, "VALID")


@case()
def pad_read_twice(x):
    y = tf.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]])
    return conv(y, w(2, 2, 4, 2), 1, "VALID"), raw.MaxPool(input=y, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")


@case()
def pad_with_a_value_and_channels(x):
    return raw.PadV2(input=x, paddings=[[0, 0], [1, 0], [0, 2], [1, 1]], constant_values=2.5)


@case()
def pad_mirrored(x):
    return raw.MirrorPad(input=x, paddings=[[0, 0], [2, 1], [0, 2], [0, 0]], mode="REFLECT")


@case()
def atrous_depthwise(x):
    y = raw.SpaceToBatchND(input=x, block_shape=[2, 2], paddings=[[2, 3], [2, 2]])
    y = depth(y, w(3, 3, 4, 1), 1, "VALID")
    return norm(raw.BatchToSpaceND(input=y, block_shape=[2, 2], crops=[[0, 1], [0, 0]]), 4)


def fuse(op, name, ops, drop):
    """Rewrites node name to a fused op that takes over the inputs of the nodes in drop."""

    def edit(nodes):
        node = next(n for n in nodes if n["name"] == name)
        for d in drop:
            gone = next(n for n in nodes if n["name"] == d)
            node["input"] += gone["input"][1:]
            nodes.remove(gone)
            for n in nodes:
                n["input"] = [name if i == d else i for i in n.get("input", [])]
        node["op"] = op
        node["attr"]["fused_ops"] = {"list": {"s": [base64.b64encode(o.encode()).decode() for o in ops]}}
        node["attr"]["num_args"] = {"i": "1"}

    return edit


@case(edit=fuse("FusedDepthwiseConv2dNative", "core", ["BiasAdd", "Relu"], ["bias", "relu"]))
def atrous_fused(x):
    y = raw.SpaceToBatchND(input=x, block_shape=[2, 2], paddings=[[2, 3], [2, 2]])
    y = depth(y, w(3, 3, 4, 1), 1, "VALID", name="core")
    y = raw.Relu(features=raw.BiasAdd(value=y, bias=w(4), name="bias"), name="relu")
    return raw.BatchToSpaceND(input=y, block_shape=[2, 2], crops=[[0, 1], [0, 0]])


@case(edit=fuse("_FusedConv2D", "core", ["BiasAdd", "Relu6"], ["bias", "relu"]))
def fused_conv(x):
    return raw.Relu6(features=raw.BiasAdd(value=conv(x, w(3, 3, 4, 5), name="core"), bias=w(5), name="bias"), name="relu") * 2.0


@case(edit=fuse("_FusedConv2D", "core", ["FusedBatchNorm", "Relu"], ["norm", "relu"]))
def fused_conv_norm(x):
    y = conv(x, w(3, 3, 4, 5), name="core")
    y = raw.FusedBatchNormV3(x=y, scale=w(5), offset=w(5), mean=w(5), variance=w(5, low=4, high=16), epsilon=1e-4, is_training=False, name="norm").y
    return raw.Relu(features=y, name="relu") + 1.0


@case(shape=(None, 6), edit=fuse("_FusedMatMul", "core", ["BiasAdd", "Elu"], ["bias", "elu"]))
def fused_matmul(x):
    return raw.Elu(features=raw.BiasAdd(value=raw.MatMul(a=x, b=w(5, 6), transpose_b=True, name="core"), bias=w(5), name="bias"), name="elu") + 1.0


@case()
def pools(x):
    k = dict(ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1])
    return raw.MaxPool(input=x, padding="SAME", **k), raw.AvgPool(value=x, padding="SAME", **k), raw.AvgPool(value=x, padding="VALID", **k)


@case()
def deconvolution(x):
    return raw.Conv2DBackpropInput(input_sizes=[2, 14, 11, 3], filter=w(4, 3, 3, 4), out_backprop=x, strides=[1, 2, 2, 1], padding="SAME")


@case()
def means(x):
    m = lambda a, k: raw.Mean(input=x, axis=a, keep_dims=k)
    return m([1, 2], False), m([1, 2], True), m([3], False), m([1], False), raw.Max(input=x, axis=[-1], keep_dims=True)


@case()
def squeeze_and_excite(x):
    s = raw.Mean(input=x, axis=[1, 2], keep_dims=True)
    s = raw.Sigmoid(x=conv(raw.Relu(features=conv(s, w(1, 1, 4, 2))), w(1, 1, 2, 4)))
    return x * s


@case()
def head_of_a_classifier(x):
    y = tf.squeeze(conv(raw.Mean(input=x, axis=[1, 2], keep_dims=True), w(1, 1, 4, 6)), [1, 2])
    return raw.Softmax(logits=y)


@case()
def softmax_and_argmax_of_pixels(x):
    return raw.Softmax(logits=x), raw.ArgMax(input=x, dimension=3, output_type=tf.int32), raw.ArgMax(input=x, dimension=1, output_type=tf.int64)


@case()
def flatten_by_shape(x):
    n = raw.StridedSlice(input=raw.Shape(input=x), begin=[0], end=[1], strides=[1], shrink_axis_mask=1)
    return raw.MatMul(a=tf.reshape(x, tf.stack([n, 7 * 6 * 4])), b=w(168, 3))


@case()
def flatten_to_rows(x):
    return tf.reshape(x, [-1, 4])


@case(shape=(1, 7, 6, 4), each=True)
def flatten_frozen_to_one_image(x):
    return raw.MatMul(a=tf.reshape(x, [1, 168]), b=w(168, 3)), tf.reshape(x, [1, -1, 2, 4]), tf.reshape(tf.reshape(x, [168 // 4, 4]), [1, 42, 4])


@case(shape=(None, 6))
def tile_by_batch(x):
    n = raw.StridedSlice(input=raw.Shape(input=x), begin=[0], end=[1], strides=[1], shrink_axis_mask=1)
    return x + raw.Tile(input=w(1, 6), multiples=tf.stack([n, 1])), raw.Tile(input=x, multiples=[1, 2])


@case()
def broadcasts_against_an_image(x):
    y = conv(x, w(1, 1, 4, 4))
    return y * w(6, 1), y - w(7, 6, 1), w(4) / (y + 20.0), tf.maximum(y, x), y * raw.Mean(input=x, axis=[1, 2, 3], keep_dims=True), y + raw.Mean(input=x, axis=[0, 1, 2]), x - raw.Mean(input=x, axis=[0])


@case()
def concat_split_pack(x):
    a, b = tf.split(x, 2, axis=3)
    p, q, r = raw.SplitV(value=x, size_splits=[1, -1, 2], axis=1, num_split=3)
    u = tf.unstack(x, axis=3)
    return tf.concat([b, a, x], 3), tf.concat([p, r], 1), q, tf.stack([u[1], u[3]], axis=-1)


@case()
def slices(x):
    y = conv(x, w(1, 1, 4, 4))
    return y[:, 1:-1, ::2, 1:3], y[:, -1], y[..., 0], y[:, None, 2:5, :, 3], raw.Slice(input=y, begin=[0, 1, 0, 2], size=[-1, 3, 6, 2])


@case()
def transposes(x):
    y = tf.transpose(x, [0, 3, 1, 2])
    return y, tf.transpose(y * 2.0, [0, 2, 3, 1]), tf.transpose(x, [0, 2, 1, 3]), tf.transpose(tf.reshape(x, [-1, 42, 4]), [0, 2, 1])


@case()
def expand_and_squeeze(x):
    return tf.expand_dims(x, 2), tf.squeeze(x[:, :1], 1), tf.squeeze(x[:, :, :, 2:3], [3])


@case()
def gathers(x):
    return tf.gather(x, [3, 0, 1], axis=3), tf.gather(x, 2, axis=1)


@case()
def bilinear(x):
    r = lambda s, **k: raw.ResizeBilinear(images=x, size=s, **k)
    return r([10, 4]), r([10, 4], half_pixel_centers=True), r([10, 9], align_corners=True), r([14, 12])


@case()
def nearest(x):
    r = lambda s, **k: raw.ResizeNearestNeighbor(images=x, size=s, **k)
    return r([10, 4]), r([10, 4], half_pixel_centers=True), r([10, 9], align_corners=True)


@case()
def depth_and_space(x):
    return raw.DepthToSpace(input=tf.concat([x, -x], 3), block_size=2), raw.SpaceToDepth(input=x[:, :6], block_size=2)


@case(shape=(None, 5))
def functions(x):
    p = raw.Abs(x=x) + 0.5
    return (
        raw.Exp(x=x), raw.Log(x=p), raw.Sqrt(x=p), raw.Rsqrt(x=p), raw.Square(x=x), raw.Neg(x=x), raw.Floor(x=x), raw.Ceil(x=x),
        raw.Tanh(x=x), raw.LeakyRelu(features=x, alpha=0.3), raw.Selu(features=x), raw.Softplus(features=x), raw.Reciprocal(x=p),
        raw.Log1p(x=p), raw.Round(x=x), raw.SquaredDifference(x=x, y=p), raw.FloorMod(x=x, y=p), raw.FloorDiv(x=x, y=p), raw.Pow(x=p, y=x),
        raw.ClipByValue(t=x, clip_value_min=-0.5, clip_value_max=0.75), raw.SelectV2(condition=raw.Greater(x=x, y=0.0), t=x, e=p), raw.LogSoftmax(logits=x),
        raw.Cast(x=raw.LessEqual(x=x, y=0.25), DstT=tf.float32), raw.Minimum(x=x, y=p), raw.OnesLike(x=x),
    )


@case(shape=(None, 3, 4))
def products_of_matrices(x):
    return raw.BatchMatMulV2(x=x, y=w(4, 2)), raw.BatchMatMulV2(x=x, y=x, adj_y=True), raw.BatchMatMulV2(x=x, y=w(2, 4), adj_y=True)


@case()
def shape_arithmetic(x):
    s = raw.Shape(input=x)
    hw = s[1:3] * 2
    y = raw.ResizeBilinear(images=x, size=hw)
    return tf.reshape(y, tf.concat([s[:1], [tf.reduce_prod(hw)], [-1]], 0)), tf.fill(s[:2], 3.0), tf.broadcast_to(w(4), s)


def export(name, build, shape, run, each, edit, nchw):
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, shape, name="x")
        ys = build(x)
        ys = list(ys) if isinstance(ys, (tuple, list)) else [ys]
        ys = [tf.identity(y, name=f"y{i}") for i, y in enumerate(ys)]
    feed = (np.random.default_rng(7).integers(-16, 17, tuple(2 if each and i == 0 else d for i, d in enumerate(run))) / 8).astype(np.float32)
    with v1.Session(graph=graph) as session:
        if each:
            runs = [session.run(ys, {x: feed[i : i + 1]}) for i in range(len(feed))]
            out = [np.concatenate(parts) for parts in zip(*runs)]
        else:
            out = session.run(ys, {x: feed})
    nodes = json_format.MessageToDict(graph.as_graph_def())["node"]
    data, specs = b"", []
    for n in nodes:
        n.setdefault("attr", {})
        if n["op"] == "Const":
            a = tf.make_ndarray(graph.get_operation_by_name(n["name"]).get_attr("value"))
            specs.append({"name": n["name"], "shape": list(a.shape), "dtype": a.dtype.name})
            if a.dtype == np.float32 and a.size > 4:  # in eighths, so exact
                specs[-1]["quantization"] = {"dtype": "float16"}
                a = a.astype(np.float16)
            data += a.tobytes()
            n["attr"].pop("value")
        n["attr"] = {k: v for k, v in n["attr"].items() if k != "T" and "INDEX" not in k and not k.startswith("_")}
    if edit:
        edit(nodes)
    pack = lambda a: {"shape": list(a.shape), "dtype": a.dtype.name, "data": [float(f"{v:.6g}") for v in a.ravel()]}
    return {
        "name": name.replace("_", " "),
        "model": {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": ["w"], "weights": specs}]},
        "weights": base64.b64encode(data).decode(),
        "shape": [-1 if each and i == 0 else -1 if d is None else d for i, d in enumerate(shape)],
        "x": pack(feed),
        "y": [pack(np.asarray(o)) for o in out],
    }


def main():
    cases = [export(*c) for c in CASES]
    path = ROOT / "convert/tfjs/testdata/ops.json.gz"
    path.write_bytes(gzip.compress(json.dumps(cases, separators=(",", ":")).encode(), 9, mtime=0))
    print(len(cases), "cases,", path.stat().st_size, "bytes")
    assert path.stat().st_size <= 50_000


if __name__ == "__main__":
    main()
