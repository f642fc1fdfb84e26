"""Writes onnx/testdata/files: models that store the same arrays in the ways that ONNX
allows, and onnx/testdata/files.npz, the arrays. Needs onnx 1.23.2, numpy 2.4.6,
ml_dtypes 0.6.0. Run from the root: python golden/onnx_files.py"""

import os

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUT = "onnx/testdata/files"
rng = np.random.default_rng(5)

arrays = {
    "float32": np.array([[1.5, -np.inf], [0.1, -0.0]], np.float32),
    "float64": np.array([np.pi, 5e-324]),
    "float16": np.array([0.1, 65504, -2], np.float16),
    "bfloat16": np.array([0.1, 3e38], ml_dtypes.bfloat16),
    "int8": np.array([-128, 127, 0], np.int8),
    "int16": np.array([-32768, 5], np.int16),
    "int32": np.array(-(2**31), np.int32),
    "int64": np.array([[2**63 - 1, -(2**63)]]),
    "uint8": np.array([0, 255], np.uint8),
    "uint16": np.array([65535], np.uint16),
    "uint32": np.array([2**32 - 1, 1], np.uint32),
    "uint64": np.array([2**64 - 1], np.uint64),
    "bool": np.array([[True], [False]]),
    "empty": np.zeros((0, 3), np.float32),
}


def tensor(name, a, raw):
    t = helper.np_dtype_to_tensor_dtype(a.dtype)
    if raw:
        return numpy_helper.from_array(a, name)
    return helper.make_tensor(name, t, a.shape, a.flatten(), raw=False)


def model(tensors, **kw):
    nodes = [helper.make_node("Identity", [t.name], [t.name + "_y"]) for t in tensors]
    outs = [helper.make_tensor_value_info(t.name + "_y", t.data_type, None) for t in tensors]
    graph = helper.make_graph(nodes, "files", [], outs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8, **kw)


def external(tensors):
    """The larger half of the tensors in sub/weights.bin, at offsets that leave gaps."""
    data = b""
    for t in tensors:
        raw = t.raw_data
        t.ClearField("raw_data")
        t.data_location = TensorProto.EXTERNAL
        entries = {"location": "sub/weights.bin", "offset": str(len(data)), "length": str(len(raw))}
        if len(data) == 0:
            del entries["offset"], entries["length"]
        for k, v in entries.items():
            t.external_data.add(key=k, value=v)
        data += raw + b"\0" * 3
    os.makedirs(f"{OUT}/sub", exist_ok=True)
    with open(f"{OUT}/sub/weights.bin", "wb") as f:
        f.write(data)
    return tensors


def everything():
    """Initializers that are inputs, Constant nodes, symbols, another domain, metadata."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, None, -1])
    w = helper.make_tensor_value_info("w", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3, "rows", 4])
    nodes = [
        helper.make_node("Constant", [], ["two"], value_floats=[2.0]),
        helper.make_node("Constant", [], ["names"], value_strings=["a", "b"]),
        helper.make_node("Mul", ["x", "w"], ["xw"]),
        helper.make_node("Strange", ["xw", "", "two"], ["", "odd"], domain="com.example", name="strange", label="l", sizes=[1, 2],
                         ratios=[0.5], words=["p", "q"], table=numpy_helper.from_array(np.arange(3), "t")),
        helper.make_node("Clip", ["odd", "", ""], ["y"]),
    ]
    graph = helper.make_graph(nodes, "everything", [x, w], [y], [numpy_helper.from_array(np.array([3], np.float32), "w")],
                              value_info=[helper.make_tensor_value_info("odd", TensorProto.FLOAT, ["batch", 3, "rows", 4])], doc_string="a graph")
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.example", 3)], ir_version=9)
    helper.set_model_props(m, {"author": "golden", "labels": "x,y"})
    return m


os.makedirs(OUT, exist_ok=True)
onnx.save(model([tensor(k, a, True) for k, a in arrays.items()]), f"{OUT}/raw.onnx")
onnx.save(model([tensor(k, a, False) for k, a in arrays.items()] + [helper.make_tensor("string", TensorProto.STRING, [2], [b"", "naïve".encode()])]),
          f"{OUT}/typed.onnx")
with open(f"{OUT}/external.onnx", "wb") as f:
    f.write(model(external([tensor(k, a, True) for k, a in arrays.items()])).SerializeToString())
onnx.save(everything(), f"{OUT}/everything.onnx")
bits = {k: a.view(np.uint16) if a.dtype.name in ("float16", "bfloat16") else a for k, a in arrays.items()}
np.savez_compressed("onnx/testdata/files.npz", **bits)
