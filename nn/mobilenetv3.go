package nn

import (
	"fmt"

	"trilobite/onnx"
)

// MobileNetV3Small has 2.5 million parameters.
//
// Input "input" (N, 3, H, W), 224×224 by default, RGB in 0…1 less ImageNet's mean and
// divided by its standard deviation; output "logits" (N, Classes).
//
// Howard et al., arXiv:1905.02244, table 2, at width 1. Parameters are named as in
// torchvision.
func MobileNetV3Small(o ClassifierOptions) (*Network, error) {
	return mobileNetV3("mobilenet_v3_small", mobileNetV3Small, 1024, o)
}

// MobileNetV3Large has 5.5 million parameters: table 1 of the paper; see MobileNetV3Small.
func MobileNetV3Large(o ClassifierOptions) (*Network, error) {
	return mobileNetV3("mobilenet_v3_large", mobileNetV3Large, 1280, o)
}

// mobileNetV3Block is a row "bneck" of the paper's tables 1 and 2.
type mobileNetV3Block struct {
	kernel, expand, out int64
	squeeze, swish      bool // columns SE and NL = HS
	stride              int64
}

var mobileNetV3Large = []mobileNetV3Block{
	{3, 16, 16, false, false, 1},
	{3, 64, 24, false, false, 2},
	{3, 72, 24, false, false, 1},
	{5, 72, 40, true, false, 2},
	{5, 120, 40, true, false, 1},
	{5, 120, 40, true, false, 1},
	{3, 240, 80, false, true, 2},
	{3, 200, 80, false, true, 1},
	{3, 184, 80, false, true, 1},
	{3, 184, 80, false, true, 1},
	{3, 480, 112, true, true, 1},
	{3, 672, 112, true, true, 1},
	{5, 672, 160, true, true, 2},
	{5, 960, 160, true, true, 1},
	{5, 960, 160, true, true, 1},
}

var mobileNetV3Small = []mobileNetV3Block{
	{3, 16, 16, true, false, 2},
	{3, 72, 24, false, false, 2},
	{3, 88, 24, false, false, 1},
	{5, 96, 40, true, true, 2},
	{5, 240, 40, true, true, 1},
	{5, 240, 40, true, true, 1},
	{5, 120, 48, true, true, 1},
	{5, 144, 48, true, true, 1},
	{5, 288, 96, true, true, 2},
	{5, 576, 96, true, true, 1},
	{5, 576, 96, true, true, 1},
}

// mobileNetV3Norm is torchvision's: epsilon 0.001 and, in its terms, momentum 0.01.
var mobileNetV3Norm = BatchNormAttrs{Epsilon: 1e-3, Momentum: 0.99}

func mobileNetV3(name string, blocks []mobileNetV3Block, hidden int64, o ClassifierOptions) (*Network, error) {
	return classifier(name, 224, o, func(m *Module, x *onnx.Value) ([]Tap, *onnx.Value) {
		taps := mobileNetV3Features(m, x, "features.", blocks, 1)
		last := taps[len(taps)-1]
		name := fmt.Sprintf("features.%d", len(blocks)+1)
		x = m.Mark(name, m.HardSwish(m.convBN3(name, last.Value, 6*last.Channels, ConvAttrs{})))
		x = m.Flatten(m.GlobalAveragePool(x), 1)
		x = m.HardSwish(m.Linear("classifier.0", x, hidden))
		return taps, m.Linear("classifier.3", x, or(o.Classes, 1000))
	})
}

// MobileNetV3SmallFeatures adds the stem and the blocks to m and returns the last
// feature maps of strides 2, 4, 8, 16 and 32. x is (N, 3, H, W).
func MobileNetV3SmallFeatures(m *Module, x *onnx.Value) []Tap {
	return mobileNetV3Features(m, x, "features.", mobileNetV3Small, 1)
}

// MobileNetV3LargeFeatures is MobileNetV3SmallFeatures of the large network.
func MobileNetV3LargeFeatures(m *Module, x *onnx.Value) []Tap {
	return mobileNetV3Features(m, x, "features.", mobileNetV3Large, 1)
}

// mobileNetV3Features names its layers prefix and a number. With a dilation above 1 the
// blocks of the last stride keep the size and look so far apart instead, as torchvision's
// segmentation networks have them.
func mobileNetV3Features(m *Module, x *onnx.Value, prefix string, blocks []mobileNetV3Block, dilation int64) []Tap {
	x = m.HardSwish(m.convBN3(prefix+"0", x, 16, ConvAttrs{Kernel: 3, Stride: 2}))
	m.Mark(prefix+"0", x)
	var taps []Tap
	stride, channels, apart := int64(2), int64(16), int64(1)
	for i, b := range blocks {
		if dilation > 1 && stride*b.stride > 16 {
			apart, b.stride = dilation, 1
		}
		if b.stride > 1 {
			taps = append(taps, Tap{stride, channels, x})
		}
		stride *= b.stride
		name := fmt.Sprintf("%s%d", prefix, i+1)
		x = m.Mark(name, mobileNetV3Bottleneck(m.Sub(name+".block"), x, channels, b, apart))
		channels = b.out
	}
	return append(taps, Tap{stride, channels, x})
}

// mobileNetV3Bottleneck is figure 4 of the paper: an inverted residual whose filtered
// channels are weighed by squeeze and excitation. torchvision numbers the layers that
// there are.
func mobileNetV3Bottleneck(m *Module, x *onnx.Value, in int64, b mobileNetV3Block, dilation int64) *onnx.Value {
	activate := m.Relu
	if b.swish {
		activate = m.HardSwish
	}
	y, layer := x, 0
	next := func() string { layer++; return fmt.Sprint(layer - 1) }
	if b.expand != in {
		y = activate(m.convBN3(next(), y, b.expand, ConvAttrs{}))
	}
	y = activate(m.convBN3(next(), y, b.expand, ConvAttrs{Kernel: b.kernel, Stride: b.stride, Dilation: dilation, Group: b.expand}))
	if b.squeeze {
		y = m.squeezeExcite(next(), y, b.expand, scaledChannels(b.expand/4, 1))
	}
	y = m.convBN3(next(), y, b.out, ConvAttrs{})
	if b.stride == 1 && in == b.out {
		y = m.Add(y, x)
	}
	return y
}

// squeezeExcite scales the channels of x (N, C, H, W) by what two 1×1 convolutions make
// of their means (Hu et al., arXiv:1709.01507), with the hard sigmoid ReLU6(x+3)/6.
func (m *Module) squeezeExcite(name string, x *onnx.Value, channels, squeezed int64) *onnx.Value {
	s := m.Sub(name)
	y := s.Relu(s.Conv("fc1", s.GlobalAveragePool(x), squeezed, ConvAttrs{Bias: true}))
	y = s.Conv("fc2", y, channels, ConvAttrs{Bias: true})
	return s.Mul(x, s.HardSigmoid(y, 1.0/6, 0.5))
}

// convBN3 is torchvision's Conv2dNormActivation, name.0 and name.1, before the activation.
func (m *Module) convBN3(name string, x *onnx.Value, out int64, a ConvAttrs) *onnx.Value {
	return m.BatchNorm(name+".1", m.Conv(name+".0", x, out, a), mobileNetV3Norm)
}
