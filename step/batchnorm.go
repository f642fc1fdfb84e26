package step

import (
	"fmt"
	"slices"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/tensor"
)

// BatchNormMode says what a step does with the BatchNormalizations of a model.
type BatchNormMode int

const (
	// AsGiven leaves each in the mode that it has: training if the model was exported so.
	AsGiven BatchNormMode = iota
	// Train normalises by the batch and moves the running statistics, also where the
	// model was exported for inference.
	Train
	// Frozen normalises by the running statistics, which stay; scale and bias can be
	// trained all the same.
	Frozen
)

// running is a running statistic that the step trains.
type running struct {
	in   *onnx.Value
	init *tensor.Tensor
	by   []move
}

// move is a node that moves a statistic on, by the batch's mean or variance.
type move struct {
	node       *onnx.Node
	variance   bool
	population bool // by the batch's population variance
	momentum   float64
}

// setBatchNorm puts the BatchNormalizations into their mode and makes inputs of the
// running statistics that are trained.
func (b *build) setBatchNorm() error {
	own := newOwner(b.g)
	var trained []*onnx.Value
	by := map[*onnx.Value][]move{}
	for _, n := range b.g.Nodes {
		if n.Op != "BatchNormalization" || n.Domain != "" || len(n.In) < 5 {
			continue
		}
		if err := freeOutputs(b.g, n); err != nil {
			return err
		}
		if b.BatchNorm != AsGiven {
			n.Attrs["training_mode"] = int64(0)
		}
		folded, spelled := b.Spelled[n]
		if b.BatchNorm == Train {
			if folded != nil {
				return &FoldedError{folded.Name}
			}
			n.Attrs["training_mode"] = int64(1)
		}
		momentum := float64(n.Float("momentum", 0.9))
		if b.Momentum > 0 {
			momentum = b.Momentum
		}
		for i := 3; i <= 4; i++ {
			v, err := own.constant(n, i)
			if err != nil {
				return err
			}
			if n.Int("training_mode", 0) == 0 {
				continue
			}
			if v == nil {
				continue // computed, of this batch as a rule: there is none that would move
			}
			if slices.Contains(b.Params, v) {
				return fmt.Errorf("%q is a running statistic, which no gradient trains", v.Name)
			}
			if by[v] == nil {
				trained = append(trained, v)
			}
			by[v] = append(by[v], move{n, i == 4, spelled, momentum})
		}
	}
	for _, v := range trained {
		b.stats = append(b.stats, running{v, v.Data, by[v]})
		v.Data = nil
		b.g.Inputs = append(b.g.Inputs, v)
	}
	return nil
}

// FoldedError says that a scale / √(variance + epsilon) cannot be put into training mode,
// for the model's file does not say what its scale is.
type FoldedError struct{ Initializer string }

func (e *FoldedError) Error() string {
	return fmt.Sprintf("initializer %q is scale/sqrt(variance+epsilon) of a BatchNormalization, folded into one by the exporter: by the batch's variance it cannot be normalised, for the scale alone is not in the file", e.Initializer)
}

// freeOutputs takes the outputs of the running statistics off a node; nothing may read
// them, for the step computes them as PyTorch does.
func freeOutputs(g *onnx.Graph, n *onnx.Node) error {
	for _, v := range n.Out[1:] {
		for _, m := range g.Nodes {
			for _, in := range m.In {
				if v != nil && in == v {
					return fmt.Errorf("%s reads %q, a running statistic of %s", m, v.Name, n)
				}
			}
		}
	}
	n.Out = n.Out[:1]
	return nil
}

// owner gives each running statistic a constant of its own: exporters merge tensors of
// equal elements, a running mean with a bias for one, and put an Identity behind.
type owner struct {
	names map[string]bool
	uses  map[*onnx.Value]int         // by anything but as a running statistic
	copy  map[*onnx.Value]*onnx.Value // the constant in place of a value
}

func newOwner(g *onnx.Graph) *owner {
	o := &owner{map[string]bool{}, map[*onnx.Value]int{}, map[*onnx.Value]*onnx.Value{}}
	for _, v := range g.Inputs {
		o.names[v.Name] = true
	}
	for _, n := range g.Nodes {
		for i, v := range n.In {
			if v == nil {
				continue
			}
			o.names[v.Name] = true
			if n.Op != "BatchNormalization" || i < 3 {
				o.uses[v]++
			}
		}
		for _, v := range n.Out {
			if v != nil {
				o.names[v.Name] = true
			}
		}
	}
	return o
}

// constant makes input i of n a constant that is nothing but a running statistic and
// returns it; nil if the input is computed.
func (o *owner) constant(n *onnx.Node, i int) (*onnx.Value, error) {
	v := n.In[i]
	if have := o.copy[v]; have != nil {
		n.In[i] = have
		return have, nil
	}
	source := v
	for source.Node != nil && source.Node.Op == "Identity" && source.Node.Domain == "" {
		source = source.Node.In[0]
	}
	if !source.IsConst() {
		return nil, nil
	}
	own := v
	if source != v || o.uses[v] > 0 {
		own = &onnx.Value{Name: v.Name, DType: source.DType, Shape: source.Shape, Data: source.Data}
		if source != v {
			v.Name = o.unique(v.Name + "_shared") // the Identity's, which nobody reads any more
		} else {
			own.Name = o.unique(fmt.Sprintf("%s.running_%s", n.Name, []string{"mean", "var"}[i-3]))
		}
	}
	o.copy[v], n.In[i] = own, own
	return own, nil
}

