package zoo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"trilobite/convert/torch"
	"trilobite/imageio"
	"trilobite/nn"
	"trilobite/pipeline"
)

// Weighted is a network of package nn with the weights of a state dict.
type Weighted struct {
	*nn.Network

	Name    string // of the network
	Task    string
	Classes int
	Unused  []string // tensors of layers that answer nothing in use
}

// auxiliary begins the names of layers that only training asks.
const auxiliary = "aux_classifier."

// FromWeights fills the network called name, or if that is empty the one whose parameters
// the state dict has, for images of a size; 0 is the network's usual one. The number of
// classes is the state dict's.
func FromWeights(name string, state *torch.StateDict, width, height int) (*Weighted, error) {
	w := &Weighted{Name: name}
	used := &torch.StateDict{Tensors: state.Tensors}
	for _, n := range state.Names {
		if strings.HasPrefix(n, auxiliary) {
			w.Unused = append(w.Unused, n)
		} else {
			used.Names = append(used.Names, n)
		}
	}
	if name == "" {
		var err error
		if w.Name, err = networkOf(used); err != nil {
			return nil, err
		}
	}
	probe, err := network(w.Name, 2, 0, 0)
	if err != nil {
		return nil, err
	}
	last := used.Tensors[probe.Params[len(probe.Params)-2].Name]
	if last == nil || len(last.Shape) < 2 || last.Shape[0] < 1 || last.Shape[0] > maxClasses {
		return nil, fmt.Errorf("the state dict has no weights %q of the last layer of %s", probe.Params[len(probe.Params)-2].Name, w.Name)
	}
	w.Classes = int(last.Shape[0])
	if w.Network, err = network(w.Name, w.Classes, width, height); err != nil {
		return nil, err
	}
	if w.Task = Classify; nn.TorchSegmenters()[w.Name] != nil {
		w.Task = Segment
	}
	return w, torch.Assign(w.Params, used)
}

// network builds a network by name.
func network(name string, classes, width, height int) (*nn.Network, error) {
	if build := nn.Classifiers()[name]; build != nil {
		return build(nn.ClassifierOptions{Classes: int64(classes), Width: int64(width), Height: int64(height)})
	}
	if build := nn.TorchSegmenters()[name]; build != nil {
		return build(nn.SegmenterOptions{Classes: int64(classes), Width: int64(width), Height: int64(height)})
	}
	return nil, fmt.Errorf("network %q is none of %s", name, strings.Join(NetworkNames(), ", "))
}

// NetworkNames lists the networks that state dicts fill.
func NetworkNames() []string {
	return slices.Concat(nn.ClassifierNames(), slices.Sorted(maps.Keys(nn.TorchSegmenters())))
}

// networkOf returns the network whose parameters have the names and, but for the last
// layer's, the shapes of a state dict's tensors.
func networkOf(state *torch.StateDict) (string, error) {
	near, missing := "", -1
	for _, name := range NetworkNames() {
		net, err := network(name, 2, 0, 0)
		if err != nil {
			return "", err
		}
		lacks := 0
		for i, p := range net.Params {
			t := state.Tensors[p.Name]
			if t == nil || i < len(net.Params)-2 && !slices.Equal(t.Shape, p.Shape) {
				lacks++
			}
		}
		if lacks == 0 && len(net.Params) == parameters(state) {
			return name, nil
		}
		if lacks += max(0, parameters(state)-len(net.Params)); missing < 0 || lacks < missing {
			near, missing = name, lacks
		}
	}
	hint := ""
	if missing <= len(state.Names)/4 {
		hint = fmt.Sprintf("; it is nearest to %s, %d tensors apart: name it with --network to see which", near, missing)
	}
	return "", fmt.Errorf("the state dict's %d tensors are of none of the networks %s%s. Of other networks export the whole, which torch.onnx.export does, and import that",
		len(state.Names), strings.Join(NetworkNames(), ", "), hint)
}

// parameters counts the tensors that a network of package nn has parameters for.
func parameters(state *torch.StateDict) int {
	n := 0
	for _, name := range state.Names {
		if !strings.HasSuffix(name, ".num_batches_tracked") {
			n++
		}
	}
	return n
}

// UsualPipeline is how the pictures of a network's published weights are prepared: as
// torchvision, Keras or EfficientNet-Lite do it. Width and Height are the network's.
func (w *Weighted) UsualPipeline() pipeline.Spec {
	shape := w.Graph.Inputs[0].Shape
	p := pipeline.Spec{
		Height: int(shape[2]), Width: int(shape[3]), Resize: pipeline.CentreCrop, Crop: 0.875, Filter: imageio.Bilinear,
		Mean: []float32{123.675, 116.28, 103.53}, Std: []float32{58.395, 57.12, 57.375},
	}
	switch {
	case w.Task == Segment:
		p.Resize, p.Crop = pipeline.Exact, 0
	case strings.HasPrefix(w.Name, "efficientnet_lite"):
		p.Filter, p.Mean, p.Std = imageio.Bicubic, []float32{127}, []float32{128}
	case w.Name == "resnet50_keras":
		p.Mean, p.Std, p.Order = []float32{123.68, 116.779, 103.939}, nil, pipeline.BGR
	}
	return p
}
