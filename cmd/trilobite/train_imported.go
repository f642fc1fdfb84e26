package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"trilobite"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/zoo"
)

// importedBackbone returns the model of the store that --backbone names, nil where that is
// one of the networks with published weights, or none.
func (t *training) importedBackbone() (*onnx.Graph, zoo.Card, error) {
	known, err := zoo.Known()
	if err != nil || slices.ContainsFunc(known, func(c zoo.Card) bool { return c.Name == t.Backbone }) {
		return nil, zoo.Card{}, err
	}
	g, card, err := t.puller.Store.Backbone(t.Backbone, usualSide, usualSide)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, zoo.Card{}, nil // the networks that there are will be told
	}
	return g, card, err
}

// usualSide is the size of pictures for a model file that leaves it open, pixels.
const usualSide = 224

// backboneOn returns the options of a network on an imported model.
func backboneOn(g *onnx.Graph, card zoo.Card) nn.BackboneOptions {
	return nn.BackboneOptions{Name: card.Name, Graph: g, Taps: card.Taps}
}

// transferOn makes a classifier of an imported model's features.
func transferOn(g *onnx.Graph, card zoo.Card, classes int, seed uint64) (*nn.Network, pipeline.Spec, error) {
	spec := card.Pipeline
	o := nn.TransferOptions{Backbone: backboneOn(g, card), Classes: int64(classes), Height: int64(spec.Height), Width: int64(spec.Width)}
	o.Backbone.Taps = nil // those are for heads that take several
	net, err := nn.TransferClassifier(o)
	if err != nil {
		return nil, spec, err
	}
	net.Initialise(seed)
	return net, spec, nil
}

// continued returns the model that --from names, whole, to be trained further, and its
// card.
func (t *training) continued(task string) (*nn.Network, zoo.Card, error) {
	g, card, err := t.puller.Store.Backbone(t.From, usualSide, usualSide)
	if err != nil {
		return nil, card, fmt.Errorf("--from: %w", err)
	}
	if card.Task != task {
		return nil, card, &trilobite.Error{Op: "train", Code: trilobite.Invalid, Msg: fmt.Sprintf(
			"--from: %s has task %s, and the pictures are for task %s; --backbone %s puts a new head on it.", t.From, card.Task, task, t.From)}
	}
	net, err := nn.FineTune(g, int64(len(t.set.Classes)), int64(card.Pipeline.Height), int64(card.Pipeline.Width))
	if err != nil {
		return nil, card, fmt.Errorf("--from: %w", err)
	}
	net.Initialise(t.Seed)
	return net, card, nil
}

// convertOf says what an imported model became part of.
func convertOf(network string, card zoo.Card) zoo.Convert {
	return zoo.Convert{Format: "onnx", Network: network + "/" + cmp.Or(card.Name, card.Source.File)}
}

// convertFrom says what a network is made of that has PyTorch's names: the backbone is one
// that nn knows, or "".
func convertFrom(network, backbone string) zoo.Convert {
	return zoo.Convert{Format: "torch", Network: strings.Trim(network+"/"+backbone, "/")}
}

// findImported gives a model file's settings that were read again the model they name.
func (f *trainFlags) findImported(store *zoo.Store) error {
	if f.Model == nil {
		return nil
	}
	return f.Model.Find(finder(store, ""))
}
