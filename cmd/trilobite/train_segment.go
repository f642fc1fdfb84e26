package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"trilobite/dataset"
	"trilobite/train"
	"trilobite/train/segmentation"
	"trilobite/train/transfer"
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
	d, card, err := t.segmenter(ctx, &p)
	if err != nil {
		return nil, err
	}
	d.Set, d.Pixels = t.set, pixels
	m, err := segmentation.Train(ctx, t.runtime, d, p, o)
	if err != nil {
		return nil, err
	}
	card.Pipeline, card.Decoder.Name = d.Spec, "mask"
	return &trainResult{Result: m.Result, graph: m.Graph, state: m.State, card: card}, nil
}

// segmenter returns the network to train, with its recipe where a model file has one, whose
// losses p then has.
func (t *training) segmenter(ctx context.Context, p *segmentation.Params) (d segmentation.Data, card zoo.Card, err error) {
	if t.From != "" {
		net, known, err := t.continued(zoo.Segment)
		d.Network, d.Spec = net, known.Pipeline
		card.Convert, card.Licence = convertOf("segmenter", known), known.Licence
		return d, card, err
	}
	if t.Model == nil {
		if g, known, err := t.importedBackbone(); err != nil || g != nil {
			if err != nil {
				return d, card, err
			}
			card.Convert, card.Licence = convertOf(p.Network, known), known.Licence
			d.Spec = transfer.SpecOf(t.set, known.Pipeline)
			d.Network, err = segmentation.NewNetworkOn(*p, backboneOn(g, known), len(t.set.Classes), d.Spec)
			return d, card, err
		}
		known, classifier, err := t.puller.Backbone(ctx, p.Backbone, 1)
		if err != nil {
			return d, card, err
		}
		card.Convert, card.Licence = convertFrom(p.Network, known.Convert.Network), known.Licence
		d.Spec = transfer.SpecOf(t.set, known.Pipeline)
		d.Network, err = segmentation.NewNetwork(*p, known.Convert.Network, classifier, len(t.set.Classes), d.Spec)
		return d, card, err
	}
	m := t.Model
	if d.Network, err = m.Build(len(t.set.Classes)); err != nil {
		return d, card, err
	}
	p.Balance, p.Dice = m.Training.BalancePower(), m.Training.Dice
	d.Spec, d.Augment, d.Versions = m.Preprocessing, m.Augmentation, m.Training.Versions
	card.Convert = convertFrom(m.Network, m.Backbone.Name)
	if card.Licence, err = t.loadWeights(ctx, d.Network); err != nil {
		return d, card, err
	}
	d.Recipe, err = t.recipe(d.Network, transfer.Head)
	return d, card, err
}
