"""ONNX files that nobody should load, for `trilobite models import`.

Writes cmd/trilobite/testdata/hostile/NAME.onnx: a graph whose nodes form a cycle, tensors
that claim a terabyte, external data above the model's folder and by an absolute path, an
operator that nobody has, and a graph cut in half.  Version: onnx 1.22.0.
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

out = pathlib.Path(__file__).parent.parent / "cmd" / "trilobite" / "testdata" / "hostile"
out.mkdir(parents=True, exist_ok=True)
image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 8, 8])


def write(name, nodes, tensors=(), domains=()):
    graph = helper.make_graph(nodes, name, [image], [answer], list(tensors))
    sets = [helper.make_opsetid("", 18), *(helper.make_opsetid(d, 1) for d in domains)]
    (out / f"{name}.onnx").write_bytes(helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString())


def external(location):
    t = numpy_helper.from_array(np.zeros((3, 1, 1), np.float32), "w")
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    t.external_data.add(key="location", value=location)
    return t


add = helper.make_node("Add", ["x", "w"], ["y"], name="add")
write("cycle", [helper.make_node("Add", ["x", "b"], ["a"], name="first"), helper.make_node("Relu", ["a"], ["b"], name="second"),
                helper.make_node("Relu", ["b"], ["y"], name="third")])
write("huge", [add], [TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 19, 1 << 19], raw_data=b"1234")])
write("huge_made", [helper.make_node("ConstantOfShape", ["w"], ["big"], name="make"),
                    helper.make_node("GlobalMaxPool", ["big"], ["small"], name="pool"),
                    helper.make_node("Add", ["x", "small"], ["y"], name="add")],
      [numpy_helper.from_array(np.array([1, 3, 1 << 16, 1 << 16], np.int64), "w")])
write("outside", [add], [external("../../secret.bin")])
write("absolute", [add], [external("/etc/hostname")])
write("custom", [helper.make_node("Sharpen", ["x"], ["y"], name="sharp", domain="com.example")], domains=["com.example"])
data = (out / "cycle.onnx").read_bytes()
(out / "half.onnx").write_bytes(data[: len(data) // 2])
print(sorted((p.name, p.stat().st_size) for p in out.iterdir()))
