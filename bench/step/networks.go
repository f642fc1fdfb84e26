package main

import (
	"fmt"

	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/tensor"
)

const classes = 12 // of the segmentation steps, as the recipe of peer.py

// network is a forward graph with its loss.
type network struct {
	graph  *onnx.Graph
	loss   *onnx.Value
	params []*onnx.Value
}

func build(name string) (*network, error) {
	b := onnx.NewBuilder(name)
	m := nn.NewModule(b)
	input := func(name string, shape ...int64) *onnx.Value { return b.Input(name, tensor.Float32, shape) }
	var l *onnx.Value
	switch name {
	case "head":
		low, high := input("low", 4, 256, 64, 64), input("high", 4, 1024, 16, 16)
		target := b.Input("target", tensor.Int64, onnx.Shape{4, 256, 256})
		l = loss.CrossEntropy(b, deeplab(m, low, high, 256), target, loss.CrossEntropyAttrs{})
	case "whole":
		x := input("input", 4, 3, 256, 256)
		target := b.Input("target", tensor.Int64, onnx.Shape{4, 256, 256})
		taps := nn.ResNetFeatures(m.Sub("backbone"), x, nn.ResNetDepths{3, 4, 6, 0}, true)
		l = loss.CrossEntropy(b, deeplab(m, taps[0].Value, taps[2].Value, 256), target, loss.CrossEntropyAttrs{})
	case "lite0":
		x := input("input", 16, 3, 224, 224)
		target := b.Input("target", tensor.Int64, onnx.Shape{16})
		taps := nn.EfficientNetLiteFeatures(m, x, 1, 1)
		x = m.Conv("_conv_head", taps[len(taps)-1].Value, 1280, nn.ConvAttrs{})
		x = m.ReLU6(m.BatchNorm("_bn1", x, nn.BatchNormAttrs{Epsilon: 1e-3, Momentum: 0.99}))
		x = m.Linear("_fc", m.Flatten(m.GlobalAveragePool(x), 1), 1000)
		l = loss.CrossEntropy(b, x, target, loss.CrossEntropyAttrs{})
	default:
		return nil, fmt.Errorf("no network %q", name)
	}
	l = b.Output("loss", l)
	g, err := b.Graph()
	return &network{g, l, m.Params()}, err
}

func convBNReLU(m *nn.Module, x *onnx.Value, out, kernel, rate int64, bias bool) *onnx.Value {
	x = m.Conv("conv", x, out, nn.ConvAttrs{Kernel: kernel, Dilation: rate, Bias: bias})
	return m.Relu(m.BatchNorm("bn", x, nn.BatchNormAttrs{}))
}

func deeplab(m *nn.Module, low, high *onnx.Value, size int64) *onnx.Value {
	h := high.Shape[2]
	linear := onnx.ResizeAttrs{Mode: "linear", Coordinates: "half_pixel"}
	pooled := convBNReLU(m.Sub("pool"), m.GlobalAveragePool(high), 256, 1, 1, true)
	branches := []*onnx.Value{m.Expand(pooled, high.Shape[0], 256, h, h)}
	branches = append(branches, convBNReLU(m.Sub("aspp.0"), high, 256, 1, 1, false))
	for i, rate := range []int64{6, 12, 18} {
		branches = append(branches, convBNReLU(m.Sub(fmt.Sprintf("aspp.%d", i+1)), high, 256, 3, rate, false))
	}
	x := convBNReLU(m.Sub("project"), m.Concat(1, branches...), 256, 1, 1, false)
	s := float32(low.Shape[2]) / float32(h)
	x = m.Resize(x, []float32{1, 1, s, s}, linear)
	x = m.Concat(1, x, convBNReLU(m.Sub("skip"), low, 48, 1, 1, false))
	x = convBNReLU(m.Sub("merge.0"), x, 256, 3, 1, false)
	x = convBNReLU(m.Sub("merge.1"), x, 256, 3, 1, false)
	s = float32(size) / float32(low.Shape[2])
	x = m.Resize(x, []float32{1, 1, s, s}, linear)
	return m.Conv("classify", x, classes, nn.ConvAttrs{Bias: true})
}
