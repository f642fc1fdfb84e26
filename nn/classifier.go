package nn

import (
	"maps"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// ClassifierOptions shape a classification network; zero values take the defaults.
type ClassifierOptions struct {
	Classes       int64 // 1000
	Height, Width int64 // the size the published weights were trained at
	Probabilities bool  // also output "probabilities", the softmax of the logits
}

// Classifiers returns the classification networks by the name that their PyTorch
// reference gives them; cards and commands call networks so.
func Classifiers() map[string]func(ClassifierOptions) (*Network, error) {
	return map[string]func(ClassifierOptions) (*Network, error){
		"efficientnet_lite0": EfficientNetLite0,
		"efficientnet_lite1": EfficientNetLite1,
		"efficientnet_lite2": EfficientNetLite2,
		"mobilenet_v2":       MobileNetV2,
		"mobilenet_v3_large": MobileNetV3Large,
		"mobilenet_v3_small": MobileNetV3Small,
		"resnet18":           ResNet18,
		"resnet34":           ResNet34,
		"resnet50":           ResNet50,
		"resnet50_keras":     ResNet50Keras,
		"resnet101":          ResNet101,
	}
}

// ClassifierNames returns the names of Classifiers, sorted.
func ClassifierNames() []string { return slices.Sorted(maps.Keys(Classifiers())) }

// classifier makes the network that body builds: from x (N, 3, Height, Width), size
// square unless o says otherwise, to feature maps and logits (N, Classes).
func classifier(name string, size int64, o ClassifierOptions, body func(m *Module, x *onnx.Value) ([]Tap, *onnx.Value)) (*Network, error) {
	b := onnx.NewBuilder(name)
	m := NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, or(o.Height, size), or(o.Width, size)})
	taps, logits := body(m, x)
	logits = b.Output("logits", logits)
	if o.Probabilities {
		b.Output("probabilities", b.Softmax(logits, 1))
	}
	return finish(m, taps)
}

func or(v, def int64) int64 {
	if v == 0 {
		return def
	}
	return v
}