func (o *owner) unique(base string) string {
	name := base
	for i := 1; o.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	o.names[name] = true
	return name
}

// spellBatchNorm replaces each BatchNormalization in training mode by its parts, the
// batch's mean and variance and a normalisation by them, or a Conv that does both
// (grad.Projection), and moves the running statistics.
//
// ONNX Runtime (1.32, CPU) lets the statistics of a BatchNormalization in training mode
// share memory with those it is given, Alias(3, 1) and (4, 2) in its kernel: it overwrites
// the caller's tensors, and what else reads them sees the new ones. And ONNX moves the
// variance by the batch's population variance where PyTorch takes the unbiased one.
func (b *build) spellBatchNorm() error {
	moments := map[*onnx.Node][2]*onnx.Value{}
	uses := grad.Uses(b.g)
	for _, n := range slices.Clone(b.g.Nodes) {
		if n.Op != "BatchNormalization" || n.Domain != "" || n.Int("training_mode", 0) == 0 {
			continue
		}
		var y *onnx.Value
		err := insertBefore(b.g, n, func(e *onnx.Builder) {
			if conv := grad.Projection(n, uses); conv != nil {
				p := grad.Project(e, n, conv)
				moments[n] = [2]*onnx.Value{p.Mean, p.Variance}
				y = e.Conv(p.Off, p.W, n.In[2], onnx.ConvAttrs{})
				return
			}
			mean, variance, off := grad.Moments(e, n.In[0])
			moments[n] = [2]*onnx.Value{mean, variance}
			y = grad.Affine(e, off, e.Mul(n.In[1], grad.Inverse(e, n, variance)), n.In[2])
		})
		if err != nil {
			return err
		}
		takePlace(b.g, n, y)
	}
	e := onnx.Extend(b.g)
	for _, s := range b.stats {
		next := s.in
		for _, m := range s.by {
			next = m.moved(e, next, moments[m.node])
		}
		e.Output(s.in.Name+".new", next)
		b.slot(s.in.Name, s.init)
	}
	b.step.Running = len(b.stats)
	return e.Err()
}

// takePlace lets the node that computes y compute the output of n, whose name it keeps,
// in its place.
func takePlace(g *onnx.Graph, n *onnx.Node, y *onnx.Value) {
	y.Node.Out, n.Out[0].Node = n.Out, y.Node
	g.Nodes = slices.DeleteFunc(g.Nodes, func(m *onnx.Node) bool { return m == n })
}

// moved is a statistic after a batch of n elements per channel:
//
//	mean ← momentum·mean + (1−momentum)·batch mean
//	variance ← momentum·variance + (1−momentum)·batch variance·n/(n−1)
//
// with ONNX's momentum, 1 less PyTorch's. A batch of one element per channel, which
// PyTorch refuses, counts as of two. A normalisation that is used more than once moves
// its statistics each time. Those of Keras move without the n/(n−1). Sources:
// torch.nn.BatchNorm2d, keras.layers.BatchNormalization. Checked: testdata/steps.npz,
// testdata/keras.npz.
func (m move) moved(e *onnx.Builder, statistic *onnx.Value, moments [2]*onnx.Value) *onnx.Value {
	of := func(v float64) *onnx.Value { return e.Scalar(statistic.DType, v) }
	batch := moments[0]
	if m.variance {
		batch = moments[1]
	}
	if m.variance && !m.population {
		batch = e.Mul(batch, unbiased(e, m.node.Out[0], statistic))
	}
	return e.Add(e.Mul(statistic, of(m.momentum)), e.Mul(batch, of(1-m.momentum)))
}

// unbiased is n/(n−1) for x (N, C, …) with n = N·…, in the type of like (C).
func unbiased(e *onnx.Builder, x, like *onnx.Value) *onnx.Value {
	if x.Shape.Static() && len(x.Shape) > 1 {
		n := float64(tensor.Size(x.Shape) / max(x.Shape[1], 1))
		return e.Scalar(like.DType, n/max(n-1, 1))
	}
	n := e.Cast(e.Div(e.Size(x), e.Int(tensor.Size(like.Shape))), tensor.Float64)
	of := func(v float64) *onnx.Value { return e.Scalar(tensor.Float64, v) }
	return e.Cast(e.Div(n, e.Max(e.Sub(n, of(1)), of(1))), like.DType)
}

// insertBefore lets build add nodes to g, which come to stand before n.
func insertBefore(g *onnx.Graph, n *onnx.Node, build func(e *onnx.Builder)) error {
	end := len(g.Nodes)
	e := onnx.Extend(g)
	build(e)
	added := slices.Clone(g.Nodes[end:])
	g.Nodes = slices.Insert(g.Nodes[:end], slices.Index(g.Nodes, n), added...)
	return e.Err()
}
