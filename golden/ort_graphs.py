"""Writes ort/testdata/*.onnx: tiny graphs that package ort's tests run.

They come from the onnx package and not from our builder, so that ort is tested with
files as other tools write them.

    pip install onnx==1.23.2 numpy==2.4.6
    python golden/ort_graphs.py
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

OUT = pathlib.Path(__file__).parent.parent / "ort" / "testdata"


def const(name, a):
    return numpy_helper.from_array(np.asarray(a), name)


def save(name, nodes, inputs, outputs, init=()):
    graph = h.make_graph(nodes, name, inputs, outputs, initializer=list(init))
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    (OUT / f"{name}.onnx").write_bytes(model.SerializeToString())


def value(name, dtype, shape):
    return h.make_tensor_value_info(name, dtype, shape)


def main():
    OUT.mkdir(parents=True, exist_ok=True)

    # y = x + [1 2 3 4], s = row sums: any batch
    save(
        "add",
        [h.make_node("Add", ["x", "c"], ["y"]), h.make_node("ReduceSum", ["y", "axes"], ["s"], keepdims=1)],
        [value("x", T.FLOAT, ["N", 4])],
        [value("y", T.FLOAT, ["N", 4]), value("s", T.FLOAT, ["N", 1])],
        [const("c", np.array([1, 2, 3, 4], np.float32)), const("axes", np.array([1], np.int64))],
    )
    # the rows of x whose largest element is positive: the first dimension of y is no batch
    save(
        "rows",
        [
            h.make_node("ReduceMax", ["x", "axes"], ["m"], keepdims=0),
            h.make_node("Greater", ["m", "zero"], ["keep"]),
            h.make_node("Compress", ["x", "keep"], ["y"], axis=0),
        ],
        [value("x", T.FLOAT, ["N", 2])],
        [value("y", T.FLOAT, ["M", 2])],
        [const("axes", np.array([1], np.int64)), const("zero", np.array(0, np.float32))],
    )
    # x = tanh(x @ x), n times; stops between nodes when told to
    body = h.make_graph(
        [
            h.make_node("Identity", ["go"], ["go_on"]),
            h.make_node("MatMul", ["a", "a"], ["p"]),
            h.make_node("Tanh", ["p"], ["b"]),
        ],
        "body",
        [value("i", T.INT64, []), value("go", T.BOOL, []), value("a", T.FLOAT, [64, 64])],
        [value("go_on", T.BOOL, []), value("b", T.FLOAT, [64, 64])],
    )
    save(
        "slow",
        [h.make_node("Loop", ["n", "true", "x"], ["y"], body=body)],
        [value("n", T.INT64, []), value("x", T.FLOAT, [64, 64])],
        [value("y", T.FLOAT, [64, 64])],
        [const("true", np.array(True))],
    )
    # one element type each way, and a scalar out
    save(
        "types",
        [
            h.make_node("Mul", ["h", "h"], ["h2"]),
            h.make_node("Cast", ["u"], ["i"], to=T.INT64),
            h.make_node("ReduceSum", ["i"], ["sum"], keepdims=0),
            h.make_node("Not", ["b"], ["nb"]),
            h.make_node("Add", ["d", "d"], ["d2"]),
        ],
        [value("h", T.FLOAT16, [1, 2]), value("u", T.UINT8, [3]), value("b", T.BOOL, [2]), value("d", T.DOUBLE, [1])],
        [value("h2", T.FLOAT16, [1, 2]), value("sum", T.INT64, []), value("nb", T.BOOL, [2]), value("d2", T.DOUBLE, [1])],
    )


main()
