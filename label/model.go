package label

import (
	"context"
	"fmt"

	"trilobite"
	"trilobite/imageio"
	"trilobite/serving"
)

// model is a model that detects or classifies, with its labels, kept in memory until
// done is called.
type model struct {
	*serving.Model

	words *vocabulary
	done  func()
}

func pinModel(ctx context.Context, models *serving.Registry, ref string) (*model, error) {
	m, done, err := models.Pin(ctx, ref)
	if err != nil {
		return nil, err
	}
	if m.Detector == nil && m.Classifier == nil {
		done()
		return nil, &trilobite.Error{Op: "label.Open", Code: trilobite.Unsupported, Msg: fmt.Sprintf("Model %s has task %s; labels come from models that detect or classify.", m.Ref(), m.Task)}
	}
	return &model{m, newVocabulary(m.Words), done}, nil
}

// look asks the model about an image. A detector answers what scores at least
// minScore; a classifier answers every class, for merge to add up.
func (m *model) look(ctx context.Context, img *imageio.Image, minScore float32) (answer, error) {
	a := answer{words: m.words}
	var err error
	if m.Detector != nil {
		a.detections, err = m.Detector.Detect(ctx, img, max(minScore, m.Decoder.MinScore))
	} else {
		a.classes, err = m.Classifier.Classify(ctx, img, 0, 0)
	}
	if err != nil {
		return answer{}, fmt.Errorf("model %s: %w", m.Ref(), err)
	}
	for i := range a.detections {
		d := &a.detections[i]
		d.Name, d.Model = m.words.name(d.Class), m.Name
	}
	for i := range a.classes {
		c := &a.classes[i]
		c.Name, c.Model = m.words.name(c.Class), m.Name
	}
	return a, nil
}
