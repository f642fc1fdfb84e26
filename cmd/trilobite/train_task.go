package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"trilobite/config"
	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/runs"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/zoo"
)

// trainTask is what a task brings to `trilobite train`; everything else is written once
// for all of them. To add one, write a function that returns it into a file of its own,
// as train_classify.go does, and name it in trainTasks.
type trainTask struct {
	name string // zoo.Classify, zoo.Detect or zoo.Segment
	// headline names the figures of evaluations that are shown; the first one says which
	// checkpoint is best.
	headline []string

	// has reports whether the set's labels are for this task.
	has func(set *dataset.Set) bool
	// prepare returns what can be used of a set, everything else being listed in its
	// Dropped, or says why nothing can be learned from it.
	prepare func(ctx context.Context, set *dataset.Set) (*dataset.Set, error)
	// lastIsBest reports whether the recipe ends in its best state, so that it needs no
	// validation part where a test part measures the result. Nil: never.
	lastIsBest func(s trainSettings) bool
	// train trains on t.set, whose pictures are all of split Train or Val. Options has
	// all but what the task alone knows; Dropped takes places in those parts.
	train func(ctx context.Context, t *training, o train.Options) (*trainResult, error)
	// measure measures the trained network on pictures as it is served, the main figure
	// first.
	measure func(ctx context.Context, t *training, m *trainResult, pictures *dataset.Set) (*runs.Evaluation, error)
}

// training is a use of `trilobite train`: what has been opened and decided by the time
// that the task takes over.
type training struct {
	trainSettings

	task     trainTask
	config   config.Config
	puller   zoo.Puller
	runtime  *ort.Runtime
	options  ort.Options
	path     string // or the name of an imported set
	imported bool
	set      *dataset.Set // prepared; Train and Val
	test     *dataset.Set // measured in the end, seen by nothing before
	digest   string       // of set
	held     bool         // Val was held out of the training part
	folder   *runs.Folder
}

// trainResult is what came out of a task's training.
type trainResult struct {
	*train.Result

	graph *onnx.Graph               // to be served
	state map[string]*tensor.Tensor // all parameters under the network's names
	// card has Convert, Pipeline, Decoder and the Licence of the weights it started from;
	// the rest is filled in.
	card zoo.Card
}

// trainTasks are the tasks in the order in which a data set's labels are asked for them:
// what has masks is not classified by them. The set says which kind of classifier is
// meant.
func trainTasks(set *dataset.Set) []trainTask {
	classify := trainClassify()
	if bearsSeveral(set) {
		classify = trainSeveral()
	}
	return []trainTask{trainSegment(), trainDetect(), classify}
}

func taskNames() []string {
	var names []string
	for _, t := range trainTasks(&dataset.Set{}) {
		names = append(names, t.name)
	}
	return names
}

// chooseTask returns the task of a name, or if that is empty, the one that the set's
// labels are for.
func chooseTask(name string, set *dataset.Set) (trainTask, error) {
	all := trainTasks(set)
	i := slices.IndexFunc(all, func(t trainTask) bool { return t.name == name || name == "" && t.has(set) })
	switch {
	case i >= 0:
		return all[i], nil
	case name != "":
		return trainTask{}, fmt.Errorf("--task %s is none of %s", name, strings.Join(taskNames(), ", "))
	default:
		return trainTask{}, fmt.Errorf("its labels are for none of %s", strings.Join(taskNames(), ", "))
	}
}
