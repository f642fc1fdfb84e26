package main

import (
	"context"
	"fmt"
	"slices"

	"trilobite/dataset"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/classification"
	"trilobite/zoo"
)

// trainSeveral is the task of sets whose pictures bear several labels: each label is
// learned, answered and judged on its own.
func trainSeveral() trainTask {
	return trainTask{
		name: zoo.Classify, headline: []string{"mAP", "F1", "loss"},
		has: hasClasses,
		prepare: func(_ context.Context, set *dataset.Set) (*dataset.Set, error) {
			set = someClassEach(set)
			return set, set.CheckClassification()
		},
		lastIsBest: trainClassify().lastIsBest,
		train: func(ctx context.Context, t *training, o train.Options) (*trainResult, error) {
			if t.Model != nil && t.Model.Training.BalancePower() != 0 {
				return nil, fmt.Errorf("training.balance is %s; it weighs classes that exclude each other, and these pictures bear several labels: leave it out", t.Model.Training.Balance)
			}
			return learnClasses(ctx, t, o, true)
		},
		measure: func(ctx context.Context, t *training, m *trainResult, pictures *dataset.Set) (*runs.Evaluation, error) {
			return classification.EvaluateSeveral(ctx, t.runtime, pictures, m.card.Pipeline, m.graph, t.options)
		},
	}
}

// bearsSeveral reports whether some picture to learn from bears two classes. Those of the
// test part do not decide: a training that is resumed may have lost them.
func bearsSeveral(set *dataset.Set) bool {
	return slices.ContainsFunc(set.Images, func(img dataset.Image) bool {
		return img.Split != dataset.Test && img.SeveralClasses()
	})
}

// someClassEach leaves out pictures of no class of which the data set does not say that
// they show none: perhaps nobody has looked.
func someClassEach(set *dataset.Set) *dataset.Set {
	out := *set
	out.Images, out.Dropped = nil, slices.Clone(set.Dropped)
	for _, img := range set.Images {
		if len(img.Classes) > 0 || img.Negative {
			out.Images = append(out.Images, img)
		} else {
			out.Dropf(img.File, 0, "it has no class, and nothing says that it shows none")
		}
	}
	return &out
}
