package main

import (
	"context"
	"fmt"
	"slices"

	"trilobite/dataset"
	"trilobite/nn"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/detection"
	"trilobite/train/transfer"
	"trilobite/zoo"
)

// trainDetect trains detectors.
func trainDetect() trainTask {
	return trainTask{
		name: zoo.Detect, headline: []string{"AP", "AP50"},
		has: func(set *dataset.Set) bool {
			return slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Objects) > 0 })
		},
		prepare: func(_ context.Context, set *dataset.Set) (*dataset.Set, error) { return set, detection.Check(set) },
		train:   learnBoxes,
		measure: func(ctx context.Context, t *training, m *trainResult, pictures *dataset.Set) (*runs.Evaluation, error) {
			return detection.Evaluate(ctx, t.runtime, detection.Data{Set: pictures, Spec: m.card.Pipeline}, m.graph, t.options)
		},
	}
}

func learnBoxes(ctx context.Context, t *training, o train.Options) (*trainResult, error) {
	p := detection.Params{Backbone: t.Backbone, Unfreeze: t.Unfreeze, Epochs: t.Epochs, Budget: t.Budget, Seed: t.Seed}
	d, convert, licence, err := t.detector(ctx, p)
	if err != nil {
		return nil, err
	}
	m, err := detection.Train(ctx, t.runtime, d, p, o)
	if err != nil {
		return nil, err
	}
	return &trainResult{Result: m.Result, graph: m.Graph, state: m.State, card: zoo.Card{
		Convert: convert, Pipeline: d.Spec,
		Decoder: zoo.Decoder{Name: detection.Decoder}, Licence: licence,
	}}, nil
}

// detector returns the network to train, with its recipe where a model file has one, what
// it is made of, and the licence of the weights that it starts from.
func (t *training) detector(ctx context.Context, p detection.Params) (d detection.Data, convert zoo.Convert, licence string, err error) {
	d.Set = t.set
	if t.From != "" {
		return d, convert, "", fmt.Errorf("--from trains classifiers and segmentations further; --backbone %s puts a new detector on %s", t.From, t.From)
	}
	if t.Model == nil {
		if g, card, err := t.importedBackbone(); err != nil || g != nil {
			if err != nil {
				return d, convert, "", err
			}
			d.Spec = transfer.SpecOf(t.set, card.Pipeline)
			d.Network, err = detection.NewNetworkOn(p, backboneOn(g, card), len(t.set.Classes), d.Spec)
			return d, convertOf(detection.Network, card), card.Licence, err
		}
		card, classifier, err := t.puller.Backbone(ctx, t.Backbone, 1)
		if err != nil {
			return d, convert, "", err
		}
		d.Spec = transfer.SpecOf(t.set, card.Pipeline)
		d.Network, err = detection.NewNetwork(p, card.Convert.Network, classifier, len(t.set.Classes), d.Spec)
		return d, convertFrom(detection.Network, card.Convert.Network), card.Licence, err
	}
	if d.Network, err = nn.FCOS(t.Model.Detector(len(t.set.Classes))); err != nil {
		return d, convert, "", err
	}
	d.Spec, d.Augment, d.Versions = t.Model.Preprocessing, t.Model.Augmentation, t.Model.Training.Versions
	if licence, err = t.loadWeights(ctx, d.Network.Network); err != nil {
		return d, convert, "", err
	}
	d.Recipe, err = t.recipe(d.Network.Network, transfer.Head)
	return d, convertFrom(detection.Network, t.Model.Backbone.Name), licence, err
}
