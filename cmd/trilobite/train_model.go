package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"trilobite/modelfile"
	"trilobite/zoo"
)

// modelText reads the model file of --model, if there is one, and says what of it cannot
// be trained here.
func modelText(f *trainFlags) (*modelfile.Spec, error) {
	if f.model == "" {
		return nil, nil
	}
	spec, err := modelfile.Read(f.model)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.model)
	if err != nil {
		return nil, err
	}
	not := ""
	switch {
	case f.task != "" && f.task != spec.Task:
		not = "task: is " + spec.Task + ", --task " + f.task
	case spec.Task != zoo.Detect:
		not = "task: is " + spec.Task + "; so far a model file trains detectors; leave --model out, and give --network and --unfreeze"
	case f.epochs > 0 || f.unfreeze != "":
		not = "training.stages: say what --epochs and --unfreeze do; change them there"
	case strings.ContainsAny(spec.Backbone.Weights, `/\`) || strings.HasSuffix(spec.Backbone.Weights, ".pth") || strings.HasSuffix(spec.Backbone.Weights, ".safetensors"):
		not = "backbone.weights: files are not read yet; name a model of `trilobite models list`"
	case spec.Training.Balance != "" && spec.Training.Balance != "none":
		not = "training.balance: is for segmentation; a detector's focal loss does without"
	case !slices.Contains([]float64{0, 0.2}, spec.Training.Validation):
		not = "training.validation: a fifth is held out so far; split the data set yourself, or give --val"
	case spec.Augmentation.Crop:
		not = "augmentation.crop: scale above 1 sees parts of a picture"
	}
	if not != "" {
		return nil, fmt.Errorf("%s: %s", f.model, not)
	}
	f.task, f.modelText, f.backbone = spec.Task, string(text), spec.Backbone.Weights
	return spec, nil
}
