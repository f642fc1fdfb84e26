package main

import (
	"context"
	"slices"

	"trilobite/dataset"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/classification"
	"trilobite/zoo"
)

func trainClassify() trainTask {
	return trainTask{
		name: zoo.Classify, headline: []string{"accuracy", "loss"},
		has: hasClasses,
		prepare: func(_ context.Context, set *dataset.Set) (*dataset.Set, error) {
			set = oneClassEach(set)
			return set, set.CheckClassification()
		},
		// A linear probe has one minimum, and its steps come closer to it.
		lastIsBest: func(s trainSettings) bool { return s.Unfreeze == "" && s.Model == nil },
		train: func(ctx context.Context, t *training, o train.Options) (*trainResult, error) {
			return learnClasses(ctx, t, o, false)
		},
		measure: func(ctx context.Context, t *training, m *trainResult, pictures *dataset.Set) (*runs.Evaluation, error) {
			return classification.Evaluate(ctx, t.runtime, pictures, m.card.Pipeline, m.graph, t.options)
		},
	}
}

// hasClasses reports whether some picture of the set has a class.
func hasClasses(set *dataset.Set) bool {
	return slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Classes) > 0 })
}

// oneClassEach leaves out pictures of no class and of several: what is learned is which
// one a picture is of.
func oneClassEach(set *dataset.Set) *dataset.Set {
	out := *set
	out.Images, out.Dropped = nil, slices.Clone(set.Dropped)
	for _, img := range set.Images {
		if len(img.Classes) == 1 {
			out.Images = append(out.Images, img)
		} else {
			out.Dropf(img.File, 0, "it has %d classes, want one", len(img.Classes))
		}
	}
	return &out
}

// learnClasses trains a classifier of one class a picture, or of several.
func learnClasses(ctx context.Context, t *training, o train.Options, several bool) (*trainResult, error) {
	d, card, err := t.classifier(ctx)
	if err != nil {
		return nil, err
	}
	d.Set, card.Pipeline, card.Decoder.Name = t.set, d.Spec, "softmax"
	if several {
		card.Decoder.Name = "sigmoid"
	}
	p := classification.Params{Backbone: t.Backbone, Unfreeze: t.Unfreeze, Epochs: t.Epochs, Budget: t.Budget, Seed: t.Seed, Several: several}
	m, err := classification.Train(ctx, t.runtime, d, p, o)
	if err != nil {
		return nil, err
	}
	return &trainResult{Result: m.Result, graph: m.Graph, state: m.State, card: card}, nil
}

// classifier returns the network to train, with its recipe where a model file has one.
func (t *training) classifier(ctx context.Context) (classification.Data, zoo.Card, error) {
	if t.From != "" {
		net, card, err := t.continued(zoo.Classify)
		return classification.Data{Network: net, Spec: card.Pipeline}, zoo.Card{Convert: convertOf("classifier", card), Licence: card.Licence}, err
	}
	if t.Model == nil {
		if g, card, err := t.importedBackbone(); err != nil || g != nil {
			if err != nil {
				return classification.Data{}, zoo.Card{}, err
			}
			net, spec, err := transferOn(g, card, len(t.set.Classes), t.Seed)
			return classification.Data{Network: net, Spec: spec}, zoo.Card{Convert: convertOf("classifier", card), Licence: card.Licence}, err
		}
		card, net, err := t.puller.Backbone(ctx, t.Backbone, len(t.set.Classes))
		return classification.Data{Network: net, Spec: card.Pipeline},
			zoo.Card{Convert: zoo.Convert{Format: "torch", Network: card.Convert.Network}, Licence: card.Licence}, err
	}
	net, err := t.Model.Build(len(t.set.Classes))
	if err != nil {
		return classification.Data{}, zoo.Card{}, err
	}
	layer := net.Params[len(net.Params)-2:]
	head := func(name string) bool { return name == layer[0].Name || name == layer[1].Name }
	licence, err := t.loadWeights(ctx, net)
	if err != nil {
		return classification.Data{}, zoo.Card{}, err
	}
	recipe, err := t.recipe(net, head)
	return classification.Data{
		Network: net, Spec: t.Model.Preprocessing, Recipe: recipe, Augment: t.Model.Augmentation,
		Versions: t.Model.Training.Versions, Balance: t.Model.Training.BalancePower(),
	}, zoo.Card{Convert: zoo.Convert{Format: "torch", Network: t.Model.Backbone.Name}, Licence: licence}, err
}
