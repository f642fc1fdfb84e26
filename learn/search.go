package learn

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"trilobite"
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

// found is the candidate that a search holds the best, learned on all images.
type found struct {
	candidate
	measured

	card  zoo.Card
	spec  pipeline.Spec
	net   *nn.Network
	graph *onnx.Graph // with the learned weights, before its temperature

	logits [][]float64 // of each image, by a model that did not see it
}

// The automatic limit of a search: so many times the first candidate's time, between these.
const (
	searchTimes = 4
	searchLeast = 15 * time.Second
)

// search looks for the best way to learn labels, by cross-validation: the last layer on
// features of each network first, then its settings, and deeper layers while time
// remains. A costlier candidate must be better by more than the standard error.
type search struct {
	*Engine

	run     custom.TrainingRun
	reading reading
	several bool
	folds   []int
	began   time.Time
	until   time.Time // set when the first candidate is done
	tried   []custom.Trial
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
	first := candidate{network: backbone, setting: usualSetting}
	if err := s.try(ctx, first, nil); err != nil {
		return nil, err
	}
	s.until = s.limit()
	for _, c := range s.others(networks) {
		if err := s.tryInTime(ctx, c, nil); err != nil {
			return nil, err
		}
	}
	for _, o := range []setting{{3e-3, 1e-2}, {3e-2, 1e-2}, {1e-2, 1}} {
		c := s.best.candidate
		c.setting = o
		if err := s.tryInTime(ctx, c, s.rows); err != nil {
			return nil, err
		}
	}
	for _, blocks := range []int{1, 3} {
		if err := s.tryDeeper(ctx, blocks); err != nil {
			return nil, err
		}
	}
	s.tried[s.bestRow].Chosen = true
	return s.best, nil
}

// limit is when no other candidate is begun.
func (s *search) limit() time.Time {
	first := time.Since(s.began)
	long := max(searchTimes*first, searchLeast)
	if s.Search > 0 {
		long = s.Search
	}
	if s.Budget > 0 {
		long = min(long, s.Budget/2)
	}
	return s.began.Add(max(long, first))
}

// left is what remains of the budget; 0: there is none.
func (s *search) left() time.Duration {
	if s.Budget <= 0 {
		return 0
	}
	return max(s.Budget-time.Since(s.began), time.Second)
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

// tryInTime is try, if the time is likely to last; else it notes that it did not.
func (s *search) tryInTime(ctx context.Context, c candidate, rows *features) error {
	if need := s.estimate(c, rows != nil); time.Now().Add(need).After(s.until) {
		s.skip(ctx, c, need)
		return nil
	}
	return s.try(ctx, c, rows)
}

// skip notes a candidate that was not tried.
func (s *search) skip(ctx context.Context, c candidate, need time.Duration) {
	t := s.trial(c)
	t.Skipped = fmt.Sprintf("it would take about %s, and %s were left", need.Round(time.Second), max(time.Until(s.until), 0).Round(time.Second))
	s.note(ctx, t)
}

// estimate is about how long a candidate takes, by the time that the first one took: the
// pixels that are read say how much more it is.
func (s *search) estimate(c candidate, cached bool) time.Duration {
	first := time.Duration(s.tried[0].Seconds * float64(time.Second))
	if cached {
		return first / 4
	}
	size := cmp.Or(c.size, s.tried[0].Size)
	factor := float64(size*size) / float64(s.tried[0].Size*s.tried[0].Size)
	if c.mirrored {
		factor *= 2
	}
	if c.network != backbone {
		factor *= 2
	}
	return time.Duration(factor * float64(first))
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
		what := fmt.Sprintf("%s at %d pixels", c.network, f.spec.Width)
		if rows, err = s.extract(ctx, f.net, f.spec, s.run.Train.Images, c.mirrored, func(done int) error {
			if done%16 != 0 {
				return nil
			}
			return s.run.Progress(fmt.Sprintf("The model is being trained: %d of %d images are read by %s.", done, len(s.run.Train.Images), what))
		}); err != nil {
			return err
		}
		if err := everyLabel(s.run.Train, rows); err != nil {
			return err
		}
	}
	h, err := learnHeads(ctx, s.Runtime, rows, s.run.Train.Images, len(s.run.Train.Classes), s.several, s.folds, c.setting, s.left())
	if err != nil {
		return err
	}
	f.measured, f.logits = measure(s.reading, h.logits, s.run.Train.Images), h.logits
	if f.graph, err = withLast(f.net, h.weight, h.bias); err != nil {
		return err
	}
	t := s.trial(c)
	t.Size, t.Steps, t.Right, t.Loss, t.Seconds = f.spec.Width, h.steps, f.Right, f.Loss, time.Since(begun).Seconds()
	s.note(ctx, t)
	if s.best == nil || same && f.Loss < s.best.Loss || !same && surelyBetter(f.measured, s.best.measured) {
		s.best, s.bestRow, s.rows = f, len(s.tried)-1, rows
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

// note records a trial, and tells the log.
func (s *search) note(ctx context.Context, t custom.Trial) {
	s.tried = append(s.tried, t)
	log := cmp.Or(s.Log, slog.Default())
	log.InfoContext(ctx, "training tried", "model", s.run.Name, "network", t.Network, "pixels", t.Size, "learned", t.Learned,
		"mirrored", t.Mirrored, "rate", t.Rate, "decay", t.Decay, "right", t.Right, "loss", t.Loss, "seconds", t.Seconds, "skipped", t.Skipped)
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
