// Package nn builds neural networks as ONNX graphs.
//
// A network is a function of plain options that writes a graph layer by layer through
// a Module, which keeps the list of parameters and their names. The names are those of
// the network's PyTorch reference, so that convert/torch.Assign can fill them from a
// published state dict. BatchNorm stays a node of its own here; onnx.Simplify folds it.
//
// Start at resnet.go, which every further network follows: a function that adds the
// feature extractor to a Module and returns its taps, one that makes the whole Network;
// classifier.go lists them by name. Dropout before the last layer is left out. Graphs
// are NCHW with a symbolic batch "N" and a fixed image size. Parameters start at 0
// (scales and variances at 1): nothing here trains.
package nn

import (
	"fmt"

	"trilobite/onnx"
)

// Network is a graph and its parameters.
type Network struct {
	Graph  *onnx.Graph
	Params []*onnx.Value // in the order of use; each is a constant of Graph
	Taps   []Tap         // finest first
}

// Tap is a feature map that heads for detection and segmentation start from. Its value
// is named "stride4" and so on.
type Tap struct {
	Stride, Channels int64
	Value            *onnx.Value // (N, Channels, ⌈H/Stride⌉, ⌈W/Stride⌉)
}

// finish makes a Network of what m built.
func finish(m *Module, taps []Tap) (*Network, error) {
	for _, t := range taps {
		m.Name(t.Value, fmt.Sprintf("stride%d", t.Stride))
	}
	g, err := m.Graph()
	if err != nil {
		return nil, err
	}
	return &Network{Graph: g, Params: m.Params(), Taps: taps}, nil
}
