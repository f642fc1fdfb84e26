"""Writes onnx/testdata/upgrade/*.onnx, small models of old operator sets, and
onnx/testdata/upgrade.npz, for each an input and what ONNX Runtime makes of it: arrays
NAME/in/X and NAME/out/Y. Needs onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
Run from the root: python golden/onnx_upgrade.py"""

import os

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

OUT = "onnx/testdata/upgrade"
rng = np.random.default_rng(11)
arrays = {}


def f32(*shape):
    return (rng.integers(-32, 32, shape) / 8).astype(np.float32)


def declare(name, a, shape="static"):
    shape = list(a.shape) if shape == "static" else shape
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), shape)


def case(name, opset, nodes, inputs, outputs, consts=None, shapes=None, expected=None, functions=()):
    """One model; outputs are names, or names with an element type."""
    consts, shapes = consts or {}, shapes or {}
    outs = [helper.make_tensor_value_info(*(o if isinstance(o, tuple) else (o, TensorProto.FLOAT)), None) for o in outputs]
    graph = helper.make_graph(nodes, name, [declare(k, v, shapes.get(k, "static")) for k, v in inputs.items()], outs,
                              [numpy_helper.from_array(v, k) for k, v in consts.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)] + [helper.make_opsetid("local", 1)] * bool(functions),
                              ir_version=8 if functions else 7, functions=functions)
    got = expected
    if got is None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        got = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, inputs)
    onnx.save(model, f"{OUT}/{name}.onnx")
    for k, v in inputs.items():
        arrays[f"{name}/in/{k}"] = v
    for o, v in zip(outputs, got):
        arrays[f"{name}/out/{o[0] if isinstance(o, tuple) else o}"] = np.asarray(v)


def n(op, ins, outs, **attrs):
    return helper.make_node(op, ins.split() if ins else [], outs.split(), name=f"{op}_{outs.split()[0]}", **attrs)


I64 = TensorProto.INT64


def axes_and_shapes():
    case("squeeze_11", 11, [n("Squeeze", "x", "y", axes=[0, 2])], {"x": f32(1, 3, 1, 2)}, ["y"])
    case("squeeze_all_11", 11, [n("Squeeze", "x", "y")], {"x": f32(1, 3, 1, 2)}, ["y"])
    case("unsqueeze_11", 11, [n("Unsqueeze", "x", "y", axes=[0, -1])], {"x": f32(3, 2)}, ["y"])
    case("split_11", 11, [n("Split", "x", "a b", axis=1, split=[1, 3])], {"x": f32(2, 4)}, ["a", "b"])
    case("split_equal_11", 11, [n("Split", "x", "a b", axis=-1)], {"x": f32(2, 4)}, ["a", "b"])
    case("split_equal_13", 13, [n("Split", "x", "a b c")], {"x": f32(6, 2)}, ["a", "b", "c"])
    case("pad_11", 11, [n("Pad", "x p v", "y")], {"x": f32(2, 3)}, ["y"],
         {"p": np.array([0, 1, 1, -1]), "v": np.float32(2.5)})
    case("clip_11", 11, [n("Clip", "x lo", "y")], {"x": f32(3, 4)}, ["y"], {"lo": np.float32(0)})
    case("constants_12", 12, [n("Constant", "", "c", value_floats=[1.0, 2.0]), n("Constant", "", "k", value_int=1),
                              n("Add", "x c", "z"), n("Gather", "z k", "y")], {"x": f32(3, 2)}, ["y"])


def reductions():
    ops = ["ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
           "ReduceLogSum", "ReduceLogSumExp"]
    x = np.abs(f32(2, 3, 4)) + np.float32(0.5)
    case("reduce_11", 11, [n(op, "x", op, axes=[0, -1], keepdims=0) for op in ops], {"x": x}, ops)
    case("reduce_all_11", 11, [n(op, "x", op) for op in ops], {"x": x}, ops)
    case("reduce_13", 13, [n("ReduceSum", "x a", "s", keepdims=0), n("ReduceMean", "x", "m", axes=[1])], {"x": x},
         ["s", "m"], {"a": np.array([1])})


