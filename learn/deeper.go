package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"trilobite/augment"
	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
)

// How the last blocks are learned: from what is before them of each image and of
// deepVersions changed ones, which are computed once, with the last layer that was found,
// by AdamW along half a cosine.
const (
	deepVersions = 4
	deepEpochs   = 10
	deepBatch    = 16
	deepDecay    = 1e-2 // of weights
)

var (
	deepRates = []float64{3e-4, 1e-3, 1e-4} // highest learning rates, the usual one first
	// augmented is torchvision's RandomResizedCrop(scale=(0.5, 1)) and RandomHorizontalFlip.
	augmented = augment.Plan{Area: []float64{0.5, 1}, HorizontalFlip: 0.5}
	depths    = []int{1, 3} // blocks
)

// deeper learns the last blocks of the best candidate's network too, at several rates on the
// same features.
func (s *search) deeper(ctx context.Context) error {
	from := s.best
	for _, blocks := range depths {
		var rows *features // before the blocks
		for i, rate := range deepRates {
			c := candidate{network: from.network, size: from.size, blocks: blocks, setting: setting{rate, deepDecay}}
			if s.knows(c) {
				continue
			}
			var err error
			if rows == nil {
				err = s.lasts(s.reading(c))
			}
			if err == nil {
				rows, err = s.tryDeeper(ctx, c, from.heads, rows)
			}
			_, isLate := errors.AsType[late](err)
			if isLate { // as the others would be, of which nothing need be said
				for _, rate := range deepRates[i+1:] {
					o := c
					o.Rate = rate
					s.done = append(s.done, recordOf(o))
				}
			}
			if err := s.skip(ctx, c, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// tryDeeper learns a candidate's blocks for each fold, and on all images if that was
// better. It ends with the fold in which it sees that it is not, or would be late. It returns
// the features before the blocks, which it reads unless rows are them. As with last layers, a
// candidate of the best one's blocks needs to be better, no matter how much.
func (s *search) tryDeeper(ctx context.Context, c candidate, heads *heads, rows *features) (*features, error) {
	begun := time.Now()
	f, err := s.prepare(ctx, c)
	if err != nil {
		return rows, err
	}
	before, after, err := cut(f.net, c.blocks)
	if err != nil {
		return rows, err
	}
	if rows == nil {
		if rows, err = s.read(ctx, f, before, 0); err != nil {
			return nil, err
		}
	}
	d := &deep{search: s, rows: rows, after: after, net: f.net, c: c, logits: make([][]float64, len(s.folds))}
	n := slices.Max(s.folds) + 1
	t, better := s.trial(c), true
	for k := 0; k < n && better; k++ {
		if _, err := d.learn(ctx, heads.layers[k], k, n+1-k); err != nil {
			return rows, err
		}
		f.measured = measure(s.reads, d.logits, s.run.Train.Images)
		better = f.Loss < measure(s.reads, s.only(k+1), s.run.Train.Images).Loss
		t.Folds = k + 1
	}
	better = better && (c.blocks == s.best.blocks || surelyBetter(f.measured, s.best.measured))
	if better {
		weights, err := d.learn(ctx, heads.layers[n], n, 1)
		if err != nil {
			return rows, err
		}
		f.graph, f.logits, f.heads = onnx.Clone(f.net.Graph), d.logits, heads
		if err := train.Assign(f.graph, weights); err != nil {
			return rows, err
		}
	}
	t.Size, t.Right, t.Loss, t.Seconds = f.spec.Width, f.Right, f.Loss, time.Since(begun).Seconds()
	if better {
		s.best, s.bestRow = f, len(s.tried)
	}
	return rows, s.note(ctx, c, t)
}

// only are the best candidate's logits of the images of the first folds.
func (s *search) only(folds int) [][]float64 {
	out := slices.Clone(s.best.logits)
	for i, k := range s.folds {
		if k >= folds {
			out[i] = nil
		}
	}
	return out
}

// deep learns the last blocks of a network.
type deep struct {
	*search

	rows   *features // before them
	after  *onnx.Graph
	net    *nn.Network
	c      candidate
	logits [][]float64 // by image, of folds that were left out
}

// learn learns from a last layer on without the images of fold k, whose logits it keeps.
// times is how often it is to be done, this one included: after an epoch it fails with
// late if there is no time for that.
func (d *deep) learn(ctx context.Context, from layer, k, times int) (map[string]*tensor.Tensor, error) {
	g := onnx.Clone(d.after)
	if err := train.Assign(g, from.named(d.net)); err != nil {
		return nil, err
	}
	in := &rows{features: d.rows, images: d.run.Train.Images, classes: len(d.run.Train.Classes), several: d.several}
	out := *in
	for i, r := range d.rows.rows {
		switch {
		case r == nil:
		case d.folds[i] == k:
			out.use = append(out.use, i)
		default:
			in.use = append(in.use, i)
		}
	}
	task := train.Task{Graph: g, Params: names(d.net), Train: in, Loss: d.loss}
	if len(out.use) > 0 {
		task.Validation, task.Metric = plain{&out}, "score"
		task.Judge = func() train.Judge { return &foldJudge{rows: &out, logits: d.logits} }
	}
	var res *train.Result
	err := d.heard(ctx, d.run.Train, "", d.listener(times), func(ctx context.Context, o train.Options) (err error) {
		res, err = train.Run(ctx, d.Runtime, task, d.recipe(), o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res.Weights, nil
}

// loss is that of the last layer.
func (d *deep) loss(b *onnx.Builder, out []*onnx.Value) *onnx.Value {
	if d.several {
		return loss.BCEWithLogits(b, out[0], b.Input("target", tensor.Float32, out[0].Shape))
	}
	return loss.CrossEntropy(b, out[0], b.Input("target", tensor.Int64, onnx.Shape{out[0].Shape[0]}), loss.CrossEntropyAttrs{})
}

// recipe keeps the BatchNorms' statistics as they are: few images measure none.
func (d *deep) recipe() train.Recipe {
	rule := optim.NewAdamW()
	rule.WeightDecay = d.c.Decay
	vectors := map[string]bool{}
	for _, p := range d.net.Params {
		vectors[p.Name] = len(p.Shape) < 2
	}
	return train.Recipe{
		Seed: seed, Batch: deepBatch, Whole: true, BatchNorm: step.Frozen, Budget: d.left(),
		NoDecay: func(name string) bool { return vectors[name] },
		Every:   math.MaxInt64, // the end is what counts: a fold must not choose its own best
		Stages: []train.Stage{{
			Name: "deeper layers", Epochs: deepEpochs, Rule: rule,
			Schedule: func(n int64) optim.Schedule {
				return optim.WarmUp{Then: optim.Cosine{Rate: d.c.Rate, Steps: n - n/10}, Steps: n / 10, From: 0.01}
			},
		}},
	}
}

// listener tells how one of times trainings goes, and after the first epoch of the first
// whether there is time for all of them.
func (d *deep) listener(times int) func(train.Event) error {
	var begun time.Time
	return func(v train.Event) error {
		switch {
		case v.Kind != "step":
			return nil
		case begun.IsZero():
			begun = v.Time
		case v.Step == v.Steps/deepEpochs:
			epoch := v.Time.Sub(begun)
			if err := d.lasts(epoch * time.Duration(deepEpochs*times-1)); err != nil {
				return err
			}
		}
		if v.Step%25 != 0 {
			return nil
		}
		return d.run.Progress(fmt.Sprintf("The model is being trained: %s, %d blocks, step %d of %d.", d.c.network, d.c.blocks, v.Step, v.Steps))
	}
}
