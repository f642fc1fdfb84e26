package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"trilobite/dataset"
)

// trained is what routes/NAME/trained.json says.
type trained struct {
	Digest  string  `json:"digest"` // of the images learned from
	Images  int     `json:"images"`
	Seconds float64 `json:"seconds"`
}

// learn trains a route unless it has been, on the same images.
func (w work) learn(ctx context.Context, r *Route, train *dataset.Set, dir string) (trained, error) {
	if len(train.Images) == 0 {
		return trained{}, &MissingError{"There are no images to train on: the data set has no training part."}
	}
	path := filepath.Join(dir, "trained.json")
	sum, err := train.Digest()
	if err != nil {
		return trained{}, err
	}
	var t trained
	if there, err := readJSON(path, &t); err != nil {
		return t, err
	} else if there && t.Digest == sum {
		return t, nil
	}
	w.c.show(Progress{Route: r.Name, What: fmt.Sprintf("trained on %d images", len(train.Images))})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return t, err
	}
	start := time.Now()
	if err := r.Train(ctx, train, dir); err != nil {
		return t, fmt.Errorf("training route %s: %w", r.Name, err)
	}
	t = trained{sum, len(train.Images), time.Since(start).Seconds()}
	return t, writeJSON(path, t)
}

// curve trains the route on parts of the training images.
func (w work) curve(ctx context.Context, train *dataset.Set) ([]Point, error) {
	var out []Point
	for _, part := range w.c.Curve {
		if part >= 1 {
			continue
		}
		some := Subset(train, part, w.c.Seed)
		r := *w.r
		r.Name = fmt.Sprintf("%s-%g", w.r.Name, 100*part)
		v := work{w.c, &r, w.test, true}
		m, records, ask, err := v.answers(ctx, &r, some)
		if err != nil {
			return nil, err
		}
		_, err = v.judge(&m, records, ask.Vocabulary())
		if err := errors.Join(err, ask.Close()); err != nil {
			return nil, err
		}
		out = append(out, Point{part, m.TrainImages, m.Training, m.Main()})
	}
	return out, nil
}
