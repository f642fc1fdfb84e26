package learn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/taxonomy"
	"trilobite/train"
	"trilobite/zoo"
)

// backbone is what custom models start from.
const backbone = "efficientnet-lite0"

// heldOut is the share of the images that choose the checkpoint and the thresholds.
const heldOut = 0.2

const seed = 1

// Train learns a model of what the labels ask for.
func (e *Engine) Train(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	if r.Learning == custom.Boxes {
		return e.boxes(ctx, r)
	}
	return e.labels(ctx, r)
}

// heard runs a training of set with options: hear hears how it goes, and its error stops
// it; it is taken up where dir has it.
func (e *Engine) heard(ctx context.Context, set *dataset.Set, dir string, hear func(train.Event) error, training func(context.Context, train.Options) error) error {
	digest, err := set.Digest()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	events := make(chan train.Event, 64)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for v := range events {
			if err := hear(v); err != nil {
				stop(err)
			}
		}
	}()
	_, err = os.Stat(filepath.Join(dir, "last.safetensors"))
	err = training(ctx, train.Options{Dir: dir, Resume: dir != "" && err == nil, Fingerprint: digest, Events: events, Runtime: e.Options})
	close(events)
	<-told
	if cause := context.Cause(ctx); cause != nil {
		err = errors.Join(cause, err)
	}
	return err
}

// progress is an event of a detector's training in words, after what is done; "" says nothing new.
func progress(v train.Event, what string) string {
	switch v.Kind {
	case "features":
		if v.Step%16 == 0 && v.Steps > 0 {
			return fmt.Sprintf("%s: %d of %d images are read.", what, v.Step, v.Steps)
		}
	case "step":
		if v.Step%25 == 0 && v.ETA > 0 {
			return fmt.Sprintf("%s: step %d of %d.", what, v.Step, v.Steps)
		}
	case "evaluation":
		return fmt.Sprintf("%s: step %d of %d, AP50 %.3f.", what, v.Step, v.Steps, v.Metrics["AP50"])
	}
	return ""
}

// answers loads a graph for the time of a judgement, and returns what it sees in images.
func (e *Engine) answers(ctx context.Context, r custom.TrainingRun, card zoo.Card, g *onnx.Graph, images []dataset.Image) (seen [][]custom.Prediction, err error) {
	file := filepath.Join(r.Dir, "model.onnx")
	if err := onnx.Save(file, g); err != nil {
		return nil, err
	}
	session, m, err := e.session(ctx, file, card, r.Train.Classes)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	return e.see(ctx, m, images)
}

// held are the images of a set that were held out.
func held(set *dataset.Set) []dataset.Image {
	var out []dataset.Image
	for _, i := range set.Part(dataset.Val) {
		out = append(out, set.Images[i])
	}
	return out
}

// install keeps the model. One of the name is left from a training that was interrupted
// right after it was kept.
func (e *Engine) install(ctx context.Context, card zoo.Card, g *onnx.Graph, names []string) (zoo.Model, error) {
	if old, err := e.Models.Get(card.Name); err == nil {
		if err := e.Models.Remove(old.Ref()); err != nil {
			return zoo.Model{}, err
		}
	}
	labels := zoo.Labels{}
	for _, n := range names {
		labels.Classes = append(labels.Classes, zoo.Class{Name: n, Label: taxonomy.Entry{Name: n}})
	}
	m, err := e.Models.Put(card, g, labels)
	if err == nil && e.Shelf != nil {
		err = e.Shelf.Put(ctx, strings.ReplaceAll(m.Ref(), "@", "/"), m.Dir)
	}
	return m, err
}
