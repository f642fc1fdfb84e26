package detection

import (
	"slices"
	"strings"

	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/tensor"
	"trilobite/train"
)

const (
	batch      = 4
	peak       = 2e-3
	usualSteps = 700 // of a stage, where nobody says how many epochs
	fewest     = 6   // epochs, where pictures are many
)

// recipeOf is AdamW along one cycle for the pyramid and the head, then another, at a tenth
// of the rate for the backbone, for what is to be trained of it.
func recipeOf(net *nn.Network, p Params, samples int) (train.Recipe, error) {
	if p.Model != "" {
		return fileRecipe(net, p)
	}
	vector := map[string]bool{}
	for _, v := range net.Params {
		vector[v.Name] = len(v.Shape) < 2
	}
	head := func(name string) bool { return !strings.HasPrefix(name, backbone) }
	rule := optim.NewAdamW()
	rule.WeightDecay = 1e-2
	steps := max(1, samples/batch)
	epochs := p.Epochs
	if epochs == 0 {
		epochs = max(fewest, (usualSteps+steps-1)/steps)
	}
	stage := func(name string, trainable func(string) bool, peak float64) train.Stage {
		return train.Stage{
			Name: name, Trainable: trainable, Epochs: epochs, Every: int64(max(1, epochs/4) * steps), Rule: rule,
			Schedule: func(n int64) optim.Schedule { return optim.NewOneCycle(peak, n) },
		}
	}
	r := train.Recipe{
		Batch: batch, Whole: true, Seed: p.Seed, Budget: p.Budget, BatchNorm: norms, ClipNorm: 10,
		NoDecay: func(name string) bool { return vector[name] },
		LRScale: func(name string) float64 {
			if head(name) {
				return 1
			}
			return 0.1
		},
		Stages: []train.Stage{stage("head", head, peak)},
	}
	if p.Unfreeze == "" {
		return r, nil
	}
	all := slices.DeleteFunc(names(net), head)
	deeper, err := train.Unfrozen(all, p.Unfreeze)
	if err != nil {
		return r, err
	}
	r.Stages = append(r.Stages, stage("deeper layers", func(name string) bool { return head(name) || deeper(name) }, peak/2))
	return r, nil
}

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
