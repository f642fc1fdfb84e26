package learn

import (
	"context"

	"trilobite/classify"
	"trilobite/custom"
	"trilobite/detect"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/serving"
	"trilobite/zoo"
)

// model is what runs, of either task.
type model interface {
	Loading() imageio.Options
	// predict returns what is seen in an image, surest first.
	predict(ctx context.Context, img *imageio.Image) ([]custom.Prediction, error)
}

// modelOf reads a session as its card says.
func modelOf(session *ort.Model, card zoo.Card, names []string) (model, error) {
	if card.Task == zoo.Detect {
		d, err := detect.New(session, detect.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: names, IoU: card.Decoder.IoU})
		return detector{d, card.Decoder.Calibration}, err
	}
	k, err := classify.New(session, classify.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: names})
	return classifier{k}, err
}

// readerOf reads a model in memory.
func readerOf(m *serving.Model) model {
	if m.Detector != nil {
		return detector{m.Detector, m.Decoder.Calibration}
	}
	return classifier{m.Classifier}
}

// classifier answers every label.
type classifier struct{ *classify.Classifier }

func (k classifier) predict(ctx context.Context, img *imageio.Image) ([]custom.Prediction, error) {
	seen, err := k.Classify(ctx, img, 0, 0)
	list := make([]custom.Prediction, len(seen))
	for i, s := range seen {
		list[i] = custom.Prediction{Class: s.Class, Score: float64(s.Score)}
	}
	return list, err
}

// detector answers boxes, detect.DefaultMax at most, with calibrated scores.
type detector struct {
	*detect.Detector

	calibration *zoo.Calibration // nil: none
}

func (d detector) predict(ctx context.Context, img *imageio.Image) ([]custom.Prediction, error) {
	seen, err := d.Detect(ctx, img, 0)
	list := make([]custom.Prediction, len(seen))
	for i, s := range seen {
		x, y, w, h := s.Box.XYWH()
		list[i] = custom.Prediction{
			Class: s.Class, Score: float64(s.Score),
			Box: &geom.Rect{X: float64(x), Y: float64(y), W: float64(w), H: float64(h)},
		}
	}
	calibrate(d.calibration, list)
	return list, err
}
