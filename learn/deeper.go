package learn

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/classification"
)

// deepEpochs are classification's passes when more than the last layer is learned, each of
// which costs about as much as deepCost readings of the features.
const (
	deepEpochs = 10
	deepCost   = 2
)

// tryDeeper learns the last blocks of the best network too, on augmented images: once for
// each fold, and once on all if that was better.
func (s *search) tryDeeper(ctx context.Context, blocks int) error {
	c := candidate{network: s.best.network, size: s.best.size, blocks: blocks, setting: setting{3e-4, 1e-2}}
	n := slices.Max(s.folds) + 1
	one := deepEpochs * deepCost * s.estimate(candidate{network: c.network, size: c.size}, false)
	if need := time.Duration(n+1) * one; time.Now().Add(need).After(s.until) {
		s.skip(ctx, c, need)
		return nil
	}
	if s.lonely() {
		t := s.trial(c)
		t.Skipped = "a label has one image only"
		s.note(ctx, t)
		return nil
	}
	begun := time.Now()
	f, err := s.prepare(ctx, c)
	if err != nil {
		return err
	}
	f.logits = make([][]float64, len(s.run.Train.Images))
	for k := range n {
		if err := s.deepFold(ctx, f, k); err != nil {
			return err
		}
		if spent := time.Since(begun); k == 0 && time.Now().Add(spent*time.Duration(n)).After(s.until) {
			s.skip(ctx, c, spent*time.Duration(n))
			return nil
		}
	}
	f.measured = measure(s.reading, f.logits, s.run.Train.Images)
	t := s.trial(c)
	t.Size, t.Right, t.Loss, t.Seconds = f.spec.Width, f.Right, f.Loss, time.Since(begun).Seconds()
	s.note(ctx, t)
	if !surelyBetter(f.measured, s.best.measured) {
		return nil
	}
	s.best, s.bestRow = f, len(s.tried)-1
	m, err := s.deep(ctx, f, s.run.Train, filepath.Join(s.run.Dir, "deep-"+strconv.Itoa(blocks)))
	if err != nil {
		return err
	}
	f.graph, err = served(f, m.Weights)
	return err
}

// lonely reports whether a label has one image only, which a fold would leave without any.
func (s *search) lonely() bool {
	count := make([]int, len(s.run.Train.Classes))
	for _, img := range s.run.Train.Images {
		for _, c := range img.Classes {
			count[c]++
		}
	}
	return slices.Min(count) < 2
}

// deepFold learns without the images of fold k and sees them.
func (s *search) deepFold(ctx context.Context, f *found, k int) error {
	some := *s.run.Train
	some.Images = nil
	var out []int
	for i, img := range s.run.Train.Images {
		if s.folds[i] == k {
			out = append(out, i)
		} else {
			some.Images = append(some.Images, img)
		}
	}
	m, err := s.deep(ctx, f, &some, "")
	if err != nil {
		return err
	}
	g, err := served(f, m.Weights)
	if err != nil {
		return err
	}
	images := make([]dataset.Image, len(out))
	for n, i := range out {
		images[n] = s.run.Train.Images[i]
	}
	seen, err := s.answers(ctx, s.run, s.cardOf(s.run, f, s.reading), g, images)
	if err != nil {
		return err
	}
	rows := s.reading.logits(seen, len(s.run.Train.Classes))
	for n, i := range out {
		f.logits[i] = rows[n]
	}
	return nil
}

// deep learns f's last layer and blocks on a set; dir is for checkpoints, if any.
func (s *search) deep(ctx context.Context, f *found, set *dataset.Set, dir string) (m *classification.Model, err error) {
	p := classification.Params{Backbone: f.network, Seed: seed, Unfreeze: strconv.Itoa(f.blocks), Epochs: deepEpochs, Budget: s.left(), Several: s.several}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	what := fmt.Sprintf("%s, %d blocks", f.network, f.blocks)
	err = s.heard(ctx, s.run, set, dir, what, func(ctx context.Context, o train.Options) (err error) {
		m, err = classification.Train(ctx, s.Runtime, classification.Data{Set: set, Network: f.net, Spec: f.spec}, p, o)
		return err
	})
	return m, err
}

// served is f's network with weights.
func served(f *found, weights map[string]*tensor.Tensor) (*onnx.Graph, error) {
	g := onnx.Clone(f.net.Graph)
	return g, train.Assign(g, weights)
}
