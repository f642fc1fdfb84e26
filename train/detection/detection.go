// Package detection trains detectors of one's own objects: train.Run with FCOS of package
// nn on a backbone that knows ImageNet, pictures with boxes, and COCO's average precision.
//
// The backbone stays as it is at first, and its features of every picture and of its
// mirror image are computed once; then, if so asked, its deeper layers are trained too.
// Start at Params, then Train. network.go makes the network, recipe.go the stages,
// photos.go the samples, judge.go measures as pictures are served.
package detection

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
	Backbone string `json:"backbone"` // a card's name
	// Unfreeze says what of the backbone is trained in a second stage: nothing if empty,
	// the last N blocks, or the parameters that a regular expression matches.
	Unfreeze string        `json:"unfreeze,omitempty"`
	Epochs   int           `json:"epochs,omitempty"` // of each stage; 0: as many as make usualSteps
	Rate     float64       `json:"rate,omitempty"`   // highest of the learning rate; 0: the usual one
	Budget   time.Duration `json:"budget,omitempty"` // 0: none
	Seed     uint64        `json:"seed"`
	Head     Head          `json:"head"`
}

// Data are the pictures and what they are shown to.
type Data struct {
	Set     *dataset.Set // that passes Check
	Network *nn.Detector // with the backbone's weights and the head's first ones
	Spec    pipeline.Spec

	// Recipe is trained by in place of the usual one, on as many Versions of each picture
	// as Augment makes, 0: a new one each time. Of Params only Seed and Budget count then.
	Recipe   *train.Recipe
	Augment  augment.Plan
	Versions int
}

// Model is a trained detector, ready to be served with decoder "fcos".
type Model struct {
	*train.Result

	Graph *onnx.Graph // of input Spec.Shape and the outputs of nn.FCOS, simplified
	// State has all parameters by their names, those that were not trained too.
	State map[string]*tensor.Tensor
}

// Train trains a detector. Without a validation part in the set the last state is the
// result. Options.Fingerprint is the caller's.
func Train(ctx context.Context, rt *ort.Runtime, d Data, p Params, o train.Options) (*Model, error) {
	learned, held := d.Set.Part(dataset.Train), d.Set.Part(dataset.Val)
	g := onnx.Clone(d.Network.Graph)
	recipe, err := recipeOf(d.Network.Network, p, len(learned))
	plan, changed := mirrored, 0
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
	task := train.Task{Graph: g, Params: transfer.Names(d.Network.Network), Loss: lossOf(d.Network), Metric: "AP"}
	if task.Train, err = newPhotos(d, learned, plan, changed, p.Seed); err != nil {
		return nil, err
	}
	if len(held) > 0 {
		validation, err := newPhotos(d, held, augment.Plan{}, 0, 0)
		if err != nil {
			return nil, err
		}
		read, err := reader(d)
		if err != nil {
			return nil, err
		}
		task.Validation = validation
		task.Judge = func() train.Judge { return &judge{photos: validation, reader: read} }
	}
	res, err := train.Run(ctx, rt, task, recipe, o)
	if err != nil {
		return nil, err
	}
	served, state, err := transfer.Finish(d.Network.Network, res)
	return &Model{Result: res, Graph: served, State: state}, err
}

func invalid(format string, args ...any) error {
	return &trilobite.Error{Op: "detection", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
}
