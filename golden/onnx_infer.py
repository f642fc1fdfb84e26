"""Shapes and values of small graphs, as the onnx package has them.

Writes onnx/testdata/infer.json: graphs with the types and shapes that
onnx.shape_inference (strict, data propagation on) gives their outputs, and
onnx/testdata/fold.json: graphs of constants with the values that
onnx.reference.ReferenceEvaluator computes.

A dimension is a size, a symbol's name, or "?" where onnx does not know it.
Run: python golden/onnx_infer.py   (onnx==1.23.2 numpy==2.4.6, operator set 22)
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

OPSET = 22
TESTDATA = pathlib.Path(__file__).parent.parent / "onnx" / "testdata"
F, I, B = np.float32, np.int64, np.bool_
rng = np.random.default_rng(22)


class In:
    """A graph input: a type and a shape; None is an unknown dimension."""

    def __init__(self, *shape, dtype=F):
        self.shape, self.dtype = shape, dtype


def f(*values):
    return np.array(values, dtype=F)


def i(*values):
    return np.array(values, dtype=I)


def scalar(value, dtype=I):
    return np.array(value, dtype=dtype)


def rand(*shape):
    return rng.integers(-8, 9, shape).astype(F)


def one(name, op, inputs, outputs=1, **attrs):
    """A graph of one node."""
    return name, [(op, [f"i{k}" if v is not None else "" for k, v in enumerate(inputs)], [f"o{k}" for k in range(outputs)], attrs)], {
        f"i{k}": v for k, v in enumerate(inputs) if v is not None
    }


X = In("N", 6, 15, 14)
INFER = [
    one("Add of equal shapes", "Add", [In(2, 3), In(2, 3)]),
    one("Add stretches both", "Add", [In(4, 1, 3), In(5, 1)]),
    one("Mul of a symbol and 1", "Mul", [In("N", 3), In(1, 3)]),
    one("Sub of a symbol and a size", "Sub", [In("N", 3), In(7, 3)]),
    one("Div of two symbols", "Div", [In("N", 3), In("M", 3)]),
    one("Sum of three", "Sum", [In(3), In(2, 1), In(1, 1, 1)]),
    one("Less is boolean", "Less", [In("N", 3), In(3)]),
    one("Where", "Where", [In(3, 1, dtype=B), In(1, 4), In()]),
    one("Pow keeps the base's type", "Pow", [In(2, 3), In(3, dtype=I)]),
    one("PRelu", "PRelu", [X, In(6, 1, 1)]),
    one("Cast", "Cast", [In("N", 3)], to=TensorProto.INT32),
    one("IsNaN", "IsNaN", [In("N", 3)]),
    one("Softmax", "Softmax", [In("N", 10)], axis=-1),
    one("Dropout with its mask", "Dropout", [X], 2),
    one("Conv with same padding", "Conv", [X, In(8, 6, 3, 3), In(8)], pads=[1, 1, 1, 1]),
    one("Conv with stride and dilation", "Conv", [X, In(8, 6, 3, 2)], strides=[2, 3], dilations=[2, 1], pads=[1, 0, 2, 3]),
    one("Conv with SAME_UPPER", "Conv", [X, In(8, 6, 4, 3)], auto_pad="SAME_UPPER", strides=[2, 2]),
    one("Conv with VALID", "Conv", [X, In(8, 6, 4, 3)], auto_pad="VALID"),
    one("Conv, depthwise", "Conv", [X, In(12, 1, 3, 3)], group=6),
    one("Conv of an unknown size", "Conv", [In("N", 6, "H", 14), In(8, 6, 3, 3)]),
    one("Conv of one dimension", "Conv", [In(1, 2, 100), In(4, 2, 5)], strides=[4]),
    one("ConvTranspose", "ConvTranspose", [X, In(6, 4, 2, 2)], strides=[2, 2]),
    one("ConvTranspose with output padding", "ConvTranspose", [X, In(6, 4, 3, 3)], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    one("ConvTranspose in groups, dilated", "ConvTranspose", [X, In(6, 2, 3, 3)], group=3, dilations=[2, 2]),
    one("ConvTranspose to a size", "ConvTranspose", [X, In(6, 4, 3, 3)], strides=[2, 2], output_shape=[30, 28]),
    one("MaxPool", "MaxPool", [X], 2, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    one("MaxPool, rounded up", "MaxPool", [X], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    one("MaxPool, rounded up, last window in the padding", "MaxPool", [In(1, 1, 3, 3)], kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
    one("MaxPool, dilated", "MaxPool", [X], kernel_shape=[3, 2], dilations=[2, 3]),
    one("AveragePool with SAME_LOWER", "AveragePool", [X], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_LOWER"),
    one("GlobalAveragePool", "GlobalAveragePool", [X]),
    one("MatMul of matrices", "MatMul", [In("N", 3), In(3, 5)]),
    one("MatMul of batches", "MatMul", [In("N", 1, 4, 3), In(8, 3, 5)]),
    one("MatMul of a vector and a matrix", "MatMul", [In(3), In(2, 3, 5)]),
    one("MatMul of vectors", "MatMul", [In(3), In(3)]),
    one("Gemm", "Gemm", [In("N", 3), In(5, 3), In(5)], transB=1),
    one("Gemm, transposed", "Gemm", [In(3, "N"), In(3, 5)], transA=1),
    one("Einsum, batched product", "Einsum", [In("N", 4, 3), In("N", 3, 5)], equation="bij,bjk->bik"),
    one("Einsum, implicit output", "Einsum", [In(4, 3), In(3, 5)], equation="ij,jk"),
    one("Einsum with an ellipsis", "Einsum", [In(2, 4, 3)], equation="...ij->...ji"),
    one("Reshape with 0 and -1", "Reshape", [In(2, 3, 8), i(0, -1, 4)]),
    one("Reshape to a known count", "Reshape", [In(2, 3, 4), i(4, -1)]),
    one("Reshape keeps a symbol", "Reshape", [In("N", 3, 4), i(0, 12)]),
    one("Flatten", "Flatten", [X], axis=1),
    one("Flatten at 0", "Flatten", [In(2, 3, 4)], axis=0),
    one("Transpose", "Transpose", [X], perm=[0, 2, 3, 1]),
    one("Transpose reverses", "Transpose", [In("N", 2, 3)]),
    one("Squeeze", "Squeeze", [In("N", 1, 3, 1), i(1, -1)]),
    one("Squeeze all", "Squeeze", [In(2, 1, 3, 1)]),
    one("Unsqueeze", "Unsqueeze", [In("N", 3), i(0, -1)]),
    one("Expand", "Expand", [In("N", 1, 3), i(4, 1)]),
    one("Tile", "Tile", [In(2, 3), i(3, 2)]),
    one("DepthToSpace", "DepthToSpace", [In("N", 8, 3, 5)], blocksize=2),
    one("SpaceToDepth", "SpaceToDepth", [In("N", 8, 6, 4)], blocksize=2),
    one("Concat", "Concat", [In("N", 3, 5), In("N", 4, 5), In("N", 1, 5)], axis=1),
    one("Concat of symbols", "Concat", [In("N", 3), In("M", 3)], axis=0),
    one("Concat fills in what one input knows", "Concat", [In("N", 3, None), In(2, 4, 5)], axis=-2),
    one("Split in equal parts", "Split", [In("N", 6)], 3, axis=1, num_outputs=3),
    one("Split with a smaller rest", "Split", [In("N", 7)], 3, axis=1, num_outputs=3),
    one("Split by sizes", "Split", [In("N", 7), i(3, 4)], 2, axis=1),
    one("Slice", "Slice", [In("N", 10, 12), i(1, -5), i(9, 1 << 62), i(1, 2)]),
    one("Slice with steps", "Slice", [In(10, 12, 20), i(-1, 11, 3), i(-100, 0, 18), i(0, 1, 2), i(-1, -3, 4)]),
    one("Slice of nothing", "Slice", [In(10), i(5), i(3)]),
    one("Slice of a symbol to the end", "Slice", [In("N", 4), i(1), i(3), i(1)]),
    one("Pad", "Pad", [In("N", 2, 3, 4), i(0, 0, 1, 2, 0, 0, 3, 4)]),
    one("Pad of some axes", "Pad", [In("N", 2, 3, 4), i(1, 2, 3, 4), None, i(-1, -2)], mode="reflect"),
    one("Gather a row", "Gather", [In("N", 3, 4), scalar(1)], axis=1),
    one("Gather a matrix", "Gather", [In("N", 3, 4), In(2, "K", dtype=I)], axis=-1),
    one("GatherElements", "GatherElements", [In("N", 3), In("N", 2, dtype=I)], axis=1),
    one("GatherND", "GatherND", [In(2, 3, 4, 5), In(2, 7, 2, dtype=I)], batch_dims=1),
    one("ScatterElements", "ScatterElements", [In("N", 3), In("N", 2, dtype=I), In("N", 2)], axis=1),
    one("ScatterND", "ScatterND", [In("N", 3), In(2, 1, dtype=I), In(2, 3)]),
    one("OneHot", "OneHot", [In("N", 3, dtype=I), scalar(5), f(0, 1)], axis=1),
    one("TopK", "TopK", [In("N", 10), i(4)], 2),
    one("NonZero", "NonZero", [In(3, 4)]),
    one("NonMaxSuppression", "NonMaxSuppression", [In(1, 20, 4), In(1, 5, 20), scalar(3)]),
    one("ReduceSum keeps axes", "ReduceSum", [In("N", 3, 4), i(-1)]),
    one("ReduceMean drops axes", "ReduceMean", [In("N", 3, 4, 5), i(2, 3)], keepdims=0),
    one("ReduceMax of all", "ReduceMax", [In(2, 3)], keepdims=0),
    one("ReduceL2 that does nothing", "ReduceL2", [In(2, 3)], noop_with_empty_axes=1),
    one("ArgMax", "ArgMax", [In("N", 3, 4)], axis=1, keepdims=0),
    one("Shape", "Shape", [In("N", 3, 4)], start=1),
    one("Size", "Size", [In("N", 3, 4)]),
    one("Range", "Range", [scalar(2), scalar(11), scalar(3)]),
    one("Range of floats", "Range", [scalar(1, F), scalar(0, F), scalar(-0.25, F)]),
    one("ConstantOfShape", "ConstantOfShape", [i(2, 3)], value=numpy_helper.from_array(i(7))),
    one("BatchNormalization", "BatchNormalization", [X, In(6), In(6), In(6), In(6)]),
    one("BatchNormalization in training", "BatchNormalization", [X, In(6), In(6), In(6), In(6)], 3, training_mode=1),
    one("LayerNormalization", "LayerNormalization", [In("N", 5, 7, 8), In(7, 8), In(7, 8)], 3, axis=-2),
    one("InstanceNormalization", "InstanceNormalization", [X, In(6), In(6)]),
    one("GroupNormalization", "GroupNormalization", [X, In(6), In(6)], num_groups=3),
    one("Resize by scales", "Resize", [In("N", 3, 7, 9), None, f(1, 1, 2.5, 0.6)], mode="linear"),
    one("Resize to sizes", "Resize", [In(1, 3, 7, 9), None, None, i(1, 3, 20, 4)]),
    one("Resize of some axes", "Resize", [In("N", 3, 7, 9), None, None, i(14, 18)], axes=[2, 3]),
    one("Resize not larger", "Resize", [In("N", 3, 7, 9), None, None, i(20, 20)], axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
    one("Resize not smaller", "Resize", [In("N", 3, 7, 9), None, None, i(20, 20)], axes=[2, 3], keep_aspect_ratio_policy="not_smaller"),
    one("GridSample", "GridSample", [In("N", 3, 7, 9), In("N", 4, 5, 2)]),
    one("RoiAlign", "RoiAlign", [In("N", 3, 7, 9), In("K", 4), In("K", dtype=I)], output_height=5, output_width=6),
    one("QuantizeLinear", "QuantizeLinear", [In("N", 3), In(), In(dtype=np.int8)]),
    one("DequantizeLinear", "DequantizeLinear", [In("N", 3, dtype=np.uint8), In(), In(dtype=np.uint8)]),
    one("DynamicQuantizeLinear", "DynamicQuantizeLinear", [In("N", 3)], 3),
    one("Trilu", "Trilu", [In("N", 4, 4)], upper=0),
    one("CumSum", "CumSum", [In("N", 4), scalar(1)]),
    (
        "the classifier's flatten",
        [
            ("Shape", ["x"], ["s"], {}),
            ("Gather", ["s", "zero"], ["n"], {"axis": 0}),
            ("Unsqueeze", ["n", "axes"], ["n1"], {}),
            ("Concat", ["n1", "rest"], ["to"], {"axis": 0}),
            ("Reshape", ["x", "to"], ["y"], {}),
        ],
        {"x": In("N", 3, 4), "zero": scalar(0), "axes": i(0), "rest": i(12)},
    ),
    (
        "a resize to another input's size",
        [
            ("Shape", ["x"], ["s"], {}),
            ("Slice", ["s", "two", "four"], ["hw"], {}),
            ("Shape", ["y"], ["t"], {}),
            ("Slice", ["t", "zero", "two"], ["nc"], {}),
            ("Concat", ["nc", "hw"], ["to"], {"axis": 0}),
            ("Resize", ["y", "", "", "to"], ["z"], {"mode": "linear"}),
        ],
        {"x": In("N", 3, "H", 40), "y": In("N", 5, 7, 9), "zero": i(0), "two": i(2), "four": i(4)},
    ),
]

FOLD = [
    one("Add of int64", "Add", [i(1, 2, 3), i(10)]),
    one("Div cuts towards zero", "Div", [i(7, -7, 7), i(2, 2, -2)]),
    one("Mul of float32", "Mul", [rand(2, 3), rand(3)]),
    one("Sub broadcasts both ways", "Sub", [rand(2, 1), rand(1, 3)]),
    one("Max of three", "Max", [rand(4), rand(4), rand(1)]),
    one("Sqrt", "Sqrt", [np.abs(rand(5))]),
    one("Round to even", "Round", [f(0.5, 1.5, 2.5, -0.5, -1.5, 1.2)]),
    one("Floor", "Floor", [f(-1.5, 1.5)]),
    one("Exp", "Exp", [f(-1, 0, 1, 5)]),
    one("Equal", "Equal", [i(1, -1, 3), i(1, 1, 3)]),
    one("GreaterOrEqual of floats", "GreaterOrEqual", [f(1, 2, 3), f(2)]),
    one("Not", "Not", [np.array([True, False])]),
    one("Where", "Where", [np.array([[True], [False]]), rand(2, 3), rand(1)]),
    one("Cast float to int", "Cast", [f(1.9, -1.9, 3)], to=TensorProto.INT64),
    one("Cast int to float", "Cast", [i(1, -2)], to=TensorProto.FLOAT),
    one("Cast half to float", "Cast", [np.array([1, -2.5, 6e-8, 65504], dtype=np.float16)], to=TensorProto.FLOAT),
    one("Cast to bool", "Cast", [f(0, 2, -0.5)], to=TensorProto.BOOL),
    one("Shape", "Shape", [rand(2, 3, 4)], start=-2),
    one("Size", "Size", [rand(2, 3)]),
    one("ConstantOfShape", "ConstantOfShape", [i(2, 3)], value=numpy_helper.from_array(f(1.5))),
    one("Range", "Range", [scalar(10), scalar(1), scalar(-4)]),
    one("Range of floats", "Range", [scalar(0, F), scalar(1, F), scalar(0.25, F)]),
    one("NonZero", "NonZero", [np.array([[1, 0], [0, 3]], dtype=F)]),
    one("Reshape", "Reshape", [rand(2, 3, 2), i(3, -1)]),
    one("Transpose", "Transpose", [rand(2, 3, 4)], perm=[2, 0, 1]),
    one("Slice backwards", "Slice", [rand(4, 5), i(-1, 3), i(-100, 0), i(0, 1), i(-1, -2)]),
    one("Slice", "Slice", [rand(4, 5), i(1), i(-1), i(1), i(2)]),
    one("Concat", "Concat", [rand(2, 1), rand(2, 3)], axis=1),
    one("Split", "Split", [rand(2, 5), i(2, 3)], 2, axis=1),
    one("Gather with negative indices", "Gather", [rand(3, 4), i(-1, 0)], axis=1),
    one("Gather a matrix of rows", "Gather", [rand(3, 2), np.array([[0, 2], [1, 1]], dtype=I)], axis=0),
    one("Expand", "Expand", [rand(3, 1), i(2, 1, 4)]),
    one("Tile", "Tile", [rand(2, 3), i(2, 2)]),
    one("Pad with a value", "Pad", [rand(2, 3), i(1, 0, 0, 2), scalar(9, F)]),
    one("Pad of one axis", "Pad", [rand(2, 3), i(1, 2), None, i(-1)]),
    one("ReduceSum of int64", "ReduceSum", [np.arange(6, dtype=I).reshape(2, 3), i(1)], keepdims=0),
    one("ReduceMean", "ReduceMean", [rand(2, 3, 4), i(0, 2)]),
    one("ReduceProd of all", "ReduceProd", [i(2, 3, 7)], keepdims=0),
    one("ReduceMax", "ReduceMax", [rand(3, 4), i(0)]),
    one("Squeeze", "Squeeze", [rand(1, 3, 1), i(0)]),
    one("Unsqueeze", "Unsqueeze", [rand(3), i(0, 2)]),
    one("Flatten", "Flatten", [rand(2, 3, 4)], axis=2),
]


def graph_of(name, nodes, values):
    """The model, with every node output as an output of unknown type."""
    inputs, consts = [], []
    for k, v in values.items():
        if isinstance(v, In):
            inputs.append(helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(np.dtype(v.dtype)), v.shape))
        else:
            consts.append(numpy_helper.from_array(v, k))
    outputs = [helper.make_empty_tensor_value_info(o) for _, _, outs, _ in nodes for o in outs]
    made = [helper.make_node(op, ins, outs, **attrs) for op, ins, outs, attrs in nodes]
    g = helper.make_graph(made, name, inputs, outputs, consts)
    return helper.make_model(g, opset_imports=[helper.make_opsetid("", OPSET)])


def jsonable(v):
    if isinstance(v, In):
        return {"dtype": int(helper.np_dtype_to_tensor_dtype(np.dtype(v.dtype))), "shape": ["?" if d is None else d for d in v.shape]}
    if isinstance(v, TensorProto):
        v = numpy_helper.to_array(v)
    data = v.view(np.uint16) if v.dtype == np.float16 else v
    return {"dtype": int(helper.np_dtype_to_tensor_dtype(v.dtype)), "shape": list(v.shape), "data": data.astype(float if v.dtype.kind == "f" and v.dtype != np.float16 else int).ravel().tolist()}


def dims(t):
    if not t.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") else d.dim_param if d.dim_param and not d.dim_param.startswith("unk__") else "?" for d in t.shape.dim]


def case(name, nodes, values):
    return {
        "name": name,
        "values": {k: jsonable(v) for k, v in values.items()},
        "nodes": [
            {"op": op, "in": ins, "out": outs, "attrs": {k: jsonable(v) if isinstance(v, TensorProto) else v for k, v in attrs.items()}}
            for op, ins, outs, attrs in nodes
        ],
    }


def inferred(name, nodes, values):
    model = shape_inference.infer_shapes(graph_of(name, nodes, values), check_type=True, strict_mode=True, data_prop=True)
    out = {}
    for o in model.graph.output:
        t = o.type.tensor_type
        out[o.name] = {"dtype": t.elem_type, "shape": dims(t)}
    return case(name, nodes, values) | {"want": out}


def folded(name, nodes, values):
    model = graph_of(name, nodes, values)
    names = [o.name for o in model.graph.output]
    got = ReferenceEvaluator(model).run(names, {})
    return case(name, nodes, values) | {"want": {k: jsonable(np.asarray(v)) for k, v in zip(names, got)}}


def write(path, cases):
    lines = ",\n".join(json.dumps(c) for c in cases)
    path.write_text("[\n" + lines + "\n]\n")
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    assert onnx.__version__ == "1.23.2", onnx.__version__
    TESTDATA.mkdir(exist_ok=True)
    write(TESTDATA / "infer.json", [inferred(*c) for c in INFER])
    write(TESTDATA / "fold.json", [folded(*c) for c in FOLD])
