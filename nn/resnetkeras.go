package nn

import (
	"fmt"

	"trilobite/onnx"
)

// ResNet50Keras is ResNet-50 as keras.applications.ResNet50 has it, 25.6 million
// parameters: a bottleneck's stride sits on its first 1×1 convolution ("v1"), every
// convolution has a bias, and BatchNorm's epsilon is 1.001e-5.
//
// Input "input" (N, 3, H, W), 224×224 by default, BGR in 0…255 less 103.939, 116.779 and
// 123.68 (preprocess_input, mode "caffe"); output "logits" (N, Classes).
//
// He et al., arXiv:1512.03385, table 1; keras/src/applications/resnet.py. Layers are named
// as there ("conv4_block6_2_conv"), their parameters as in PyTorch: weight (out, in, kH,
// kW) for Keras' kernel, bias; weight, bias, running_mean and running_var for gamma, beta,
// moving_mean and moving_variance. Outputs of blocks and inner ReLUs can be tapped by
// their Keras names ("conv4_block6_out", "conv4_block6_2_relu").
func ResNet50Keras(o ClassifierOptions) (*Network, error) {
	return classifier("resnet50_keras", 224, o, func(m *Module, x *onnx.Value) ([]Tap, *onnx.Value) {
		taps := ResNetKerasFeatures(m, x, ResNetDepths{3, 4, 6, 3})
		x = m.Flatten(m.GlobalAveragePool(taps[len(taps)-1].Value), 1)
		return taps, m.Linear("predictions", x, or(o.Classes, 1000))
	})
}

// kerasResNetNorm is every BatchNorm's: epsilon of resnet.py, momentum Keras' default.
var kerasResNetNorm = BatchNormAttrs{Epsilon: 1.001e-5, Momentum: 0.99}

// ResNetKerasFeatures adds the stem and the four stages to m and returns their outputs,
// of strides 2, 4, 8, 16 and 32. x is (N, 3, H, W).
func ResNetKerasFeatures(m *Module, x *onnx.Value, depths ResNetDepths) []Tap {
	unit := func(name string, x *onnx.Value, out int64, a ConvAttrs) *onnx.Value {
		a.Bias = true
		return m.BatchNorm(name+"_bn", m.Conv(name+"_conv", x, out, a), kerasResNetNorm)
	}
	relu := func(name string, x *onnx.Value) *onnx.Value { return m.Mark(name, m.Relu(x)) }
	x = relu("conv1_relu", unit("conv1", x, 64, ConvAttrs{Kernel: 7, Stride: 2}))
	taps := []Tap{{2, 64, x}}
	// Keras pads the pool with zeros, which are no more than what a ReLU leaves.
	x = m.MaxPool(x, onnx.PoolAttrs{Kernel: []int64{3, 3}, Strides: []int64{2, 2}, Pads: []int64{1, 1, 1, 1}})
	stride, planes := int64(4), int64(64)
	for i, depth := range depths {
		for j := range depth {
			name := fmt.Sprintf("conv%d_block%d", i+2, j+1)
			step, shortcut := int64(1), x
			if i > 0 && j == 0 {
				step = 2
			}
			if j == 0 {
				shortcut = unit(name+"_0", x, 4*planes, ConvAttrs{Stride: step})
			}
			y := relu(name+"_1_relu", unit(name+"_1", x, planes, ConvAttrs{Stride: step}))
			y = relu(name+"_2_relu", unit(name+"_2", y, planes, ConvAttrs{Kernel: 3}))
			x = relu(name+"_out", m.Add(shortcut, unit(name+"_3", y, 4*planes, ConvAttrs{})))
		}
		taps = append(taps, Tap{stride, 4 * planes, x})
		stride, planes = stride*2, planes*2
	}
	return taps
}
