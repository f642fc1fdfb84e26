package main

import (
	"context"
	"encoding/json"
	"slices"

	"trilobite/dataset"
	"trilobite/nn"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/detection"
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
	if t.Model != nil {
		text, err := json.Marshal(t.Model) // JSON is YAML
		if err != nil {
			return nil, err
		}
		p.Backbone, p.Model = t.Model.Backbone.Weights, string(text)
	}
	card := zoo.Card{Licence: "of what it was trained on"}
	var classifier *nn.Network // none: a model file's backbone without weights
	var err error
	if p.Backbone != "" {
		if card, classifier, err = t.puller.Backbone(ctx, p.Backbone, len(t.set.Classes)); err != nil {
			return nil, err
		}
	}
	spec, err := detection.SpecOf(p, t.set, card.Pipeline)
	if err != nil {
		return nil, err
	}
	net, err := detection.NewNetwork(p, card.Convert.Network, classifier, len(t.set.Classes), spec)
	if err != nil {
		return nil, err
	}
	m, err := detection.Train(ctx, t.runtime, detection.Data{Set: t.set, Network: net, Spec: spec}, p, o)
	if err != nil {
		return nil, err
	}
	return &trainResult{Result: m.Result, graph: m.Graph, card: zoo.Card{
		Convert: zoo.Convert{Format: "torch", Network: "fcos"}, Pipeline: spec,
		Decoder: zoo.Decoder{Name: detection.Decoder}, Licence: card.Licence,
	}}, nil
}
