package label

import (
	"context"
	"fmt"

	"trilobite"
	"trilobite/classify"
	"trilobite/detect"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/zoo"
)

// model is a loaded model: a detector or a classifier with its labels.
type model struct {
	card       zoo.Model
	words      *vocabulary
	session    *ort.Model
	detector   *detect.Detector
	classifier *classify.Classifier
}

func loadModel(ctx context.Context, rt *ort.Runtime, store *zoo.Store, ref string, o Options) (*model, error) {
	card, err := store.Get(ref)
	if err != nil {
		return nil, err
	}
	labels, err := card.ReadLabels()
	if err != nil {
		return nil, err
	}
	m := &model{card: card, words: newVocabulary(labels)}
	options := o.Runtime
	options.Name, options.Recorder = card.Name, o.Recorder
	if m.session, err = rt.Load(ctx, card.GraphFile(), options); err != nil {
		return nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	if err := m.decode(labels.Names(), o.Recorder); err != nil {
		m.close()
		return nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	return m, nil
}

// decode makes the model's detector or classifier.
func (m *model) decode(names []string, rec ort.Recorder) (err error) {
	switch d := m.card.Decoder; m.card.Task {
	case zoo.Detect:
		m.detector, err = detect.New(m.session, detect.Config{
			Pipeline: m.card.Pipeline, Decoder: d.Name, Labels: names, IoU: d.IoU, Background: d.Background, Recorder: rec,
		})
	case zoo.Classify:
		m.classifier, err = classify.New(m.session, classify.Config{
			Pipeline: m.card.Pipeline, Decoder: d.Name, Labels: names, Recorder: rec,
		})
	default:
		err = &trilobite.Error{Op: "label.Open", Code: trilobite.Unsupported, Msg: fmt.Sprintf("Model %s has task %s; labels come from models that detect or classify.", m.card.Ref(), m.card.Task)}
	}
	return err
}

// look asks the model about an image. A detector answers what scores at least
// minScore; a classifier answers every class, for merge to add up.
func (m *model) look(ctx context.Context, img *imageio.Image, minScore float32) (answer, error) {
	a := answer{words: m.words}
	var err error
	if m.detector != nil {
		a.detections, err = m.detector.Detect(ctx, img, max(minScore, m.card.Decoder.MinScore))
	} else {
		a.classes, err = m.classifier.Classify(ctx, img, 0, 0)
	}
	if err != nil {
		return answer{}, fmt.Errorf("model %s: %w", m.card.Ref(), err)
	}
	for i := range a.detections {
		d := &a.detections[i]
		d.Name, d.Model = m.words.name(d.Class), m.card.Name
	}
	for i := range a.classes {
		c := &a.classes[i]
		c.Name, c.Model = m.words.name(c.Class), m.card.Name
	}
	return a, nil
}

func (m *model) close() {
	if m.session != nil {
		_ = m.session.Close()
	}
}
