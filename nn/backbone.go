package nn

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"trilobite/onnx"
	"trilobite/tensor"
)

// BackboneOptions choose the feature extractor of a network.
type BackboneOptions struct {
	// Name is one of ClassifierNames.
	Name string
	// Graph is an imported model that is used instead: its first input is the image,
	// float32 (N, C, H, W), and its other inputs are not used by the taps.
	Graph *onnx.Graph
	// Taps names the feature maps that the network starts from: tensors ("layer3.5"),
	// nodes, whose first output is meant, or "stride16" for the last map of that stride.
	// Nil leaves the choice to the network; an imported graph then offers the last map of
	// each stride that a convolution, activation, pool or sum computes.
	Taps []string
}

// backbonePrefix begins the names of the parameters and tensors of a network's backbone.
const backbonePrefix = "backbone"

// features is a backbone within a network that is being built.
type features struct {
	*graft

	named []Tap // those that the options name, finest first
	used  []Tap // that were asked for, of the network that is built
}

// backbone prepares the backbone of a network on x (N, 3, H, W), H and W known; features
// that nobody asks for are not built.
func (m *Module) backbone(x *onnx.Value, o BackboneOptions) (*features, error) {
	source, err := o.network(x.Shape)
	if err != nil {
		return nil, err
	}
	f := &features{graft: newGraft(source, m.Sub(backbonePrefix), x)}
	for _, name := range o.Taps {
		t, err := source.Tap(name)
		if err != nil {
			return nil, fmt.Errorf("backbone %s: %w", source.Graph.Name, err)
		}
		f.named = append(f.named, t)
	}
	slices.SortStableFunc(f.named, func(a, b Tap) int { return int(a.Stride - b.Stride) })
	for i := 1; i < len(f.named); i++ {
		if a, b := f.named[i-1], f.named[i]; a.Stride == b.Stride {
			return nil, fmt.Errorf("backbone %s: taps %q and %q are both of stride %d, want one of each",
				source.Graph.Name, a.Value.Name, b.Value.Name, a.Stride)
		}
	}
	return f, nil
}

// network returns the whole network whose features are wanted, for images of shape
// (N, C, H, W).
func (o BackboneOptions) network(shape onnx.Shape) (*Network, error) {
	if o.Graph != nil {
		return importNetwork(o.Graph, shape)
	}
	build, ok := Classifiers()[o.Name]
	if !ok {
		return nil, fmt.Errorf("backbone %q: %s", o.Name, oneOf(o.Name, ClassifierNames()))
	}
	return build(ClassifierOptions{Height: shape[2], Width: shape[3]})
}

// at builds the features of a stride and returns them: the map named in the options, or
// the backbone's last one of the stride.
func (f *features) at(stride int64) (Tap, error) {
	for _, t := range slices.Concat(f.named, f.source.Taps) {
		if t.Stride != stride {
			continue
		}
		t.Value = f.build(t.Value)
		if !slices.Contains(f.used, t) {
			f.used = append(f.used, t)
			slices.SortFunc(f.used, func(a, b Tap) int { return int(a.Stride - b.Stride) })
		}
		return t, f.module.Err()
	}
	return Tap{}, fmt.Errorf("backbone %s has no features of stride %d, only of %v", f.source.Graph.Name, stride, f.strides())
}

// all returns the features of the given strides; of the named taps', where none are
// given; else of usual ones, as far as the backbone has them.
func (f *features) all(strides, usual []int64) ([]Tap, error) {
	if strides == nil {
		for _, t := range f.named {
			strides = append(strides, t.Stride)
		}
	}
	if strides == nil {
		for _, s := range usual {
			if slices.Contains(f.strides(), s) {
				strides = append(strides, s)
			}
		}
	}
	if len(strides) == 0 || !slices.IsSorted(strides) {
		return nil, fmt.Errorf("strides %v: want some, finest first", strides)
	}
	var taps []Tap
	for _, s := range strides {
		t, err := f.at(s)
		if err != nil {
			return nil, err
		}
		taps = append(taps, t)
	}
	return taps, nil
}

// strides lists what at can answer, finest first.
func (f *features) strides() []int64 {
	var all []int64
	for _, t := range slices.Concat(f.named, f.source.Taps) {
		all = append(all, t.Stride)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Tap finds a feature map by the name of its tensor or node, or as "stride16".
func (n *Network) Tap(name string) (Tap, error) {
	var names []string
	for _, t := range n.Taps {
		names = append(names, fmt.Sprintf("stride%d", t.Stride))
		if name == names[len(names)-1] {
			return t, nil
		}
	}
	for _, node := range n.Graph.Nodes {
		for i, v := range node.Out {
			if v == nil {
				continue
			}
			names = append(names, v.Name)
			if name == v.Name || i == 0 && name == node.Name {
				return n.tap(v)
			}
		}
	}
	return Tap{}, fmt.Errorf("there is no tap %q: %s", name, oneOf(name, names))
}

// tap measures a feature map: its stride is the power of 2 next to the ratio of heights,
// which padding keeps from being whole.
func (n *Network) tap(v *onnx.Value) (Tap, error) {
	in := n.Graph.Inputs[0].Shape
	if v.DType != tensor.Float32 || len(v.Shape) != 4 || !v.Shape[1:].Static() || v.Shape[2] < 1 || v.Shape[3] < 1 {
		return Tap{}, fmt.Errorf("tap %q is %s%v, want float32 (N, C, H, W) with C, H and W known", v.Name, v.DType, v.Shape)
	}
	log := func(axis int) float64 { return math.Round(math.Log2(float64(in[axis]) / float64(v.Shape[axis]))) }
	if log(2) != log(3) || log(2) < 0 {
		return Tap{}, fmt.Errorf("tap %q is %v of an image %v: no stride", v.Name, v.Shape, in)
	}
	return Tap{int64(1) << int(log(2)), v.Shape[1], v}, nil
}

// oneOf is the end of an error about a name that is none of those known: the nearest
// ones first.
func oneOf(name string, known []string) string {
	near := slices.Clone(known)
	distance := map[string]int{}
	for _, k := range near {
		distance[k] = EditDistance(name, k)
	}
	slices.SortStableFunc(near, func(a, b string) int { return distance[a] - distance[b] })
	const shown = 5
	if len(near) > shown {
		return fmt.Sprintf("the nearest of %d are %s", len(near), strings.Join(near[:shown], ", "))
	}
	if len(near) == 0 {
		return "there are none"
	}
	return "want one of " + strings.Join(near, ", ")
}

// EditDistance counts the letters to add, drop or change to turn a into b (Levenshtein).
func EditDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
