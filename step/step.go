// Package step makes one training step of a network as one ONNX graph: parameters,
// optimiser state and a batch go in, the loss and the parameters as they will be come
// out, and any ONNX Runtime runs it (docs/training-graphs.md).
//
// Start at Build, which tells the story: the parameters become inputs, normalisations
// are put into their mode (batchnorm.go), dropout gets its masks as inputs (dropout.go),
// small depthwise convolutions are written as products (depthwise.go), those that mostly
// meet padding tap by tap (taps.go), strided ones over pixels sorted by phase
// (strided.go), package grad differentiates, package optim updates (update.go,
// update_joined.go), and what is left over is cleaned up (optimise.go). Models from files,
// where nobody has said so, get their BatchNormalizations from JoinBatchNorm, what is
// trained from Trainable, the loss from Target.
package step

import (
	"errors"
	"fmt"
	"slices"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/tensor"
)

// Spec says what a step trains and how.
type Spec struct {
	Loss   *onnx.Value   // one element of a float type, a value of the graph
	Params []*onnx.Value // float constants of the graph, each becomes an input of its own name

	BatchNorm BatchNormMode
	// Momentum is the share of a running statistic that stays at each step, 0 to 1; 0: as
	// the model has it.
	Momentum float64
	// Spelled is what JoinBatchNorm has found, nil if it has not been asked.
	Spelled Spelled

	// Rule updates the parameters; nil forms the gradients only, outputs NAME.grad.
	Rule optim.Rule
	// NoDecay exempts parameters from weight decay by name; nil exempts none.
	NoDecay func(name string) bool
	// LRScale multiplies the learning rate by name; nil is 1 for all. It must not be 0.
	LRScale func(name string) float64
	// ClipNorm limits the norm of all gradients together as
	// torch.nn.utils.clip_grad_norm_ does; 0 does not.
	ClipNorm float64
	// EMA, 0 to 1, is the decay of exponential moving averages of the parameters, 0 none.
	EMA float64
	// Accumulate is the number of micro-batches of an update; 0 and 1 mean one.
	Accumulate int
}

// Slot is a tensor that a step moves on: the input In is given what the output Out was
// in the step before, and Init in the first one.
type Slot struct {
	In, Out string
	Init    *tensor.Tensor
}

// Step is a training step.
type Step struct {
	// Graph takes the model's inputs and targets, the Masks, with a Rule "lr", a float32
	// scalar, and "step", an int64 scalar that counts from 1, without a Rule the parameters,
	// and the Slots. It gives "loss", without a Rule the gradients, and the Slots' outputs.
	Graph *onnx.Graph
	Loss  string // the name of the loss, a float scalar
	// Slots are, with a Rule, the parameters (NAME → NAME.new), then the rule's state
	// (NAME.m, …), averages (NAME.ema) and sums of gradients (NAME.sum) by parameter; then,
	// always, the running statistics that are trained (NAME → NAME.new).
	Slots   []Slot
	Running int    // how many of Slots, the last ones, are running statistics
	Masks   []Mask // of dropout, in the order of the graph's inputs
}

// Build makes a training step of g, which it takes over: parameters stop being
// constants, and everything that does not lead to the loss is dropped, outputs too.
// Constants that are not in Params stay what they are, and no derivative is formed for
// them. A symbolic batch stays symbolic.
//
// A graph that cannot be differentiated fails with grad.ErrNoRule, a random operator other
// than Dropout is refused: a step has no hidden generator.
func Build(g *onnx.Graph, s Spec) (*Step, error) {
	b, err := newBuild(g, s)
	if err == nil {
		err = b.run()
	}
	if err != nil {
		return nil, fmt.Errorf("building a training step of %s: %w", g.Name, err)
	}
	return &b.step, nil
}

// build is a step on its way.
type build struct {
	Spec

	g     *onnx.Graph
	step  Step
	stats []running // running statistics that are trained
	inits []*tensor.Tensor
}