def softmaxes():
    for op in ["Softmax", "LogSoftmax", "Hardmax"]:
        case(f"{op.lower()}_default_11", 11, [n(op, "x", "y")], {"x": f32(2, 3, 4)}, ["y"])
    case("softmax_last_11", 11, [n("Softmax", "x", "y", axis=2)], {"x": f32(2, 3, 4)}, ["y"])
    case("softmax_channels_12", 12, [n("Softmax", "x", "y", axis=1)], {"x": f32(2, 5, 1, 1)}, ["y"])
    case("softmax_negative_11", 11, [n("Softmax", "x", "y", axis=-2)], {"x": f32(2, 3, 4)}, ["y"])
    case("softmax_batch_11", 11, [n("Softmax", "x", "y")], {"x": f32(2, 3, 4)}, ["y"], shapes={"x": ["N", 3, 4]})
    case("softmax_rank_12", 12, [n("Softmax", "x", "y")], {"x": f32(2, 3, 4)}, ["y"], shapes={"x": None})


def norms():
    four = lambda c: {"s": np.abs(f32(c)) + np.float32(0.1), "b": f32(c), "m": f32(c), "v": np.abs(f32(c)) + np.float32(0.1)}
    case("batchnorm_11", 11, [n("BatchNormalization", "x s b m v", "y", epsilon=1e-3)], {"x": f32(2, 3, 2, 2)}, ["y"], four(3))
    # ONNX Runtime has no kernel for training at version 9; this is the definition: the batch's own statistics.
    x, c = f32(2, 3, 2, 2), four(3)
    col = lambda a: a.reshape(1, 3, 1, 1)
    y = (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-3) * col(c["s"]) + col(c["b"])
    mean = c["m"] * 0.75 + x.mean((0, 2, 3)) * 0.25
    var = c["v"] * 0.75 + x.var((0, 2, 3)) * 0.25
    case("batchnorm_training_11", 11, [n("BatchNormalization", "x s b m v", "y mean var sm sv", epsilon=1e-3, momentum=0.75)],
         {"x": x}, ["y", "mean", "var"], c, expected=[a.astype(np.float32) for a in (y, mean, var)])
    case("dropout_11", 11, [n("Dropout", "x", "y", ratio=0.25)], {"x": f32(3, 4)}, ["y"])
    case("groupnorm_18", 18, [n("GroupNormalization", "x s b", "y", num_groups=2, epsilon=1e-3)], {"x": f32(1, 4, 2, 3)}, ["y"],
         {"s": f32(2), "b": f32(2)})
    case("groupnorm_channels_18", 18, [n("GroupNormalization", "x s b", "y", num_groups=2)], {"x": f32(1, 6, 2, 2)}, ["y"],
         {"s": f32(2), "b": f32(2)}, shapes={"x": ["N", "C", "H", "W"]})


