package main

import (
	"context"
	"fmt"
	"runtime"

	"trilobite/dataset"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/segmentation"
	"trilobite/zoo"
)

// segmentLearner trains networks that name every pixel.
type segmentLearner struct {
	segmentation.Params

	pixels []int64 // of each class, once the set is prepared
}

func newSegmentLearner(f trainFlags) *segmentLearner {
	p := segmentation.NewParams()
	p.Backbone, p.Unfreeze, p.Epochs, p.Budget, p.Seed = f.backbone, f.unfreeze, f.epochs, f.budget, f.seed
	if f.network != "" {
		p.Network = f.network
	}
	return &segmentLearner{Params: p}
}

func (l *segmentLearner) task() string       { return zoo.Segment }
func (l *segmentLearner) settings() any      { return &l.Params }
func (l *segmentLearner) headline() []string { return []string{"mIoU", "pixel accuracy"} }

func (l *segmentLearner) prepare(ctx context.Context, set *dataset.Set) (*dataset.Set, error) {
	set, pixels, err := segmentation.Prepare(ctx, set, runtime.GOMAXPROCS(0))
	l.pixels = pixels
	return set, err
}

func (l *segmentLearner) parts(set *dataset.Set) (parts, error) {
	s := segmentation.Divide(set, l.Seed)
	if len(s.Train) == 0 {
		return parts{}, fmt.Errorf("no picture to train on, %d to validate", len(s.Validation))
	}
	return parts{s.Train, s.Validation, s.HeldOut}, nil
}

func (l *segmentLearner) learn(ctx context.Context, at workplace, set *dataset.Set, o train.Options) (*learned, error) {
	card, classifier, err := at.puller.Backbone(ctx, l.Backbone, 1)
	if err != nil {
		return nil, err
	}
	spec := segmentation.SpecOf(set, card.Pipeline)
	net, err := segmentation.NewNetwork(l.Params, card.Convert.Network, classifier, len(set.Classes), spec)
	if err != nil {
		return nil, err
	}
	m, err := segmentation.Train(ctx, at.rt, segmentation.Data{Set: set, Pixels: l.pixels, Network: net, Spec: spec}, l.Params, o)
	if err != nil {
		return nil, err
	}
	made := &learned{Result: m.Result, graph: m.Graph, card: zoo.Card{
		Task: zoo.Segment, Convert: zoo.Convert{Format: "torch", Network: l.Network + "/" + card.Convert.Network},
		Pipeline: spec, Decoder: zoo.Decoder{Name: "mask"}, Licence: card.Licence,
	}}
	validation := *set
	validation.Images = nil
	for _, i := range m.Data.Validation {
		validation.Images = append(validation.Images, set.Images[i])
	}
	made.evaluate = func(ctx context.Context) (*runs.Evaluation, error) {
		return reportSegmenter(ctx, at.rt, made, &validation, o.Runtime)
	}
	return made, nil
}
