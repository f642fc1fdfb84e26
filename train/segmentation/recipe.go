package segmentation

import (
	"strings"

	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
)

const (
	batch      = 4
	usualSteps = 225 // of the head, where nobody says how many epochs
	fewest     = 9   // epochs, where pictures are many
)

// recipeOf is AdamW along one cycle for the head, then another, at a tenth of the rate for
// the backbone, for what is to be trained of it.
func recipeOf(net *nn.Network, p Params, samples int) (train.Recipe, error) {
	vector := map[string]bool{}
	for _, v := range net.Params {
		vector[v.Name] = len(v.Shape) < 2
	}
	steps := (samples + batch - 1) / batch
	epochs := p.Epochs
	if epochs == 0 {
		epochs = max(fewest, (usualSteps+steps-1)/max(steps, 1))
	}
	head := func(name string) bool { return !strings.HasPrefix(name, backbone) }
	rule := optim.NewAdamW()
	rule.WeightDecay = 1e-2
	stage := func(name string, trainable func(string) bool, epochs int, peak float64) train.Stage {
		return train.Stage{
			Name: name, Trainable: trainable, Epochs: epochs, Rule: rule,
			Schedule: func(n int64) optim.Schedule { return optim.NewOneCycle(peak, n) },
		}
	}
	r := train.Recipe{
		Batch: batch, Seed: p.Seed, Budget: p.Budget, BatchNorm: step.AsGiven,
		NoDecay: func(name string) bool { return vector[name] },
		LRScale: func(name string) float64 {
			if head(name) {
				return 1
			}
			return 0.1
		},
		Stages: []train.Stage{stage("head", head, epochs, 5e-3)},
	}
	if p.Unfreeze == "" {
		return r, nil
	}
	deeper, err := train.Unfrozen(backboneNames(net), p.Unfreeze)
	if err != nil {
		return r, err
	}
	r.Stages = append(r.Stages, stage("deeper layers", func(name string) bool { return head(name) || deeper(name) }, epochs, 1e-3))
	return r, nil
}

func backboneNames(net *nn.Network) []string {
	var all []string
	for _, name := range names(net) {
		if strings.HasPrefix(name, backbone) {
			all = append(all, name)
		}
	}
	return all
}

// lossAt returns the scores that the loss is of, and how much they are enlarged before.
// Where the network ends in enlarging its scores, the loss looks at them at twice their
// size, not at the full one: a mask's edges are blurred over more than a pixel anyway,
// and a quarter of the memory and time is saved, or more.
func lossAt(out *onnx.Value) (scores *onnx.Value, size []int64) {
	n := out.Node
	if n != nil && n.Op == "Resize" && n.In[0].Shape[1] == out.Shape[1] && 2*n.In[0].Shape[2] < out.Shape[2] {
		s := n.In[0].Shape
		return n.In[0], []int64{2 * s[2], 2 * s[3]}
	}
	return out, out.Shape[2:]
}

func lossSize(out *onnx.Value) []int64 {
	_, size := lossAt(out)
	return size
}

// lossOf is the cross-entropy, a rare class weighing more, and the Dice loss beside it.
func lossOf(d Data, p Params) func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value {
	ignore := int64(d.Set.Ignore)
	weights := loss.Balance(d.Pixels, p.Balance)
	return func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value {
		x, size := lossAt(outputs[0])
		if x != outputs[0] {
			x = b.ResizeTo(x, size, onnx.ResizeAttrs{Mode: "linear", Coordinates: "half_pixel", Axes: []int64{2, 3}})
		}
		target := b.Input("target", tensor.Int64, onnx.Shape{x.Shape[0], size[0], size[1]})
		total := loss.CrossEntropy(b, x, target, loss.CrossEntropyAttrs{IgnoreIndex: &ignore, Weights: weights})
		if p.Dice > 0 {
			dice := loss.Dice(b, x, target, loss.DiceAttrs{IgnoreIndex: &ignore, Smooth: 1})
			total = b.Add(total, b.Mul(dice, b.Scalar(x.DType, p.Dice)))
		}
		return total
	}
}
