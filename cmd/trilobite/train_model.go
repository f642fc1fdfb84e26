package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/convert/torch"
	"trilobite/modelfile"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/train"
	"trilobite/zoo"
)

// readModel reads the model file; flags that were given override it.
func (f *trainFlags) readModel(store *zoo.Store, path string, given func(flag string) bool) error {
	m, err := checkModel(store, path)
	if err != nil {
		return err
	}
	if f.Task != "" && f.Task != m.Task {
		return fmt.Errorf("--task is %s, and %s is for task %s", f.Task, path, m.Task)
	}
	if given("network") {
		return fmt.Errorf("--network is for trainings without a model file; the network of %s is %s", path, m.Network)
	}
	f.Task = m.Task
	last := &m.Training.Stages[len(m.Training.Stages)-1]
	if given("epochs") {
		last.Epochs = f.Epochs
	}
	if given("unfreeze") {
		last.Unfreeze = f.Unfreeze
	}
	if given("backbone") {
		known, err := zoo.Known()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known, func(c zoo.Card) bool { return c.Name == f.Backbone && c.Convert.Format == "torch" })
		if i < 0 {
			return fmt.Errorf("--backbone: there is no model %q with published weights; name others in %s", f.Backbone, path)
		}
		m.Backbone.Name, m.Backbone.Weights = known[i].Convert.Network, f.Backbone
	}
	if m.Task == zoo.Detect && m.Training.BalancePower() != 0 {
		return fmt.Errorf("%s: training.balance is %s; a detector's focal loss does without: leave it out", path, m.Training.Balance)
	}
	if w := m.Backbone.Weights; isWeightsFile(w) {
		m.Backbone.Weights = beside(path, w)
	}
	if zoo.IsGraphFile(m.Backbone.Name) {
		m.Backbone.Name = beside(path, m.Backbone.Name)
	}
	f.Model = m
	return nil
}

// finder finds the imported models that a model file names: in the store, or as a file
// beside it.
func finder(store *zoo.Store, path string) modelfile.Finder {
	return func(name string, width, height int) (*onnx.Graph, []string, error) {
		if zoo.IsGraphFile(name) {
			name = beside(path, name)
		}
		g, card, err := store.Backbone(name, width, height)
		return g, card.Taps, err
	}
}

// isWeightsFile tells a file of weights from the name of a model.
func isWeightsFile(name string) bool {
	return slices.Contains([]string{".pth", ".pt", ".bin", ".safetensors"}, strings.ToLower(filepath.Ext(name)))
}

// checkClasses fails where the model file names other classes than the data set has.
func (t *training) checkClasses() error {
	if t.Model == nil || len(t.Model.Classes) == 0 || slices.Equal(t.Model.Classes, t.set.Classes) {
		return nil
	}
	return fmt.Errorf("the model file has the classes %s, the data set %s; they must be the same in the same order, or left out of the file",
		strings.Join(t.Model.Classes, ", "), strings.Join(t.set.Classes, ", "))
}

// loadWeights gives the model file's network its first values: those of its weights for
// the backbone's parameters, and by the seed for all others. It returns the licence of
// the weights.
func (t *training) loadWeights(ctx context.Context, net *nn.Network) (licence string, err error) {
	net.Initialise(t.Seed)
	ref := t.Model.Backbone.Weights
	if ref == "" {
		if t.Model.Backbone.Imported() {
			return "of " + t.Model.Backbone.Name, nil
		}
		return "of what it was trained on", nil
	}
	var state *torch.StateDict
	if isWeightsFile(ref) {
		state, err = torch.Read(ref)
		licence = "of " + filepath.Base(ref)
	} else {
		var card zoo.Card
		card, state, err = t.puller.Weights(ctx, ref)
		licence = card.Licence
	}
	if err != nil {
		return "", fmt.Errorf("backbone.weights: %w", err)
	}
	if err := assignBackbone(t.Model, net, state); err != nil {
		return "", fmt.Errorf("backbone.weights %s: %w", ref, err)
	}
	return licence, nil
}

// recipe is the model file's for a network.
func (t *training) recipe(net *nn.Network, head func(name string) bool) (*train.Recipe, error) {
	r, err := t.Model.Recipe(net, head)
	if err != nil {
		return nil, fmt.Errorf("training.stages: %w", err)
	}
	return &r, nil
}
