// Package transfer has what trainings share that put a new head on a backbone which knows
// many pictures already: how pictures are fed, whose weights go where, which BatchNorms
// move, and the two stages, the head alone and deeper layers with it.
//
// Start at Stages. A network's parameters that are not the head's begin with Backbone.
package transfer

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/tensor"
	"trilobite/train"
)

// Backbone begins the names of the backbone's parameters in a network.
const Backbone = "backbone."

// Head reports whether a parameter is the head's.
func Head(name string) bool { return !strings.HasPrefix(name, Backbone) }

// pixels is the usual area of an input, that of 384×288.
const pixels = 384 * 288

// SpecOf returns how a set's pictures are fed: stretched to about 110,000 pixels in the
// proportions of most of them, sides in multiples of 32, normalised as the backbone wants it.
func SpecOf(set *dataset.Set, backbone pipeline.Spec) pipeline.Spec {
	var aspects []float64
	for _, img := range set.Images {
		if img.W > 0 && img.H > 0 {
			aspects = append(aspects, float64(img.W)/float64(img.H))
		}
	}
	aspect := 4.0 / 3
	if slices.Sort(aspects); len(aspects) > 0 {
		aspect = min(max(aspects[len(aspects)/2], 0.25), 4)
	}
	width := max(1, math.Round(math.Sqrt(pixels*aspect)/32)) * 32
	height := max(1, math.Round(width/aspect/32)) * 32
	s := backbone
	s.Width, s.Height, s.Resize, s.Crop, s.Filter = int(width), int(height), pipeline.Exact, 0, imageio.Bilinear
	return s
}

// Fill gives net's backbone the weights of a classifier.
func Fill(net, classifier *nn.Network) error {
	known := map[string]*onnx.Value{}
	for _, v := range classifier.Params {
		known[Backbone+v.Name] = v
	}
	for _, v := range net.Params {
		if Head(v.Name) {
			continue
		}
		w := known[v.Name]
		if w == nil || !slices.Equal(w.Shape, v.Shape) {
			return fmt.Errorf("network %s: %q is not in the classifier %s", net.Graph.Name, v.Name, classifier.Graph.Name)
		}
		v.Data = w.Data
	}
	return nil
}

// TrainingNorms puts the head's BatchNorms into training mode, for a recipe with
// step.AsGiven: they normalise by the batch, while the backbone's keep the statistics of
// the many pictures that they saw.
func TrainingNorms(g *onnx.Graph) {
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" && Head(n.In[1].Name) {
			n.Attrs["training_mode"] = int64(1)
		}
	}
}

// Finish gives a network what it has learned. It returns it as it is served, simplified, and
// the values of all its parameters by name, those that did not change too.
func Finish(net *nn.Network, res *train.Result) (served *onnx.Graph, state map[string]*tensor.Tensor, err error) {
	served = onnx.Clone(net.Graph)
	if err := train.Assign(served, res.Weights); err != nil {
		return nil, nil, err
	}
	state = map[string]*tensor.Tensor{}
	for _, v := range net.Params {
		state[v.Name] = v.Data
	}
	maps.Copy(state, res.Weights)
	return served, state, onnx.Simplify(served)
}

// Names lists a network's parameters.
func Names(net *nn.Network) []string {
	all := make([]string, len(net.Params))
	for i, v := range net.Params {
		all[i] = v.Name
	}
	return all
}

// Vectors tells biases and the parameters of norms, which are not decayed.
func Vectors(net *nn.Network) func(name string) bool {
	vector := map[string]bool{}
	for _, v := range net.Params {
		vector[v.Name] = len(v.Shape) < 2
	}
	return func(name string) bool { return vector[name] }
}

// Stages are head, which trains the head alone, and where unfreeze names something of the
// backbone (see train.Unfrozen), deeper, which trains that besides.
func Stages(net *nn.Network, unfreeze string, head, deeper train.Stage) ([]train.Stage, error) {
	head.Name, head.Trainable = "head", Head
	if unfreeze == "" {
		return []train.Stage{head}, nil
	}
	chosen, err := train.Unfrozen(slices.DeleteFunc(Names(net), Head), unfreeze)
	if err != nil {
		return nil, err
	}
	deeper.Name, deeper.Trainable = "deeper layers", func(name string) bool { return Head(name) || chosen(name) }
	return []train.Stage{head, deeper}, nil
}

// Rate is a factor for the backbone's learning rate beside the head's, for
// train.Recipe's LRScale.
func Rate(factor float64) func(name string) float64 {
	return func(name string) float64 {
		if Head(name) {
			return 1
		}
		return factor
	}
}
