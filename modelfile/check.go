package modelfile

import (
	"errors"
	"fmt"
	"io/fs"
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
func (s *Spec) check(d *decoder, find Finder) {
	for _, required := range []struct{ path, value string }{{"task", s.Task}, {"network", s.Network}} {
		if required.value == "" {
			d.failf(required.path, "is missing")
		}
	}
	if want := tasks[s.Network]; want != "" && s.Task != "" && s.Task != want {
		d.failf("task", "is %s; network %s is for task %s", s.Task, s.Network, want)
	}
	s.checkBackbone(d, find)
	if err := s.Preprocessing.Validate(); err != nil {
		text := strings.TrimPrefix(err.Error(), "preprocessing: ")
		name, _, _ := strings.Cut(text, " ")
		d.failf("preprocessing."+strings.TrimSuffix(name, ":"), "%s", text)
	}
	if s.Preprocessing.Tiled() {
		d.failf("preprocessing.steps", "tile is for answers, a training is shown whole pictures; set it on the trained model by `trilobite models pipeline`")
	}
	seen := map[string]bool{}
	for i, c := range s.Classes {
		at := fmt.Sprintf("classes[%d]", i)
		switch {
		case strings.TrimSpace(c) == "":
			d.failf(at, "a class has no name")
		case seen[c]:
			d.failf(at, "%.80q is there twice", c)
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

func (s *Spec) checkBackbone(d *decoder, find Finder) {
	names := nn.ClassifierNames()
	switch {
	case s.Backbone.Name == "" && s.Network != "unet":
		d.failf("backbone.name", "is missing; want one of %s, or an imported model", strings.Join(names, ", "))
	case s.Backbone.Name != "" && !slices.Contains(names, s.Backbone.Name):
		s.findBackbone(d, find)
	}
	if s.Backbone.Freeze && !s.Backbone.Trained() && len(d.problems) == 0 {
		d.failf("backbone.freeze", "freezes random weights; name weights, or train the backbone too")
	}
	if len(s.Backbone.Taps) > 0 && s.Network == "classifier" && !s.Backbone.Imported() {
		d.failf("backbone.taps", "a classifier uses the whole network and has no taps")
	}
	s.checkTaps(d)
}

// checkTaps looks for each tap in the backbone, and for the strides that the head names.
func (s *Spec) checkTaps(d *decoder) {
	build := nn.Classifiers()[s.Backbone.Name]
	if build == nil || s.Network == "classifier" || s.Preprocessing.Validate() != nil {
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
	if len(s.Backbone.Taps) > 0 {
		return // they are what the head starts from
	}
	for path, strides := range map[string][]int64{"head.high": s.Head.High, "head.low": s.Head.Low} {
		for i, stride := range strides {
			if _, err := n.Tap(fmt.Sprintf("stride%d", stride)); err != nil {
				d.failf(fmt.Sprintf("%s[%d]", path, i), "%v", err)
			}
		}
	}
}

// Find looks the imported model up that the backbone names, if any, for a Spec that was
// not read by Read.
func (s *Spec) Find(find Finder) (err error) {
	b := &s.Backbone
	if b.Name != "" && !slices.Contains(nn.ClassifierNames(), b.Name) {
		b.imported, _, err = find(b.Name, s.Preprocessing.Width, s.Preprocessing.Height)
	}
	return err
}

// findBackbone looks an imported model up, and its taps.
func (s *Spec) findBackbone(d *decoder, find Finder) {
	b := &s.Backbone
	err := fs.ErrNotExist
	var taps []string
	if find != nil {
		b.imported, taps, err = find(b.Name, s.Preprocessing.Width, s.Preprocessing.Height)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.failf("backbone.name", "%.80q is unknown, and no model of the store; %s", b.Name, Nearest(b.Name, nn.ClassifierNames()))
		return
	case err != nil:
		d.failf("backbone.name", "%v", err)
		return
	}
	if b.Weights != "" {
		d.failf("backbone.weights", "the imported model %s has its own weights; leave this out", b.Name)
	}
	n, err := nn.Imported(b.imported, int64(s.Preprocessing.Height), int64(s.Preprocessing.Width))
	if err != nil {
		d.failf("backbone.name", "%v", err)
		return
	}
	for i, tap := range b.Taps {
		if _, err := n.Tap(tap); err != nil {
			d.failf(fmt.Sprintf("backbone.taps[%d]", i), "%v", err)
		}
	}
	if len(b.Taps) == 0 && s.Network != "classifier" {
		b.Taps = taps
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
