// Package segmentation trains networks that name every pixel: train.Run with a network of
// package nn on a backbone that knows ImageNet, pictures with masks, and the mean IoU.
//
// The backbone stays as it is at first, and its features of a few versions of every
// picture, mirrored and enlarged, are computed once; then, if so asked, its deeper layers
// are trained too.
// Start at Params, then Train. network.go makes the network, recipe.go the stages,
// photos.go the samples, judge.go measures at the size of the network's output.
package segmentation

import (
	"context"
	"fmt"
	"time"

	"trilobite"
	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/transfer"
)

// Params say what is trained. They are JSON so that a run can be resumed with them.
type Params struct {
	Network  string `json:"network"`  // one of Networks
	Backbone string `json:"backbone"` // a card's name
	// Unfreeze says what of the backbone is trained in a second stage: nothing if empty,
	// the last N blocks, or the parameters that a regular expression matches.
	Unfreeze string        `json:"unfreeze,omitempty"`
	Epochs   int           `json:"epochs,omitempty"` // of each stage; 0: as many as make usualSteps
	Budget   time.Duration `json:"budget,omitempty"` // 0: none
	Balance  float64       `json:"balance"`          // 0 to 1: a class weighs (its share of pixels)^−Balance
	Dice     float64       `json:"dice"`             // weight of the Dice loss beside the cross-entropy
	Seed     uint64        `json:"seed"`
}

// NewParams returns the usual parameters. The Dice loss and weights by class are what
// find small things: on road scenes cross-entropy alone gave a mean IoU of 0.50, either
// of them 0.56. Weights of power 0.5 in place of 0.25 add 0.01 of it and take 0.006 of the
// pixels' accuracy.
func NewParams() Params {
	return Params{Network: DeepLab, Backbone: "efficientnet-lite0", Balance: 0.25, Dice: 1}
}

// Data are the pictures and what they are shown to.
type Data struct {
	Set     *dataset.Set // that Prepare made
	Pixels  []int64      // of each class, as Prepare counted them
	Network *nn.Network  // with the backbone's weights and the head's first ones
	Spec    pipeline.Spec

	// Recipe is trained by in place of the usual one, on as many Versions of each picture
	// as Augment makes, 0: a new one each time. Of Params only Balance, Dice, Seed and
	// Budget count then.
	Recipe   *train.Recipe
	Augment  augment.Plan
	Versions int
}

// Model is a trained network, ready to be served.
type Model struct {
	*train.Result

	Graph *onnx.Graph // of input Spec.Shape and output "logits" (N, classes, H, W), simplified
	// State has all parameters by their names, those that were not trained too.
	State map[string]*tensor.Tensor
}

// Train trains a network. Without a validation part in the set the last state is the
// result. Options.Fingerprint is the caller's.
func Train(ctx context.Context, rt *ort.Runtime, d Data, p Params, o train.Options) (*Model, error) {
	learned, held := d.Set.Part(dataset.Train), d.Set.Part(dataset.Val)
	g := onnx.Clone(d.Network.Graph)
	recipe, err := recipeOf(d.Network, p, len(learned))
	plan, changed := usual, versions
	if d.Recipe != nil {
		recipe, err, plan, changed = *d.Recipe, nil, d.Augment, d.Versions
		recipe.Seed, recipe.Budget, recipe.Whole = p.Seed, p.Budget, true
	}
	if err != nil {
		return nil, err
	}
	if recipe.BatchNorm == step.AsGiven {
		transfer.TrainingNorms(g)
	}
	out := g.Outputs[0]
	if len(d.Network.Graph.Outputs) != 1 || len(out.Shape) != 4 || out.Shape[1] != int64(len(d.Set.Classes)) {
		return nil, fmt.Errorf("network %s answers %v, want one output (N, %d, H, W)", g.Name, out.Shape, len(d.Set.Classes))
	}
	task := train.Task{
		Graph: g, Params: transfer.Names(d.Network), Loss: lossOf(d, p.Balance, p.Dice), Metric: "mIoU",
		Judge: func() train.Judge { return newJudge(d.Set) },
	}
	size := lossSize(out)
	if task.Train, err = newPhotos(d, learned, size, plan, changed, p.Seed); err != nil {
		return nil, err
	}
	if len(held) > 0 {
		if task.Validation, err = newPhotos(d, held, out.Shape[2:], augment.Plan{}, 0, 0); err != nil {
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

func invalid(format string, args ...any) error {
	return &trilobite.Error{Op: "segmentation", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
}
