package nn

import (
	"fmt"

	"trilobite/onnx"
)

// TorchSegmenters returns torchvision's segmentation networks, by the names it gives them.
// They take its state dicts; the loss's second head, aux_classifier, is not built. Options
// have no Backbone: it is part of the network.
func TorchSegmenters() map[string]func(SegmenterOptions) (*Network, error) {
	return map[string]func(SegmenterOptions) (*Network, error){
		"deeplabv3_resnet50": func(o SegmenterOptions) (*Network, error) {
			return deepLabV3("deeplabv3_resnet50", o, resNetBackbone(ResNetDepths{3, 4, 6, 3}))
		},
		"deeplabv3_resnet101": func(o SegmenterOptions) (*Network, error) {
			return deepLabV3("deeplabv3_resnet101", o, resNetBackbone(ResNetDepths{3, 4, 23, 3}))
		},
		"deeplabv3_mobilenet_v3_large": func(o SegmenterOptions) (*Network, error) {
			return deepLabV3("deeplabv3_mobilenet_v3_large", o, func(m *Module, x *onnx.Value) *onnx.Value {
				taps := mobileNetV3Features(m, x, "", mobileNetV3Large, 2)
				last := taps[len(taps)-1]
				return m.HardSwish(m.convBN3(fmt.Sprint(len(mobileNetV3Large)+1), last.Value, 6*last.Channels, ConvAttrs{}))
			})
		},
	}
}

// resNetBackbone is a ResNet whose last two stages are dilated, of stride 8.
func resNetBackbone(depths ResNetDepths) func(m *Module, x *onnx.Value) *onnx.Value {
	return func(m *Module, x *onnx.Value) *onnx.Value {
		taps := resNetFeatures(m, x, depths, true, 8)
		return taps[len(taps)-1].Value
	}
}

// deepLabV3 is Chen et al., arXiv:1706.05587, figure 5, as torchvision has it
// (models/segmentation/deeplabv3.py): rates 12, 24 and 36, and a 3×3 convolution after the
// pyramid.
//
// Input "input" (N, 3, Height, Width), RGB in 0…1 less ImageNet's mean and divided by its
// standard deviation; output "logits" (N, Classes, Height, Width). Parameters are named as
// in torchvision.
func deepLabV3(name string, o SegmenterOptions, backbone func(m *Module, x *onnx.Value) *onnx.Value) (*Network, error) {
	return network(name, o, func(m *Module, x *onnx.Value) (*onnx.Value, []Tap, error) {
		size := x.Shape[2:]
		x = backbone(m.Sub("backbone"), x)
		h := m.Sub("classifier")
		unit := func(conv, norm string, x *onnx.Value, a ConvAttrs) *onnx.Value {
			return h.Relu(h.BatchNorm(norm, h.Conv(conv, x, 256, a), BatchNormAttrs{}))
		}
		branches := []*onnx.Value{unit("0.convs.0.0", "0.convs.0.1", x, ConvAttrs{})}
		for i, rate := range []int64{12, 24, 36} {
			at := fmt.Sprintf("0.convs.%d.", i+1)
			branches = append(branches, unit(at+"0", at+"1", x, ConvAttrs{Kernel: 3, Dilation: rate}))
		}
		mean := unit("0.convs.4.1", "0.convs.4.2", h.GlobalAveragePool(x), ConvAttrs{})
		branches = append(branches, h.upsampleLike(mean, x))
		x = unit("0.project.0", "0.project.1", h.Concat(1, branches...), ConvAttrs{})
		x = unit("1", "2", x, ConvAttrs{Kernel: 3})
		return h.upsample(h.Conv("4", x, o.Classes, ConvAttrs{Bias: true, Init: GlorotUniform}), size), nil, nil
	})
}
