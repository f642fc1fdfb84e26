package detection

import (
	"fmt"
	"strings"

	"trilobite/augment"
	"trilobite/modelfile"
	"trilobite/nn"
	"trilobite/step"
	"trilobite/train"
)

// file reads the model file.
func (p Params) file() (*modelfile.Spec, error) {
	f, err := modelfile.Parse("model file", []byte(p.Model))
	if err == nil && f.Network != "detector" {
		err = fmt.Errorf("model file: network %s is for task %s", f.Network, f.Task)
	}
	return f, err
}

// fileRecipe is the model file's training.
func fileRecipe(net *nn.Network, p Params) (train.Recipe, error) {
	f, err := p.file()
	if err != nil {
		return train.Recipe{}, err
	}
	r, err := f.Recipe(net, func(name string) bool { return !strings.HasPrefix(name, backbone) })
	r.Seed, r.Budget, r.Whole = p.Seed, p.Budget, true
	if r.BatchNorm == step.Frozen {
		r.BatchNorm = norms
	}
	return r, err
}

// augmentation is what happens to training pictures.
func (p Params) augmentation() (augment.Plan, error) {
	if p.Model == "" {
		return mirrored, nil
	}
	f, err := p.file()
	if err != nil {
		return augment.Plan{}, err
	}
	return f.Augmentation, nil
}
