package main

import (
	"cmp"
	"context"

	"trilobite/dataset"
	"trilobite/nn"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/detection"
	"trilobite/zoo"
)

// detectLearner trains detectors.
type detectLearner struct{ detection.Params }

func newDetectLearner(f trainFlags) *detectLearner {
	return &detectLearner{detection.Params{
		Backbone: f.backbone, Unfreeze: f.unfreeze, Epochs: f.epochs, Budget: f.budget, Seed: f.seed, Model: f.modelText,
	}}
}

func (l *detectLearner) task() string       { return zoo.Detect }
func (l *detectLearner) settings() any      { return &l.Params }
func (l *detectLearner) headline() []string { return []string{"AP", "AP50"} }

func (l *detectLearner) prepare(_ context.Context, set *dataset.Set) (*dataset.Set, error) {
	return set, nil
}

func (l *detectLearner) parts(set *dataset.Set) (parts, error) {
	if err := detection.Check(set); err != nil {
		return parts{}, err
	}
	s := detection.Divide(set, l.Seed)
	return parts{s.Train, s.Validation, s.HeldOut}, nil
}

func (l *detectLearner) learn(ctx context.Context, at workplace, set *dataset.Set, o train.Options) (*learned, error) {
	var card zoo.Card
	var classifier *nn.Network // none: a model file's backbone without weights
	var err error
	if l.Backbone != "" {
		if card, classifier, err = at.puller.Backbone(ctx, l.Backbone, len(set.Classes)); err != nil {
			return nil, err
		}
	}
	spec, err := detection.SpecOf(l.Params, set, card.Pipeline)
	if err != nil {
		return nil, err
	}
	net, err := detection.NewNetwork(l.Params, card.Convert.Network, classifier, len(set.Classes), spec)
	if err != nil {
		return nil, err
	}
	d := detection.Data{Set: set, Network: net, Spec: spec}
	m, err := detection.Train(ctx, at.rt, d, l.Params, o)
	if err != nil {
		return nil, err
	}
	return &learned{
		Result: m.Result, graph: m.Graph,
		card: zoo.Card{
			Task: zoo.Detect, Convert: zoo.Convert{Format: "torch", Network: "fcos"},
			Pipeline: spec, Decoder: zoo.Decoder{Name: detection.Decoder}, Licence: cmp.Or(card.Licence, "your own"),
		},
		evaluate: func(ctx context.Context) (*runs.Evaluation, error) {
			return detection.Evaluate(ctx, at.rt, d, m, o.Runtime)
		},
	}, nil
}
