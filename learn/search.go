package learn

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"trilobite"
	"trilobite/augment"
	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/zoo"
)

// candidate is a way to learn labels.
type candidate struct {
	network  string
	size     int  // pixels of the input's side; 0: the network's own
	mirrored bool // learns from mirrored images too
	blocks   int  // learned beside the last layer
	setting
}

// change is which versions of the images it learns from.
func (c candidate) change() change {
	switch {
	case c.blocks > 0:
		return change{plan: augmented, versions: deepVersions}
	case c.mirrored:
		return change{plan: augment.Plan{HorizontalFlip: 0.5}}
	}
	return change{}
}

// found is the candidate that a search holds the best, learned on all images.
type found struct {
	candidate
	measured

	card  zoo.Card
	spec  pipeline.Spec
	net   *nn.Network
	graph *onnx.Graph // with the learned weights, before its temperature
	heads *heads      // last layers that it started from, or is

	logits [][]float64 // of each image, by a model that did not see it
}

// search looks for the best way to learn labels, by cross-validation: the last layer on
// features of each network first, then its settings, and deeper layers while time
// remains. A costlier candidate must be better by more than the standard error.
type search struct {
	*Engine

	run     custom.TrainingRun
	reads   reading
	several bool
	folds   []int
	began   time.Time
	until   time.Time // set when the first candidate is done
	first   took      // by the first candidate
	tried   []custom.Trial
	done    []keptCandidate // those and no others were tried or skipped
	best    *found
	bestRow int // of tried
	rows    *features
}

// find runs the search.
func (s *search) find(ctx context.Context) (*found, error) {
	s.began = time.Now()
	s.folds = foldsOf(s.run.Train, s.several)
	networks, err := s.Puller.Backbones()
	if err != nil {
		return nil, err
	}
	if err := s.recall(ctx); err != nil {
		return nil, err
	}
	if first := (candidate{network: backbone, setting: usualSetting}); !s.knows(first) {
		if err := s.try(ctx, first, nil); err != nil {
			return nil, err
		}
	}
	for _, c := range s.others(networks) {
		if err := s.tryInTime(ctx, c, false); err != nil {
			return nil, err
		}
	}
	for _, o := range []setting{{3e-3, 1e-2}, {3e-2, 1e-2}, {1e-2, 1}} {
		c := s.best.candidate
		c.setting = o
		if err := s.tryInTime(ctx, c, true); err != nil {
			return nil, err
		}
	}
	if err := s.deeper(ctx); err != nil {
		return nil, err
	}
	s.tried[s.bestRow].Chosen = true
	return s.best, nil
}

// others are the candidates after the first that need features of their own: cheap ones
// first.
func (s *search) others(networks []zoo.Card) []candidate {
	all := []candidate{{network: backbone, mirrored: true, setting: usualSetting}}
	for _, n := range networks {
		if n.Name != backbone {
			all = append(all, candidate{network: n.Name, setting: usualSetting})
		}
	}
	return append(all, candidate{network: backbone, size: 320, setting: usualSetting})
}

// trial describes a candidate for the report.
func (s *search) trial(c candidate) custom.Trial {
	learned := "last layer"
	if c.blocks > 0 {
		learned = fmt.Sprintf("last layer and %d blocks", c.blocks)
	}
	return custom.Trial{
		Network: c.network, Size: c.size, Learned: learned, Mirrored: c.mirrored, Rate: c.Rate, Decay: c.Decay,
		Folds: slices.Max(s.folds) + 1,
	}
}

// try learns last layers on a candidate's features, and keeps it if it is better. A
// candidate of the same features as the best one needs to be better, no matter how much.
func (s *search) try(ctx context.Context, c candidate, rows *features) error {
	begun := time.Now()
	f, err := s.prepare(ctx, c)
	if err != nil {
		return err
	}
	same := rows != nil
	if !same {
		before, _, err := cut(f.net, 0)
		if err != nil {
			return err
		}
		if rows, err = s.read(ctx, f, before, s.first.learning); err != nil {
			return err
		}
		if err := everyLabel(s.run.Train, rows); err != nil {
			return err
		}
	}
	read := time.Since(begun)
	f.heads, err = learnHeads(ctx, s.Runtime, rows, s.run.Train.Images, len(s.run.Train.Classes), s.several, s.folds, c.setting, s.left())
	if err != nil {
		return err
	}
	if s.best == nil {
		s.first = took{read, time.Since(begun) - read}
		s.until = s.limit()
	}
	f.measured, f.logits = measure(s.reads, f.heads.logits, s.run.Train.Images), f.heads.logits
	if f.graph, err = withLast(f.net, f.heads.layers[len(f.heads.layers)-1]); err != nil {
		return err
	}
	t := s.trial(c)
	t.Size, t.Steps, t.Right, t.Loss, t.Seconds = f.spec.Width, f.heads.steps, f.Right, f.Loss, time.Since(begun).Seconds()
	if s.best == nil || same && f.Loss < s.best.Loss || !same && surelyBetter(f.measured, s.best.measured) {
		s.best, s.bestRow, s.rows = f, len(s.tried), rows
	}
	if err := s.note(ctx, c, t); err != nil {
		return err
	}
	return s.run.Progress(fmt.Sprintf("The model is being trained: %d ways tried, %.1f %% right in cross-validation.", len(s.tried), 100*s.best.Right))
}

// prepare builds a candidate's network with its published weights.
func (s *search) prepare(ctx context.Context, c candidate) (*found, error) {
	card, net, err := s.Puller.BackboneAt(ctx, c.network, len(s.run.Train.Classes), c.size)
	if err != nil {
		return nil, err
	}
	spec := card.Pipeline
	if c.size > 0 {
		spec.Width, spec.Height = c.size, c.size
	}
	return &found{candidate: c, card: card, spec: spec, net: net}, nil
}

// note records what came of a candidate, keeps the search, and tells the log.
func (s *search) note(ctx context.Context, c candidate, t custom.Trial) error {
	s.tried, s.done = append(s.tried, t), append(s.done, recordOf(c))
	log := cmp.Or(s.Log, slog.Default())
	log.InfoContext(ctx, "training tried", "model", s.run.Name, "network", t.Network, "pixels", t.Size, "learned", t.Learned,
		"mirrored", t.Mirrored, "rate", t.Rate, "decay", t.Decay, "right", t.Right, "loss", t.Loss, "seconds", t.Seconds, "skipped", t.Skipped)
	return s.keep()
}

// everyLabel fails where unreadable images have emptied a label.
func everyLabel(set *dataset.Set, f *features) error {
	seen := make([]bool, len(set.Classes))
	for i, img := range set.Images {
		for _, c := range img.Classes {
			seen[c] = seen[c] || f.rows[i] != nil
		}
	}
	if c := slices.Index(seen, false); c >= 0 {
		return &trilobite.Error{Op: "learn.Train", Code: trilobite.Invalid, Msg: fmt.Sprintf("Label %q has no training image that can be read.", set.Classes[c])}
	}
	return nil
}
