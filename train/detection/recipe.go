package detection

import (
	"cmp"

	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/transfer"
)

// Rate and Decay are the usual highest learning rate, and the usual decay of weights.
const (
	Rate  = 2e-3
	Decay = 1e-2
)

const (
	batch      = 4
	usualSteps = 700 // of a stage, where nobody says how many epochs
	fewest     = 6   // epochs, where pictures are many
)

// recipeOf is AdamW along one cycle for the pyramid and the head, then another, at a tenth
// of the rate for the backbone, for what is to be trained of it.
func recipeOf(net *nn.Network, p Params, samples int) (train.Recipe, error) {
	rule := optim.NewAdamW()
	rule.WeightDecay = Decay
	steps, epochs := stepsOf(samples), cmp.Or(p.Epochs, Epochs(samples))
	stage := func(peak float64) train.Stage {
		return train.Stage{
			Epochs: epochs, Every: int64(max(1, epochs/4) * steps), Rule: rule,
			Schedule: func(n int64) optim.Schedule { return optim.NewOneCycle(peak, n) },
		}
	}
	rate := cmp.Or(p.Rate, Rate)
	stages, err := transfer.Stages(net, p.Unfreeze, stage(rate), stage(rate/2))
	return train.Recipe{
		Batch: batch, Whole: true, Seed: p.Seed, Budget: p.Budget, BatchNorm: step.AsGiven, ClipNorm: 10,
		NoDecay: transfer.Vectors(net), LRScale: transfer.Rate(0.1), Stages: stages,
	}, err
}

// Epochs is how many times a stage usually sees each picture of so many.
func Epochs(samples int) int {
	steps := stepsOf(samples)
	return max(fewest, (usualSteps+steps-1)/steps)
}

// stepsOf is the number of steps of an epoch.
func stepsOf(samples int) int { return max(1, samples/batch) }

// lossOf is FCOS's, with the targets of photos.
func lossOf(d *nn.Detector) func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value {
	return func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value {
		logits, boxes, quality := outputs[0], outputs[1], outputs[2]
		n, a := logits.Shape[0], d.Locations()
		total, _ := loss.FCOS(b, loss.Detection{
			Logits: logits, Boxes: boxes, Quality: quality,
			Class:         b.Input("class", tensor.Int64, onnx.Shape{n, a}),
			TargetBox:     b.Input("box", tensor.Float32, onnx.Shape{n, a, 4}),
			TargetQuality: b.Input("fit", tensor.Float32, onnx.Shape{n, a}),
		})
		return total
	}
}
