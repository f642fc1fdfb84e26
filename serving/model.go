package serving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trilobite/classify"
	"trilobite/detect"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/segment"
	"trilobite/zoo"
)

// Model is a model in memory, safe for concurrent use while whoever asked for it has not
// called done. Of Detector, Classifier and Segmenter it has the one of its task.
type Model struct {
	zoo.Model

	Words      zoo.Labels
	Detector   *detect.Detector
	Classifier *classify.Classifier
	Segmenter  *segment.Segmenter

	session   *ort.Model
	out       []ort.ValueInfo     // of the whole graph
	transform *pipeline.Transform // for images as tensors of Infer
}

// open loads a model, as its file has it or its light graph, which may be made already, and
// reads it as its card says.
func open(ctx context.Context, c Config, card zoo.Model, lighter bool, g *light) (m *Model, err error) {
	defer Caught(&err)
	if lighter && g == nil {
		if g, err = lightOf(card); err != nil {
			return nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
		}
	}
	labels, err := card.ReadLabels()
	if err != nil {
		return nil, err
	}
	m = &Model{Model: card, Words: labels}
	if m.transform, err = pipeline.Compile(card.Pipeline); err != nil {
		return nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	if m.session, m.out, err = load(ctx, c, card, g); err != nil {
		return nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	if err := m.read(c.Recorder); err != nil {
		return nil, errors.Join(fmt.Errorf("loading model %s: %w", card.Ref(), err), m.session.Close())
	}
	return m, nil
}

// read makes what turns the model's outputs into answers.
func (m *Model) read(rec ort.Recorder) (err error) {
	names, d := m.Words.Names(), m.Decoder
	switch m.Task {
	case zoo.Detect:
		how := detection(m.Model, names)
		how.Recorder = rec
		m.Detector, err = detect.New(m.session, how)
	case zoo.Classify:
		m.Classifier, err = classify.New(m.session, classify.Config{Pipeline: m.Pipeline, Decoder: d.Name, Labels: names, Recorder: rec})
	case zoo.Segment:
		m.Segmenter, err = segment.New(m.session, segment.Config{Pipeline: m.Pipeline, Decoder: d.Name, Labels: names, Recorder: rec})
	default:
		err = fmt.Errorf("its task %q is none of detect, classify, segment", m.Task)
	}
	return err
}

// Loading returns how one file is best decoded for the model's Detector, Classifier or
// Segmenter.
func (m *Model) Loading() imageio.Options {
	switch {
	case m.Detector != nil:
		return m.Detector.Loading()
	case m.Classifier != nil:
		return m.Classifier.Loading()
	default:
		return m.Segmenter.Loading()
	}
}

func (m *Model) close() { _ = m.session.Close() }

// silent is the ort.Recorder that records nothing.
type silent struct{}

func (silent) Observe(string, string, time.Duration) {}
func (silent) Batch(string, int)                     {}
func (silent) Queue(string, int)                     {}
