package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"trilobite/dataset"
	"trilobite/train"
	"trilobite/train/segmentation"
	"trilobite/zoo"
)

// trainSegment trains networks that name every pixel.
func trainSegment() trainTask {
	var pixels []int64 // of each class, once the set is prepared
	return trainTask{
		name: zoo.Segment, headline: []string{"mIoU", "pixel accuracy"},
		has: func(set *dataset.Set) bool {
			return slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return img.Mask != "" })
		},
		prepare: func(ctx context.Context, set *dataset.Set) (_ *dataset.Set, err error) {
			set, pixels, err = segmentation.Prepare(ctx, set, runtime.GOMAXPROCS(0))
			if err == nil && len(set.Part(dataset.Train)) == 0 {
				err = fmt.Errorf("no picture to train on, %d to validate", len(set.Part(dataset.Val)))
			}
			return set, err
		},
		train: func(ctx context.Context, t *training, o train.Options) (*trainResult, error) {
			return learnPixels(ctx, t, pixels, o)
		},
		measure: reportSegmenter,
	}
}

func learnPixels(ctx context.Context, t *training, pixels []int64, o train.Options) (*trainResult, error) {
	p := segmentation.NewParams()
	p.Backbone, p.Unfreeze, p.Epochs, p.Budget, p.Seed = t.Backbone, t.Unfreeze, t.Epochs, t.Budget, t.Seed
	if t.Network != "" {
		p.Network = t.Network
	}
	card, classifier, err := t.puller.Backbone(ctx, p.Backbone, 1)
	if err != nil {
		return nil, err
	}
	spec := segmentation.SpecOf(t.set, card.Pipeline)
	net, err := segmentation.NewNetwork(p, card.Convert.Network, classifier, len(t.set.Classes), spec)
	if err != nil {
		return nil, err
	}
	m, err := segmentation.Train(ctx, t.runtime, segmentation.Data{Set: t.set, Pixels: pixels, Network: net, Spec: spec}, p, o)
	if err != nil {
		return nil, err
	}
	return &trainResult{Result: m.Result, graph: m.Graph, card: zoo.Card{
		Convert: zoo.Convert{Format: "torch", Network: p.Network + "/" + card.Convert.Network}, Pipeline: spec,
		Decoder: zoo.Decoder{Name: "mask"}, Licence: card.Licence,
	}}, nil
}
