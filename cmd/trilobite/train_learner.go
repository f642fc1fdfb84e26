package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/zoo"
)

// learner trains for one task, as a package below train does.
type learner interface {
	// task is a zoo's task.
	task() string
	// settings are the parameters, a pointer to what run.json keeps.
	settings() any
	// prepare checks a set and makes of it what is trained on, before parts.
	prepare(ctx context.Context, set *dataset.Set) (*dataset.Set, error)
	// parts returns the training and validation pictures of a set, as places in its
	// images, or says why nothing can be learned from it.
	parts(set *dataset.Set) (parts, error)
	// headline names the judge's figures that are shown, the one that decides first.
	headline() []string
	learn(ctx context.Context, at workplace, set *dataset.Set, o train.Options) (*learned, error)
}

// parts are a set's, as places in its images.
type parts struct {
	train, validation []int
	heldOut           bool // a fifth was taken out of the training part to validate
}

// workplace is what a learner needs of the machine.
type workplace struct {
	rt     *ort.Runtime
	puller zoo.Puller
}

// learned is what a learner made.
type learned struct {
	*train.Result

	graph *onnx.Graph
	card  zoo.Card // task, pipeline, decoder, conversion and licence
	// evaluate measures the model as it is served; nil: only the judge's figures are known.
	evaluate func(ctx context.Context) (*runs.Evaluation, error)
}

// newLearner returns the learner of a task.
func newLearner(task string, f trainFlags) (learner, error) {
	if f.network != "" && task != zoo.Segment {
		return nil, fmt.Errorf("--network chooses a network for segmentation, and %s is to be trained", task)
	}
	switch task {
	case zoo.Classify:
		return newClassifyLearner(f), nil
	case zoo.Detect:
		return newDetectLearner(f), nil
	case zoo.Segment:
		return newSegmentLearner(f), nil
	default:
		return nil, fmt.Errorf("--task %s is none of %s", task, strings.Join(trainTasks(), ", "))
	}
}

func trainTasks() []string { return []string{zoo.Classify, zoo.Detect, zoo.Segment} }

// taskOf recognises what a set is labelled for: masks before boxes before classes.
func taskOf(set *dataset.Set) string {
	switch {
	case slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return img.Mask != "" }):
		return zoo.Segment
	case slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Objects) > 0 }):
		return zoo.Detect
	default:
		return zoo.Classify
	}
}

// withValidation adds the pictures of another set as the validation part, in place of the
// set's own; classes go by name.
func withValidation(set, val *dataset.Set) (*dataset.Set, error) {
	masked := func(img dataset.Image) bool { return img.Mask != "" }
	if slices.ContainsFunc(val.Images, masked) && !sameMasks(set, val) {
		return nil, fmt.Errorf("its masks mean other classes, %s, than those to train on: give both the same classes.txt", strings.Join(val.Classes, ", "))
	}
	to := make([]int, len(val.Classes))
	for i, name := range val.Classes {
		if to[i] = slices.Index(set.Classes, name); to[i] < 0 {
			return nil, fmt.Errorf("its class %q is not among those to train on: %s", name, strings.Join(set.Classes, ", "))
		}
	}
	all := *set
	all.Images = slices.DeleteFunc(slices.Clone(set.Images), func(img dataset.Image) bool { return img.Split == dataset.Val || img.Split == dataset.Test })
	all.Dropped = slices.Concat(set.Dropped, val.Dropped)
	for _, img := range val.Images {
		img.Split = dataset.Val
		img.Classes, img.Objects = slices.Clone(img.Classes), slices.Clone(img.Objects)
		for i, c := range img.Classes {
			img.Classes[i] = to[c]
		}
		for i := range img.Objects {
			img.Objects[i].Class = to[img.Objects[i].Class]
		}
		all.Images = append(all.Images, img)
	}
	return &all, nil
}

// sameMasks reports whether the masks of both sets are read alike.
func sameMasks(a, b *dataset.Set) bool {
	return slices.Equal(a.Classes, b.Classes) && a.Ignore == b.Ignore && maps.Equal(a.Colors, b.Colors) && maps.Equal(a.Values, b.Values)
}
