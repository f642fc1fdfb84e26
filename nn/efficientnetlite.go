package nn

import (
	"fmt"
	"math"

	"trilobite/onnx"
)

// EfficientNetLite0 is the smallest EfficientNet-Lite, 4.7 million parameters, 224×224.
//
// Input "input" (N, 3, H, W), RGB as (x − 127) / 128; output "logits" (N, Classes).
//
// EfficientNet (Tan and Le, arXiv:1905.11946, table 1) without squeeze and excitation,
// with ReLU6 for swish and a stem and head of fixed width (TensorFlow, models of the
// tpu project, efficientnet/lite). Parameters are named as in efficientnet_lite_pytorch.
func EfficientNetLite0(o ClassifierOptions) (*Network, error) {
	return efficientNetLite("efficientnet-lite0", 1.0, 1.0, 224, o)
}

// EfficientNetLite1 has 5.4 million parameters and takes 240×240; see EfficientNetLite0.
func EfficientNetLite1(o ClassifierOptions) (*Network, error) {
	return efficientNetLite("efficientnet-lite1", 1.0, 1.1, 240, o)
}

// EfficientNetLite2 has 6.1 million parameters and takes 260×260; see EfficientNetLite0.
func EfficientNetLite2(o ClassifierOptions) (*Network, error) {
	return efficientNetLite("efficientnet-lite2", 1.1, 1.2, 260, o)
}

// efficientNetNorm is every BatchNorm's (efficientnet_lite_builder.py, batch_norm_epsilon
// and batch_norm_momentum).
var efficientNetNorm = BatchNormAttrs{Epsilon: 1e-3, Momentum: 0.99}

// efficientNetStages are the rows of table 1 of the paper, before scaling. Stem and
// head, 32 and 1280 channels, are not scaled in the Lite variants.
var efficientNetStages = []struct{ repeat, kernel, stride, expand, out int64 }{
	{1, 3, 1, 1, 16},
	{2, 3, 2, 6, 24},
	{2, 5, 2, 6, 40},
	{3, 3, 2, 6, 80},
	{3, 5, 1, 6, 112},
	{4, 5, 2, 6, 192},
	{1, 3, 1, 6, 320},
}

func efficientNetLite(name string, width, depth float64, size int64, o ClassifierOptions) (*Network, error) {
	return classifier(name, size, o, func(m *Module, x *onnx.Value) ([]Tap, *onnx.Value) {
		taps := EfficientNetLiteFeatures(m, x, width, depth)
		x = m.Conv("_conv_head", taps[len(taps)-1].Value, 1280, ConvAttrs{})
		x = m.Mark("_conv_head", m.ReLU6(m.BatchNorm("_bn1", x, efficientNetNorm)))
		x = m.Flatten(m.GlobalAveragePool(x), 1)
		return taps, m.Linear("_fc", x, or(o.Classes, 1000))
	})
}

// EfficientNetLiteFeatures adds the stem and the blocks to m and returns the last
// feature maps of strides 2, 4, 8, 16 and 32. x is (N, 3, H, W) with H and W known; width
// and depth are the paper's coefficients.
func EfficientNetLiteFeatures(m *Module, x *onnx.Value, width, depth float64) []Tap {
	x = m.Conv("_conv_stem", x, 32, ConvAttrs{Kernel: 3, Stride: 2, SamePad: true})
	x = m.ReLU6(m.BatchNorm("_bn0", x, efficientNetNorm))
	m.Mark("_conv_stem", x)
	var taps []Tap
	stride, channels, block := int64(2), int64(32), 0
	for i, s := range efficientNetStages {
		repeat := s.repeat
		if i > 0 && i < len(efficientNetStages)-1 {
			repeat = int64(math.Ceil(depth * float64(repeat)))
		}
		if s.stride > 1 && block > 0 {
			taps = append(taps, Tap{stride, channels, x})
		}
		stride *= s.stride
		out := scaledChannels(s.out, width)
		for r := range repeat {
			step := s.stride
			if r > 0 {
				step = 1
			}
			name := fmt.Sprintf("_blocks.%d", block)
			x = m.Mark(name, mbConv(m.Sub(name), x, channels, out, s.expand, s.kernel, step))
			channels = out
			block++
		}
	}
	return append(taps, Tap{stride, channels, x})
}

// mbConv is the mobile inverted bottleneck (Sandler et al., arXiv:1801.04381, table 1):
// expand by a 1×1 convolution, filter each channel, project without activation, and
// add x where the shape did not change.
func mbConv(m *Module, x *onnx.Value, in, out, expand, kernel, stride int64) *onnx.Value {
	y := x
	if expand > 1 {
		y = m.Conv("_expand_conv", y, in*expand, ConvAttrs{})
		y = m.ReLU6(m.BatchNorm("_bn0", y, efficientNetNorm))
	}
	y = m.Conv("_depthwise_conv", y, in*expand, ConvAttrs{Kernel: kernel, Stride: stride, Group: in * expand, SamePad: true})
	y = m.ReLU6(m.BatchNorm("_bn1", y, efficientNetNorm))
	y = m.Conv("_project_conv", y, out, ConvAttrs{})
	y = m.BatchNorm("_bn2", y, efficientNetNorm)
	if stride == 1 && in == out {
		y = m.Add(y, x)
	}
	return y
}

// scaledChannels rounds c·width to a multiple of 8, never below 90 percent of it
// (efficientnet_model.py, round_filters).
func scaledChannels(c int64, width float64) int64 {
	want := float64(c) * width
	n := max(8, int64(want+4)/8*8)
	if float64(n) < 0.9*want {
		n += 8
	}
	return n
}