func newBuild(g *onnx.Graph, s Spec) (*build, error) {
	b := &build{Spec: s, g: g, step: Step{Graph: g, Loss: "loss"}}
	switch {
	case s.Loss == nil || s.Loss.Node == nil:
		return nil, errors.New("the loss is not computed by the graph")
	case len(s.Params) == 0:
		return nil, errors.New("there are no parameters to train")
	case s.ClipNorm < 0 || s.EMA < 0 || s.EMA >= 1 || s.Accumulate < 0:
		return nil, fmt.Errorf("clip norm %v, EMA %v, accumulate %d: want 0 or more, and an EMA below 1", s.ClipNorm, s.EMA, s.Accumulate)
	case s.Rule == nil && (s.EMA > 0 || s.Accumulate > 1):
		return nil, errors.New("averages and accumulation need an update rule")
	}
	g.Outputs = []*onnx.Value{s.Loss}
	onnx.RemoveDead(g)
	used := map[*onnx.Value]bool{}
	for _, n := range g.Nodes {
		for _, v := range slices.Concat(n.In, grad.Captured(n)) {
			used[v] = true
		}
	}
	seen := map[*onnx.Value]bool{}
	for _, p := range s.Params {
		switch {
		case p == nil || !p.IsConst():
			return nil, errors.New("a parameter is no constant of the graph")
		case !p.DType.IsFloat():
			return nil, fmt.Errorf("parameter %q is %s; only float types can be trained", p.Name, p.DType)
		case !used[p]:
			return nil, fmt.Errorf("the loss does not depend on parameter %q", p.Name)
		case seen[p]:
			return nil, fmt.Errorf("parameter %q is given twice", p.Name)
		}
		seen[p] = true
	}
	return b, nil
}

func (b *build) run() error {
	if err := b.freeNames(); err != nil {
		return err
	}
	if err := b.setBatchNorm(); err != nil {
		return err
	}
	if err := b.setDropout(); err != nil {
		return err
	}
	b.openInputs()
	if err := onnx.Tidy(b.g); err != nil { // numbers and shapes become known to the rules
		return err
	}
	b.Loss = b.g.Outputs[0] // Tidy drops a last node that does nothing
	for _, spell := range []func(*onnx.Graph) error{spellTaps, spellDepthwise, spellStrided} {
		if err := spell(b.g); err != nil {
			return err
		}
	}
	grads, err := grad.Gradient(b.g, b.Loss, b.Params)
	if err != nil {
		return err
	}
	e := onnx.Extend(b.g)
	b.g.Outputs = nil
	loss := b.Loss
	if len(loss.Shape) > 0 {
		loss = e.Reshape(loss)
	}
	e.Output("loss", loss)
	if b.Rule == nil {
		b.giveGradients(e, grads)
	} else {
		b.update(e, grads)
	}
	if err := e.Err(); err != nil {
		return err
	}
	if err := b.spellBatchNorm(); err != nil {
		return err
	}
	b.sortInputs()
	if err := optimise(b.g); err != nil {
		return err
	}
	return onnx.Check(b.g)
}

// openInputs makes inputs of the parameters.
func (b *build) openInputs() {
	b.inits = make([]*tensor.Tensor, len(b.Params))
	for i, p := range b.Params {
		b.inits[i], p.Data = p.Data, nil
		b.g.Inputs = append(b.g.Inputs, p)
	}
}

// sortInputs puts the inputs of the slots last, in their order.
func (b *build) sortInputs() {
	place := map[string]int{}
	for i, s := range b.step.Slots {
		place[s.In] = i + 1
	}
	slices.SortStableFunc(b.g.Inputs, func(v, w *onnx.Value) int { return place[v.Name] - place[w.Name] })
}

// slot adds a slot of the usual names.
func (b *build) slot(name string, init *tensor.Tensor) {
	b.step.Slots = append(b.step.Slots, Slot{In: name, Out: name + ".new", Init: init})
}

// freeNames renames what computes inside the graph under a name that the step gives its
// own inputs and outputs.
func (b *build) freeNames() error {
	taken := map[string]bool{"loss": true, "lr": true, "step": true}
	for _, p := range b.Params {
		for _, suffix := range []string{"", ".grad", ".new", ".ema", ".ema.new", ".sum", ".sum.new"} {
			taken[p.Name+suffix] = true
		}
		if b.Rule == nil {
			continue
		}
		for _, s := range b.Rule.State() {
			taken[p.Name+"."+s], taken[p.Name+"."+s+".new"] = true, true
		}
	}
	return rename(b.g, taken, b.Params)
}

// rename gives the values of g that have one of the given names, but for those kept, a
// name that nothing else has.
func rename(g *onnx.Graph, taken map[string]bool, keep []*onnx.Value) error {
	names := map[string]bool{}
	var all []*onnx.Value
	for _, n := range g.Nodes {
		if taken[n.Name] {
			n.Name = "node_" + n.Name // a node may have the name of its output
		}
		names[n.Name] = true
		for _, v := range slices.Concat(n.In, n.Out) {
			if v != nil {
				names[v.Name] = true
				all = append(all, v)
			}
		}
	}
	for _, v := range g.Inputs {
		if taken[v.Name] {
			return fmt.Errorf("the model has an input %q, which is a name of the training step", v.Name)
		}
	}
	for _, v := range all {
		if !taken[v.Name] || slices.Contains(keep, v) {
			continue
		}
		base := v.Name
		for i := 1; names[v.Name] || taken[v.Name]; i++ {
			v.Name = fmt.Sprintf("%s_%d", base, i)
		}
		names[v.Name] = true
	}
	return nil
}
