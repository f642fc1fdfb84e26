// Package classify names the whole image: image in, scores of classes out.
//
// A Classifier prepares the image (pipeline), runs the model (ort) and turns its one
// output into scores (scores.go). Start at New and Classifier.Classify.
package classify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"trilobite"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Config says how a model is fed and read; a model's card holds it.
type Config struct {
	Pipeline pipeline.Spec
	// Decoder is "softmax": logits, of which one class is true; "sigmoid": logits, each
	// class true or not on its own; "probabilities": the graph ends in either.
	Decoder string
	Labels  []string // names by class; a class with an empty name is never answered
	// Offset is the number of columns before the first label: 1 for TensorFlow's
	// ImageNet models, whose first is a background.
	Offset   int
	Recorder Recorder
}

// Recorder receives the time of the stages "preprocess" and "postprocess".
type Recorder interface {
	Observe(stage, model string, d time.Duration)
}

// Classifier is a model with its preparation, safe for concurrent use.
type Classifier struct {
	model     *ort.Model
	transform *pipeline.Transform
	c         Config
}

// New returns a Classifier, or says why the model does not fit the Config. The model
// stays the caller's to close.
func New(m *ort.Model, c Config) (*Classifier, error) {
	k, err := newClassifier(m, c)
	if err != nil {
		return nil, fmt.Errorf("classification model %s: %w", m.Name(), err)
	}
	return k, nil
}

func newClassifier(m *ort.Model, c Config) (*Classifier, error) {
	if !slices.Contains([]string{"softmax", "sigmoid", "probabilities"}, c.Decoder) {
		return nil, fmt.Errorf("decoder %q: not one of softmax, sigmoid, probabilities", c.Decoder)
	}
	if c.Offset < 0 {
		return nil, fmt.Errorf("offset %d, want 0 or more", c.Offset)
	}
	t, err := pipeline.Compile(c.Pipeline)
	if err != nil {
		return nil, err
	}
	in := m.Inputs()
	if len(in) != 1 {
		return nil, fmt.Errorf("it has %d inputs %v, want the image alone", len(in), in)
	}
	if err := t.Feeds(in[0].DType, in[0].Shape); err != nil {
		return nil, fmt.Errorf("input %s: %w", in[0], err)
	}
	if err := fits(m.Outputs(), c); err != nil {
		return nil, err
	}
	return &Classifier{model: m, transform: t, c: c}, nil
}

// fits reports whether the outputs are one row of scores: [1, C] or [1, C, 1, 1], as
// global pooling leaves it, in float32.
func fits(out []ort.ValueInfo, c Config) error {
	n := int64(len(c.Labels) + c.Offset)
	ok := len(out) == 1 && out[0].DType == tensor.Float32 && len(c.Labels) > 0
	if ok {
		s := out[0].Shape
		ok = len(s) >= 2 && s[0] <= 1 && (s[1] < 0 || s[1] == n)
		for _, d := range s[min(2, len(s)):] {
			ok = ok && (d == 1 || d < 0)
		}
	}
	if !ok {
		return fmt.Errorf("decoder %s expects one float32 output [1,%d] for %d labels and offset %d, the model has %v",
			c.Decoder, n, len(c.Labels), c.Offset, out)
	}
	return nil
}

// Spec returns the preprocessing.
func (k *Classifier) Spec() pipeline.Spec { return k.transform.Spec() }

// Loading returns how one file is best decoded for Classify.
func (k *Classifier) Loading() imageio.Options { return k.transform.Loading() }

// Labels returns the names by class.
func (k *Classifier) Labels() []string { return k.c.Labels }

// Classify returns the classes whose score is at least minScore, best first, most of
// them at most; most 0 means all.
func (k *Classifier) Classify(ctx context.Context, img *imageio.Image, minScore float32, most int) ([]trilobite.Classification, error) {
	start := time.Now()
	var sum []float32
	parts := 0
	err := k.transform.Parts(img, func(p pipeline.Part) error {
		k.observe("preprocess", start)
		out, err := k.model.Run(ctx, []*tensor.Tensor{p.X})
		k.transform.Recycle(p.X)
		if err != nil {
			return err
		}
		start = time.Now()
		defer k.model.Recycle(out)
		row, err := k.scores(out[0])
		if err != nil {
			return err
		}
		parts++
		sum = k.add(sum, row)
		k.observe("postprocess", start)
		start = time.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if parts > 1 && k.c.Decoder != "sigmoid" {
		for i := range sum {
			sum[i] /= float32(parts)
		}
	}
	return k.best(sum[k.c.Offset:], minScore, most), nil
}

// scores returns the scores of an output. They are the caller's.
func (k *Classifier) scores(out *tensor.Tensor) ([]float32, error) {
	row, _ := tensor.Data[float32](out)
	if len(row) != len(k.c.Labels)+k.c.Offset {
		return nil, fmt.Errorf("classification model %s: %d scores for %d labels and offset %d", k.model.Name(), len(row), len(k.c.Labels), k.c.Offset)
	}
	switch k.c.Decoder {
	case "softmax":
		return softmax(row), nil
	case "sigmoid":
		return sigmoid(row), nil
	}
	return slices.Clone(row), nil
}

// add takes the scores of one more part of an image to those before: what is there
// somewhere is there, so of scores that are each on their own the highest counts; of
// those of which one is true, their mean.
func (k *Classifier) add(sum, row []float32) []float32 {
	if sum == nil {
		return row
	}
	for i, s := range row {
		if k.c.Decoder == "sigmoid" {
			sum[i] = max(sum[i], s)
		} else {
			sum[i] += s
		}
	}
	return sum
}

// best picks and sorts; equal scores keep the order of classes.
func (k *Classifier) best(scores []float32, minScore float32, most int) []trilobite.Classification {
	found := []trilobite.Classification{}
	for class, s := range scores {
		if s >= minScore && k.c.Labels[class] != "" {
			found = append(found, trilobite.Classification{Class: class, Name: k.c.Labels[class], Score: s, Model: k.model.Name()})
		}
	}
	slices.SortStableFunc(found, func(a, b trilobite.Classification) int { return cmp.Compare(b.Score, a.Score) })
	if most > 0 && len(found) > most {
		found = found[:most]
	}
	return found
}

func (k *Classifier) observe(stage string, since time.Time) {
	if k.c.Recorder != nil {
		k.c.Recorder.Observe(stage, k.model.Name(), time.Since(since))
	}
}
