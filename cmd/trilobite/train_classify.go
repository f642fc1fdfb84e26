package main

import (
	"context"

	"trilobite/dataset"
	"trilobite/train"
	"trilobite/train/classification"
	"trilobite/zoo"
)

// classifyLearner trains classifiers of whole pictures.
type classifyLearner struct{ classification.Params }

func newClassifyLearner(f trainFlags) *classifyLearner {
	return &classifyLearner{classification.Params{
		Backbone: f.backbone, Unfreeze: f.unfreeze, Epochs: f.epochs, Budget: f.budget, Seed: f.seed,
	}}
}

func (l *classifyLearner) task() string       { return zoo.Classify }
func (l *classifyLearner) settings() any      { return &l.Params }
func (l *classifyLearner) headline() []string { return []string{"accuracy", "loss"} }

func (l *classifyLearner) prepare(_ context.Context, set *dataset.Set) (*dataset.Set, error) {
	return set, nil
}

func (l *classifyLearner) parts(set *dataset.Set) (parts, error) {
	if err := set.CheckClassification(); err != nil {
		return parts{}, err
	}
	s := classification.Divide(set, l.Seed)
	return parts{s.Train, s.Validation, s.HeldOut}, nil
}

func (l *classifyLearner) learn(ctx context.Context, at workplace, set *dataset.Set, o train.Options) (*learned, error) {
	card, net, err := at.puller.Backbone(ctx, l.Backbone, len(set.Classes))
	if err != nil {
		return nil, err
	}
	m, err := classification.Train(ctx, at.rt, classification.Data{Set: set, Network: net, Spec: card.Pipeline}, l.Params, o)
	if err != nil {
		return nil, err
	}
	return &learned{Result: m.Result, graph: m.Graph, card: zoo.Card{
		Task: zoo.Classify, Convert: zoo.Convert{Format: "torch", Network: card.Convert.Network},
		Pipeline: card.Pipeline, Decoder: zoo.Decoder{Name: "softmax"}, Licence: card.Licence,
	}}, nil
}
