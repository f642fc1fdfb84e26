// Package classification trains classifiers of whole pictures: train.Run with a network
// of package nn whose last layer is new, pictures in folders, and top-1 accuracy. Pictures
// of any number of classes each (Params.Several) are learned by a binary cross-entropy of
// each class, and judged by mean average precision (several.go).
//
// Start at Params, then Train. photos.go makes the samples, judge.go measures.
package classification

import (
	"context"
	"fmt"
	"time"

	"trilobite"
	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/transfer"
)

// Params say what is trained. They are JSON so that a run can be resumed with them.
type Params struct {
	Backbone string `json:"backbone"`
	// Unfreeze says what is trained besides the last layer: nothing if empty, the last N
	// blocks, or the parameters that a regular expression matches.
	Unfreeze string        `json:"unfreeze,omitempty"`
	Epochs   int           `json:"epochs,omitempty"` // 0: 200 of the last layer, 10 of more
	Budget   time.Duration `json:"budget,omitempty"` // 0: none
	Seed     uint64        `json:"seed"`
	// Several says that a picture has any number of classes, or none. The logits are then of each class on its own, for classify's decoder "sigmoid".
	Several bool `json:"several,omitempty"`
}

// Data are the pictures.
type Data struct {
	Set *dataset.Set // of one class a picture
	// Network ends in the layer of the set's classes, its last two parameters.
	Network *nn.Network
	Spec    pipeline.Spec // how the network is fed

	// Recipe is trained by in place of the usual one, on as many Versions of each picture
	// as Augment makes, 0: a new one each time, with classes weighed by their share to the
	// power of −Balance. Of Params only Seed and Budget count then.
	Recipe   *train.Recipe
	Augment  augment.Plan
	Versions int
	Balance  float64
}

// Model is a trained classifier, ready to be served.
type Model struct {
	*train.Result

	Graph *onnx.Graph // of input Spec.Shape and output "logits" (N, classes), simplified
	// State has all parameters by their names, those that were not trained too.
	State map[string]*tensor.Tensor
}

// Train trains a classifier. Without a validation part in the set the last state is the
// result. The set has passed CheckClassification, unless p.Several. Options.Fingerprint is the caller's.
func Train(ctx context.Context, rt *ort.Runtime, d Data, p Params, o train.Options) (*Model, error) {
	learned, validation := d.Set.Part(dataset.Train), d.Set.Part(dataset.Val)
	recipe, err := recipeOf(d.Network, p, len(learned))
	plan := usual()
	if d.Recipe != nil {
		recipe, err = *d.Recipe, nil
		recipe.Seed, recipe.Budget, plan = p.Seed, p.Budget, d.Augment
	}
	if err != nil {
		return nil, err
	}
	classes, metric, judgeOf := len(d.Set.Classes), "accuracy", newJudge
	lossOf := crossEntropy(loss.Balance(counts(d.Set), d.Balance))
	if p.Several {
		lossOf, metric, judgeOf = eachCrossEntropy, "mAP", newSeveralJudge
	}
	task := train.Task{
		Graph: d.Network.Graph, Params: names(d.Network), Loss: lossOf, Metric: metric,
		Judge: func() train.Judge { return judgeOf(classes) },
		Check: func(samples, _ []int) error { return everyClass(d.Set, learned, samples) },
	}
	if task.Train, err = newPhotos(d, dataset.Train, plan, targetOf(p, classes)); err != nil {
		return nil, err
	}
	if len(validation) > 0 {
		if task.Validation, err = newPhotos(d, dataset.Val, augment.Plan{}, targetOf(p, classes)); err != nil {
			return nil, err
		}
	}
	res, err := train.Run(ctx, rt, task, recipe, o)
	if err != nil {
		return nil, err
	}
	served, state, err := transfer.Finish(d.Network, res)
	return &Model{Result: res, Graph: served, State: state}, err
}

func crossEntropy(weights []float32) func(b *onnx.Builder, out []*onnx.Value) *onnx.Value {
	return func(b *onnx.Builder, out []*onnx.Value) *onnx.Value {
		target := b.Input("target", tensor.Int64, onnx.Shape{out[0].Shape[0]})
		return loss.CrossEntropy(b, out[0], target, loss.CrossEntropyAttrs{Weights: weights})
	}
}

// targetOf returns how a picture's classes are told to the loss: the one, int64 (1), or of
// each whether the picture shows it, float32 (1, classes).
func targetOf(p Params, classes int) func(of []int) *tensor.Tensor {
	if p.Several {
		return func(of []int) *tensor.Tensor { return shown(of, classes) }
	}
	return func(of []int) *tensor.Tensor { return tensor.Vector(int64(of[0])) }
}

// mostAtOnce is how many samples a step of the last layer takes at most: its features
// are a few kilobytes each, and one step over all of them is the fastest way.
const mostAtOnce = 4096

// recipeOf is 200 steps of AdamW over all samples for the last layer, as linear probes
// are trained; then, where more is to be trained, AdamW on augmented pictures along half
// a cosine, with the BatchNorms' statistics as they are: few pictures measure none.
func recipeOf(net *nn.Network, p Params, samples int) (train.Recipe, error) {
	head := map[string]bool{}
	for _, v := range net.Params[len(net.Params)-2:] {
		head[v.Name] = true
	}
	probe := train.Stage{
		Name: "last layer", Trainable: func(name string) bool { return head[name] }, Plain: true,
		Epochs: 200, Batch: min(samples, mostAtOnce), Every: 50, Rule: optim.NewAdamW(),
		Schedule: func(int64) optim.Schedule { return optim.Constant(1e-2) },
	}
	r := train.Recipe{Seed: p.Seed, BatchNorm: step.Frozen, Budget: p.Budget, Stages: []train.Stage{probe}}
	if p.Unfreeze == "" {
		if p.Epochs > 0 {
			r.Stages[0].Epochs = p.Epochs
		}
		return r, nil
	}
	chosen, err := train.Unfrozen(names(net), p.Unfreeze)
	if err != nil {
		return r, err
	}
	r.NoDecay = func(name string) bool { return isVector(net, name) }
	r.Stages = append(r.Stages, train.Stage{
		Name: "fine-tuning", Trainable: func(name string) bool { return head[name] || chosen(name) },
		Epochs: 10, Batch: 16, Rule: optim.NewAdamW(),
		Schedule: func(n int64) optim.Schedule {
			return optim.WarmUp{Then: optim.Cosine{Rate: 3e-4, Steps: n - n/10}, Steps: n / 10, From: 0.01}
		},
	})
	if p.Epochs > 0 {
		r.Stages[1].Epochs = p.Epochs
	}
	return r, nil
}

// isVector reports whether a parameter is a bias or of a norm, which are not decayed.
func isVector(net *nn.Network, name string) bool {
	for _, v := range net.Params {
		if v.Name == name {
			return len(v.Shape) < 2
		}
	}
	return false
}

func names(net *nn.Network) []string {
	all := make([]string, len(net.Params))
	for i, v := range net.Params {
		all[i] = v.Name
	}
	return all
}

// everyClass fails where unreadable pictures have emptied a class. samples are those
// that are left of part.
func everyClass(set *dataset.Set, part, samples []int) error {
	seen := map[int]bool{}
	for _, i := range samples {
		for _, c := range set.Images[part[i]].Classes {
			seen[c] = true
		}
	}
	for c, name := range set.Classes {
		if !seen[c] {
			return &trilobite.Error{Op: "classification.Train", Code: trilobite.Invalid, Msg: fmt.Sprintf("Class %q has no picture that can be read; add some, or remove the class.", name)}
		}
	}
	return nil
}
