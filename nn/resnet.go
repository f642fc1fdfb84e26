package nn

import (
	"fmt"

	"trilobite/onnx"
)

// ResNet18 has 11.7 million parameters and two 3×3 convolutions a block.
//
// Input "input" (N, 3, H, W), 224×224 by default, RGB in 0…1 less ImageNet's mean and
// divided by its standard deviation; output "logits" (N, Classes).
//
// He et al., arXiv:1512.03385, table 1, in torchvision's variant: a bottleneck's stride
// sits on its 3×3 convolution ("v1.5"), and a shortcut that changes shape is a 1×1
// convolution (the paper's option B). Parameters are named as in torchvision.
func ResNet18(o ClassifierOptions) (*Network, error) {
	return resNet("resnet18", ResNetDepths{2, 2, 2, 2}, false, o)
}

// ResNet34 has 21.8 million parameters; see ResNet18.
func ResNet34(o ClassifierOptions) (*Network, error) {
	return resNet("resnet34", ResNetDepths{3, 4, 6, 3}, false, o)
}

// ResNet50 has 25.6 million parameters and blocks of three convolutions; see ResNet18.
func ResNet50(o ClassifierOptions) (*Network, error) {
	return resNet("resnet50", ResNetDepths{3, 4, 6, 3}, true, o)
}

// ResNet101 has 44.5 million parameters; see ResNet50.
func ResNet101(o ClassifierOptions) (*Network, error) {
	return resNet("resnet101", ResNetDepths{3, 4, 23, 3}, true, o)
}

// ResNetDepths counts the blocks of each stage: the rows conv2_x to conv5_x of table 1.
type ResNetDepths [4]int

func resNet(name string, depths ResNetDepths, bottleneck bool, o ClassifierOptions) (*Network, error) {
	return classifier(name, 224, o, func(m *Module, x *onnx.Value) ([]Tap, *onnx.Value) {
		taps := ResNetFeatures(m, x, depths, bottleneck)
		x = m.Flatten(m.GlobalAveragePool(taps[len(taps)-1].Value), 1)
		return taps, m.Linear("fc", x, or(o.Classes, 1000))
	})
}

// ResNetFeatures adds the stem and the four stages to m and returns their outputs, of
// strides 2, 4, 8, 16 and 32. Blocks are named as their modules ("layer3.5"), and the
// ReLUs inside as torchvision's feature extraction names them ("layer3.5.relu_1"). x is
// (N, 3, H, W).
func ResNetFeatures(m *Module, x *onnx.Value, depths ResNetDepths, bottleneck bool) []Tap {
	return resNetFeatures(m, x, depths, bottleneck, 32)
}

// resNetFeatures is ResNetFeatures up to a stride: the stages beyond it keep the size and
// dilate their 3×3 convolutions instead (torchvision's replace_stride_with_dilation).
func resNetFeatures(m *Module, x *onnx.Value, depths ResNetDepths, bottleneck bool, most int64) []Tap {
	block, expansion := basicBlock, int64(1)
	if bottleneck {
		block, expansion = bottleneckBlock, 4
	}
	x = m.Conv("conv1", x, 64, ConvAttrs{Kernel: 7, Stride: 2})
	x = m.Relu(m.BatchNorm("bn1", x, BatchNormAttrs{}))
	m.Mark("relu", x)
	taps := []Tap{{2, 64, x}}
	x = m.MaxPool(x, onnx.PoolAttrs{Kernel: []int64{3, 3}, Strides: []int64{2, 2}, Pads: []int64{1, 1, 1, 1}})
	stride, channels, planes, dilation := int64(4), int64(64), int64(64), int64(1)
	for i, depth := range depths {
		step, before := int64(1), dilation
		switch {
		case i > 0 && stride < most:
			step = 2
			stride *= 2
		case i > 0:
			dilation *= 2
		}
		for j := range depth {
			name := fmt.Sprintf("layer%d.%d", i+1, j)
			s := m.Sub(name)
			shortcut := x
			if step > 1 || channels != planes*expansion {
				shortcut = s.Conv("downsample.0", x, planes*expansion, ConvAttrs{Stride: step})
				shortcut = s.BatchNorm("downsample.1", shortcut, BatchNormAttrs{})
			}
			x = m.Mark(name, s.Relu(s.Add(block(s, x, planes, step, before), shortcut)))
			channels = planes * expansion
			step, before = 1, dilation
		}
		taps = append(taps, Tap{stride, channels, x})
		planes *= 2
	}
	return taps
}

// basicBlock is the residual of figure 5, left: two 3×3 convolutions.
func basicBlock(m *Module, x *onnx.Value, planes, stride, dilation int64) *onnx.Value {
	y := m.Conv("conv1", x, planes, ConvAttrs{Kernel: 3, Stride: stride, Dilation: dilation})
	y = m.Mark("relu", m.Relu(m.BatchNorm("bn1", y, BatchNormAttrs{})))
	y = m.Conv("conv2", y, planes, ConvAttrs{Kernel: 3, Dilation: dilation})
	return m.BatchNorm("bn2", y, BatchNormAttrs{})
}

// bottleneckBlock is the residual of figure 5, right: 1×1, 3×3 and 1×1 to four times
// the channels.
func bottleneckBlock(m *Module, x *onnx.Value, planes, stride, dilation int64) *onnx.Value {
	y := m.Conv("conv1", x, planes, ConvAttrs{})
	y = m.Mark("relu", m.Relu(m.BatchNorm("bn1", y, BatchNormAttrs{})))
	y = m.Conv("conv2", y, planes, ConvAttrs{Kernel: 3, Stride: stride, Dilation: dilation})
	y = m.Mark("relu_1", m.Relu(m.BatchNorm("bn2", y, BatchNormAttrs{})))
	y = m.Conv("conv3", y, planes*4, ConvAttrs{})
	return m.BatchNorm("bn3", y, BatchNormAttrs{})
}
