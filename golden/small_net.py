"""A small network exported by PyTorch in training mode: writes step/testdata/small.onnx.

conv (3 to 8, stride 2), BatchNorm, ReLU, conv (8 to 16, stride 2), BatchNorm, ReLU, Dropout
of ratio 0, mean over the pixels, fc (16 to 4); input "input" (batch, 3, 32, 32), output
"output" (batch, 4).

Versions: torch 2.15.0, onnx 1.22.0. Seed 7.

    python golden/small_net.py
"""

import pathlib

import torch
from torch import nn

torch.manual_seed(7)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
    nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
    nn.Dropout(0.0), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4),
)
path = pathlib.Path(__file__).parent.parent / "step" / "testdata" / "small.onnx"
torch.onnx.export(
    net.train(), torch.randn(2, 3, 32, 32), path, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
    do_constant_folding=False, opset_version=17, input_names=["input"], output_names=["output"],
    dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
)
print(path.name, path.stat().st_size)