def pictures():
    empty = np.zeros(0, np.float32)
    x = f32(1, 2, 4, 5)
    case("resize_sizes_11", 11, [n("Resize", "x roi scales sizes", "y", mode="linear")], {"x": x}, ["y"],
         {"roi": empty, "scales": empty, "sizes": np.array([1, 2, 7, 3])})
    case("resize_scales_11", 11, [n("Resize", "x roi scales", "y", coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
         {"x": x}, ["y"], {"roi": empty, "scales": np.array([1, 1, 2, 1.5], np.float32)})
    case("resize_crop_11", 11, [n("Resize", "x roi scales sizes", "y", mode="linear", coordinate_transformation_mode="tf_crop_and_resize",
                                  extrapolation_value=3.0)], {"x": x}, ["y"],
         {"roi": np.array([0, 0, 0.2, 0.1, 1, 1, 0.9, 1.3], np.float32), "scales": empty, "sizes": np.array([1, 2, 3, 4])})
    case("resize_tf_nn_11", 11, [n("Resize", "x roi scales", "y", coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="floor")],
         {"x": x}, ["y"], {"roi": empty, "scales": np.array([1, 1, 0.5, 2], np.float32)})
    case("resize_13", 13, [n("Resize", "x  scales".replace("  ", " _ "), "y", mode="linear", coordinate_transformation_mode="align_corners")],
         {"x": x}, ["y"], {"_": empty, "scales": np.array([1, 1, 2, 2], np.float32)})
    case("roialign_12", 12, [n("RoiAlign", "x rois batch", "y", output_height=2, output_width=2, sampling_ratio=2)], {"x": f32(1, 2, 6, 6)},
         ["y"], {"rois": np.array([[0, 0, 4, 4], [1, 2, 5, 3]], np.float32), "batch": np.array([0, 0])})
    grid = (rng.integers(-9, 9, (1, 3, 3, 2)) / 8).astype(np.float32)
    case("gridsample_16", 16, [n("GridSample", "x grid", "a"), n("GridSample", "x grid", "b", mode="bicubic", align_corners=1),
                               n("GridSample", "x grid", "c", mode="nearest", padding_mode="border")],
         {"x": f32(1, 1, 4, 4)}, ["a", "b", "c"], {"grid": grid})


def signals():
    case("dft_17", 17, [n("DFT", "x", "y", axis=2), n("DFT", "x", "z", onesided=1)], {"x": f32(1, 4, 3, 1)}, ["y", "z"])
    case("dequantize_10", 11, [n("DequantizeLinear", "x s z", "y")], {"x": np.arange(6, dtype=np.uint8).reshape(2, 3)}, ["y"],
         {"s": np.float32(0.5), "z": np.uint8(2)})


def bodies():
    branch = lambda name, nodes, out: helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)],
                                                        [numpy_helper.from_array(np.float32(2), "two")])
    then = branch("then", [n("Softmax", "x", "t"), n("Mul", "t two", "t2")], "t2")
    other = branch("else", [n("ReduceSum", "x", "r", axes=[0], keepdims=1), n("Add", "r x", "r1"), n("Mul", "r1 two", "r2")], "r2")
    for flag in [True, False]:
        case(f"if_{str(flag).lower()}_11", 11, [n("If", "flag", "y", then_branch=then, else_branch=other)],
             {"x": f32(2, 3, 2), "flag": np.array(flag)}, ["y"])
    body = helper.make_graph(
        [n("Unsqueeze", "s", "u", axes=[0]), n("Add", "u x", "z"), n("ReduceSum", "z", "s2", axes=[0], keepdims=0), n("Identity", "c", "c2"),
         n("Identity", "s2", "scan")],
        "body", [helper.make_tensor_value_info("i", I64, []), helper.make_tensor_value_info("c", TensorProto.BOOL, []),
                 helper.make_tensor_value_info("s", TensorProto.FLOAT, [3])],
        [helper.make_tensor_value_info("c2", TensorProto.BOOL, []), helper.make_tensor_value_info("s2", TensorProto.FLOAT, [3]),
         helper.make_tensor_value_info("scan", TensorProto.FLOAT, [3])])
    case("loop_11", 11, [n("Loop", "trips go start", "last all", body=body)], {"x": f32(2, 3), "start": f32(3)}, ["last", "all"],
         {"trips": np.array(3), "go": np.array(True)})


def functions():
    """A function with an attribute, a default, an omitted input, called twice and by another."""
    sets = [helper.make_opsetid("", 12), helper.make_opsetid("local", 1)]
    ref = helper.make_node("LeakyRelu", ["h"], ["out"])
    ref.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    leaky = helper.make_function("local", "SoftLeaky", ["a", "lo"], ["out"],
                                 [helper.make_node("Clip", ["a", "lo", ""], ["c"]), helper.make_node("Softmax", ["c"], ["s"]),
                                  helper.make_node("Sub", ["s", "a"], ["h"]), ref], sets, ["slope"])
    default = helper.make_function("local", "Twice", ["x"], ["p", "q"],
                                   [helper.make_node("SoftLeaky", ["x"], ["p"], domain="local", slope=0.5), helper.make_node("Constant", [], ["q"], value_float=2.0)],
                                   sets)
    nodes = [helper.make_node("SoftLeaky", ["x", "lo"], ["u"], domain="local", slope=0.25),
             helper.make_node("Twice", ["u"], ["v", "two"], domain="local"), n("Mul", "v two", "y")]
    case("functions_12", 12, nodes, {"x": f32(2, 3, 2)}, ["y"], {"lo": np.float32(-1)}, functions=[leaky, default])


os.makedirs(OUT, exist_ok=True)
axes_and_shapes()
reductions()
softmaxes()
norms()
pictures()
signals()
bodies()
functions()
np.savez_compressed("onnx/testdata/upgrade.npz", **arrays)
print(len([f for f in os.listdir(OUT)]), "models,", os.path.getsize("onnx/testdata/upgrade.npz"), "bytes of arrays")
