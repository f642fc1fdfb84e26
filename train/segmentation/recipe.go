package segmentation

import (
	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/transfer"
)

const (
	batch      = 4
	usualSteps = 225 // of the head, where nobody says how many epochs
	fewest     = 9   // epochs, where pictures are many
	peak       = 5e-3
	deeperPeak = 1e-3 // of the second stage; a tenth of it for the backbone
)

// recipeOf is AdamW along one cycle for the head, then another, at a tenth of the rate for
// the backbone, for what is to be trained of it.
func recipeOf(net *nn.Network, p Params, samples int) (train.Recipe, error) {
	rule := optim.NewAdamW()
	rule.WeightDecay = 1e-2
	steps := max(1, samples/batch)
	epochs := p.Epochs
	if epochs == 0 {
		epochs = max(fewest, (usualSteps+steps-1)/steps)
	}
	stage := func(peak float64) train.Stage {
		return train.Stage{
			Epochs: epochs, Rule: rule,
			Schedule: func(n int64) optim.Schedule { return optim.NewOneCycle(peak, n) },
		}
	}
	stages, err := transfer.Stages(net, p.Unfreeze, stage(peak), stage(deeperPeak))
	return train.Recipe{
		Batch: batch, Whole: true, Seed: p.Seed, Budget: p.Budget, BatchNorm: step.AsGiven,
		NoDecay: transfer.Vectors(net), LRScale: transfer.Rate(0.1), Stages: stages,
	}, err
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
func lossOf(d Data, balance, dice float64) func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value {
	ignore := int64(d.Set.Ignore)
	weights := loss.Balance(d.Pixels, balance)
	return func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value {
		x, size := lossAt(outputs[0])
		if x != outputs[0] {
			x = b.ResizeTo(x, size, onnx.ResizeAttrs{Mode: "linear", Coordinates: "half_pixel", Axes: []int64{2, 3}})
		}
		target := b.Input("target", tensor.Int64, onnx.Shape{x.Shape[0], size[0], size[1]})
		total := loss.CrossEntropy(b, x, target, loss.CrossEntropyAttrs{IgnoreIndex: &ignore, Weights: weights})
		if dice > 0 {
			missed := loss.Dice(b, x, target, loss.DiceAttrs{IgnoreIndex: &ignore, Smooth: 1})
			total = b.Add(total, b.Mul(missed, b.Scalar(x.DType, dice)))
		}
		return total
	}
}
