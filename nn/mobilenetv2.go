package nn

import (
	"fmt"

	"trilobite/onnx"
)

// MobileNetV2 has 3.5 million parameters.
//
// Input "input" (N, 3, H, W), 224×224 by default, RGB in 0…1 less ImageNet's mean and
// divided by its standard deviation; output "logits" (N, Classes).
//
// Sandler et al., arXiv:1801.04381, table 2, at width 1. Parameters are named as in
// torchvision.
func MobileNetV2(o ClassifierOptions) (*Network, error) {
	return classifier("mobilenet_v2", 224, o, func(m *Module, x *onnx.Value) ([]Tap, *onnx.Value) {
		taps := MobileNetV2Features(m, x)
		x = m.Mark("features.18", m.convBNReLU6("features.18", taps[len(taps)-1].Value, 1280, ConvAttrs{}))
		x = m.Flatten(m.GlobalAveragePool(x), 1)
		return taps, m.Linear("classifier.1", x, or(o.Classes, 1000))
	})
}

// mobileNetV2Stages are the bottleneck rows of table 2: t, c, n and s.
var mobileNetV2Stages = []struct{ expand, out, repeat, stride int64 }{
	{1, 16, 1, 1},
	{6, 24, 2, 2},
	{6, 32, 3, 2},
	{6, 64, 4, 2},
	{6, 96, 3, 1},
	{6, 160, 3, 2},
	{6, 320, 1, 1},
}

// MobileNetV2Features adds the stem and the blocks to m and returns the last feature
// maps of strides 2, 4, 8, 16 and 32. x is (N, 3, H, W).
func MobileNetV2Features(m *Module, x *onnx.Value) []Tap {
	x = m.convBNReLU6("features.0", x, 32, ConvAttrs{Kernel: 3, Stride: 2})
	m.Mark("features.0", x)
	var taps []Tap
	stride, channels, block := int64(2), int64(32), 1
	for _, s := range mobileNetV2Stages {
		if s.stride > 1 {
			taps = append(taps, Tap{stride, channels, x})
		}
		stride *= s.stride
		for r := range s.repeat {
			step := s.stride
			if r > 0 {
				step = 1
			}
			name := fmt.Sprintf("features.%d", block)
			x = m.Mark(name, invertedResidual(m.Sub(name+".conv"), x, channels, s.out, s.expand, step))
			channels = s.out
			block++
		}
	}
	return append(taps, Tap{stride, channels, x})
}

// invertedResidual is the bottleneck of the paper's table 1: expand by 1×1, filter each
// channel by 3×3, project without activation, and add x where the shape is unchanged.
// torchvision numbers the layers, so that the names depend on whether there is an
// expansion.
func invertedResidual(m *Module, x *onnx.Value, in, out, expand, stride int64) *onnx.Value {
	y, layer := x, 0
	next := func() string { layer++; return fmt.Sprint(layer - 1) }
	if expand > 1 {
		y = m.convBNReLU6(next(), y, in*expand, ConvAttrs{})
	}
	y = m.convBNReLU6(next(), y, in*expand, ConvAttrs{Kernel: 3, Stride: stride, Group: in * expand})
	y = m.Conv(next(), y, out, ConvAttrs{})
	y = m.BatchNorm(next(), y, BatchNormAttrs{})
	if stride == 1 && in == out {
		y = m.Add(y, x)
	}
	return y
}

// convBNReLU6 is torchvision's Conv2dNormActivation: name.0 and name.1.
func (m *Module) convBNReLU6(name string, x *onnx.Value, out int64, a ConvAttrs) *onnx.Value {
	x = m.Conv(name+".0", x, out, a)
	return m.ReLU6(m.BatchNorm(name+".1", x, BatchNormAttrs{}))
}
