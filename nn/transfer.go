package nn

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TransferOptions shape a classifier on a backbone.
type TransferOptions struct {
	Backbone      BackboneOptions // of one tap at most
	Classes       int64           // must be given
	Height, Width int64           // 224
}

// TransferClassifier is a backbone, the mean of its last features over their places, and a
// linear layer to the classes: what is trained when a network is transferred to a new task.
//
// Input "input" (N, 3, Height, Width), prepared as the backbone wants it; output "logits"
// (N, Classes). The features are the tap that is named, or what the backbone's own
// classifier takes the mean of. Parameters are "backbone." and the backbone's, "fc.weight"
// and "fc.bias".
func TransferClassifier(o TransferOptions) (*Network, error) {
	if o.Classes < 1 || len(o.Backbone.Taps) > 1 {
		return nil, fmt.Errorf("classifier of %d classes on %d taps, want a class and a tap", o.Classes, len(o.Backbone.Taps))
	}
	b := onnx.NewBuilder("classifier")
	m := NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, or(o.Height, 224), or(o.Width, 224)})
	f, err := m.backbone(x, o.Backbone)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	if len(f.named) == 0 {
		t, err := f.source.last()
		if err != nil {
			return nil, fmt.Errorf("classifier: %w", err)
		}
		f.named = []Tap{t}
	}
	t, err := f.at(f.named[0].Stride)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	x = m.Flatten(m.GlobalAveragePool(t.Value), 1)
	b.Output("logits", m.linear("fc", x, o.Classes, GlorotUniform))
	return finish(m, f.used)
}

// overPlaces reports whether a node is the mean over all places of a feature map, as
// exporters also write a global pool.
func overPlaces(n *onnx.Node) bool {
	if n.Op != "ReduceMean" || n.Input(1) == nil || len(n.In[0].Shape) != 4 {
		return false
	}
	list, _ := n.In[1].Ints()
	axes := slices.Clone(list)
	for i, a := range axes {
		axes[i] = (a + 4) % 4
	}
	slices.Sort(axes)
	return slices.Equal(axes, []int64{2, 3})
}

// last returns the features that a network's classifier starts from: what the last pool
// over all places reads, or the coarsest tap.
func (n *Network) last() (Tap, error) {
	for _, node := range slices.Backward(n.Graph.Nodes) {
		if node.Op == "GlobalAveragePool" || overPlaces(node) {
			return n.tap(node.In[0])
		}
	}
	if len(n.Taps) == 0 {
		return Tap{}, fmt.Errorf("backbone %s has no feature maps", n.Graph.Name)
	}
	return n.Taps[len(n.Taps)-1], nil
}
