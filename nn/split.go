package nn

import (
	"errors"
	"fmt"

	"trilobite/onnx"
)

// Split cuts a network at its taps: features computes the taps from the image, head the
// network's outputs from the taps, which are its inputs under their names. Where the
// backbone is frozen, its features can be computed once and the head trained on them.
//
// Both are copies that share the elements of the parameters and keep their names. It fails
// if the outputs depend on the image other than through the taps.
func (n *Network) Split() (features, head *Network, err error) {
	if len(n.Taps) == 0 {
		return nil, nil, fmt.Errorf("%s has no taps to be split at", n.Graph.Name)
	}
	if features, err = n.features(); err != nil {
		return nil, nil, fmt.Errorf("features of %s: %w", n.Graph.Name, err)
	}
	if head, err = n.head(); err != nil {
		return nil, nil, fmt.Errorf("head of %s: %w", n.Graph.Name, err)
	}
	return features, head, nil
}

func (n *Network) features() (*Network, error) {
	b := onnx.NewBuilder(n.Graph.Name + "_features")
	m := NewModule(b)
	in := n.Graph.Inputs[0]
	g := newGraft(n, m, n.Graph.Inputs[:1], []*onnx.Value{b.Input(in.Name, in.DType, batched(b, in.Shape))})
	var taps []Tap
	for _, t := range n.Taps {
		name := t.Value.Name
		t.Value = b.Output(name, g.build(t.Value))
		taps = append(taps, t)
	}
	return finish(m, taps)
}

func (n *Network) head() (*Network, error) {
	b := onnx.NewBuilder(n.Graph.Name + "_head")
	m := NewModule(b)
	var from, to []*onnx.Value
	var taps []Tap
	for _, t := range n.Taps {
		from = append(from, t.Value)
		t.Value = b.Input(t.Value.Name, t.Value.DType, batched(b, t.Value.Shape))
		to, taps = append(to, t.Value), append(taps, t)
	}
	g := newGraft(n, m, from, to)
	for _, v := range n.Graph.Outputs {
		y := g.build(v)
		if b.Err() != nil {
			return nil, errors.Join(errors.New("the outputs depend on more than the taps"), b.Err())
		}
		b.Output(v.Name, y)
	}
	return finish(m, taps)
}

// batched is shape with the batch as the symbol N of the graph that b builds, unless the
// batch is bound.
func batched(b *onnx.Builder, shape onnx.Shape) onnx.Shape {
	s := append(onnx.Shape{}, shape...)
	if s[0] < 0 {
		s[0] = b.Dim("N")
	}
	return s
}
