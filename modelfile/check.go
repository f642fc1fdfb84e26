package modelfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"trilobite/nn"
)

// tasks says what each network is for.
var tasks = map[string]string{
	"classifier": "classify", "deeplabv3plus": "segment", "unet": "segment", "detector": "detect",
}

// check finds what the fields' own bounds do not tell.
func (s *Spec) check(d *decoder) {
	for _, required := range []struct{ path, value string }{{"task", s.Task}, {"network", s.Network}} {
		if required.value == "" {
			d.failf(required.path, "is missing")
		}
	}
	if want := tasks[s.Network]; want != "" && s.Task != "" && s.Task != want {
		d.failf("task", "is %s; network %s is for task %s", s.Task, s.Network, want)
	}
	s.checkBackbone(d)
	if err := s.Preprocessing.Validate(); err != nil {
		text := strings.TrimPrefix(err.Error(), "preprocessing: ")
		name, _, _ := strings.Cut(text, " ")
		d.failf("preprocessing."+name, "%s", text)
	}
	seen := map[string]bool{}
	for _, c := range s.Classes {
		switch {
		case strings.TrimSpace(c) == "":
			d.failf("classes", "a class has no name")
		case seen[c]:
			d.failf("classes", "%.80q is there twice", c)
		}
		seen[c] = true
	}
	if len(s.Classes) == 1 && s.Task != "detect" {
		d.failf("classes", "there is one class; a model that tells classes apart needs two")
	}
	if err := s.Augmentation.Validate(); err != nil {
		text := strings.TrimPrefix(err.Error(), "augmentation: ")
		name, rest, _ := strings.Cut(text, " ")
		d.failf("augmentation."+name, "%s", rest)
	}
	s.checkTraining(d)
}

func (s *Spec) checkBackbone(d *decoder) {
	names := nn.ClassifierNames()
	switch {
	case s.Backbone.Name == "" && s.Network != "unet":
		d.failf("backbone.name", "is missing; want one of %s", strings.Join(names, ", "))
	case s.Backbone.Name != "" && !slices.Contains(names, s.Backbone.Name):
		d.failf("backbone.name", "%.80q is unknown; %s", s.Backbone.Name, nearest(s.Backbone.Name, names))
	}
	if s.Backbone.Freeze && s.Backbone.Weights == "" {
		d.failf("backbone.freeze", "freezes random weights; name weights, or train the backbone too")
	}
	if len(s.Backbone.Taps) > 0 && s.Network == "classifier" {
		d.failf("backbone.taps", "a classifier uses the whole network and has no taps")
	}
	s.checkTaps(d)
}

// checkTaps looks for each tap in the backbone.
func (s *Spec) checkTaps(d *decoder) {
	build := nn.Classifiers()[s.Backbone.Name]
	if len(s.Backbone.Taps) == 0 || build == nil || s.Preprocessing.Validate() != nil {
		return
	}
	n, err := build(nn.ClassifierOptions{Height: int64(s.Preprocessing.Height), Width: int64(s.Preprocessing.Width)})
	if err != nil {
		d.failf("backbone", "%v", err)
		return
	}
	for i, name := range s.Backbone.Taps {
		if _, err := n.Tap(name); err != nil {
			d.failf(fmt.Sprintf("backbone.taps[%d]", i), "%v", err)
		}
	}
}

func (s *Spec) checkTraining(d *decoder) {
	if s.Training.Batch == 0 {
		d.failf("training.batch", "is missing")
	}
	if len(s.Training.Stages) == 0 {
		d.failf("training.stages", "there is none; a training has at least one")
	}
	for i, stage := range s.Training.Stages {
		path := fmt.Sprintf("training.stages[%d]", i)
		if stage.Epochs == 0 {
			d.failf(path+".epochs", "is missing")
		}
		if stage.Optimiser == "" {
			d.failf(path+".optimiser", "is missing; adamw or sgd")
		}
		if !(stage.LR > 0) {
			d.failf(path+".lr", "is %v, want more than 0", stage.LR)
		}
		if _, err := regexp.Compile(stage.Unfreeze); err != nil {
			d.failf(path+".unfreeze", "%v", err)
		}
		if stage.Momentum > 0 && stage.Optimiser == "adamw" {
			d.failf(path+".momentum", "is for sgd; adamw has its own")
		}
	}
}
