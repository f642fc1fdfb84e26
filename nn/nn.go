// Package nn builds neural networks as ONNX graphs.
//
// A network is a function of plain options that writes a graph layer by layer through
// a Module, which keeps the list of parameters and their names. The names are those of
// the network's PyTorch reference, so that convert/torch.Assign can fill them from a
// published state dict. BatchNorm stays a node of its own here; onnx.Simplify folds it.
//
// Start at resnet.go, which every classification network follows: a function that adds
// the feature extractor to a Module and returns its taps, one that makes the whole
// Network; classifier.go lists them by name. Each of them, and any imported graph, is a
// backbone (backbone.go) of the networks for segmentation (deeplabv3plus.go) and
// detection. Dropout before the last layer is left out. Graphs are NCHW with a symbolic
// batch "N" and a fixed image size. Parameters start at 0 (scales and variances at 1)
// until Network.Initialise or a state dict fills them: nothing here trains.
package nn

import "trilobite/onnx"

// Network is a graph and its parameters.
type Network struct {
	Graph  *onnx.Graph
	Params []*onnx.Value // in the order of use; each is a constant of Graph
	Taps   []Tap         // finest first

	init map[*onnx.Value]Initialiser // where not by name; see init.go
}

// Tap is a feature map that heads for detection and segmentation start from. Its value
// is named as the module whose output it is.
type Tap struct {
	Stride, Channels int64
	Value            *onnx.Value // (N, Channels, ⌈H/Stride⌉, ⌈W/Stride⌉)
}

// finish makes a Network of what m built.
func finish(m *Module, taps []Tap) (*Network, error) {
	g, err := m.Graph()
	if err != nil {
		return nil, err
	}
	return &Network{Graph: g, Params: m.Params(), Taps: taps, init: m.state.init}, nil
}
