// Package learn trains and runs custom models on this machine: custom.Trainer by package
// train, custom.Predictor by ONNX Runtime.
//
// A training of one label an image learns a new last layer on a network that knows
// ImageNet, from features that are computed once. What it holds out then calibrates it:
// a temperature for its confidences, written into the last layer, and for each label the
// threshold of the best F1. Start at Engine.Train; predict.go loads and runs models.
package learn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"trilobite"
	"trilobite/classify"
	"trilobite/custom"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/zoo"
)

// Engine trains models, keeps them in Models and runs them. Its fields are set once.
type Engine struct {
	Runtime *ort.Runtime
	Models  *zoo.Store // of custom models alone
	Puller  zoo.Puller // of backbones
	Options ort.Options
	Gate    *imageio.Gate // admits images by the memory that they need
	Limits  imageio.Limits

	mu     sync.Mutex
	loaded map[string]*classifier
}

// classifier is a loaded model. Its load is one for all who wait.
type classifier struct {
	once    sync.Once
	err     error
	session *ort.Model
	model   *classify.Classifier
}

// Load makes a model ready. Replicas are not counted here: one session serves requests
// side by side on all cores.
func (e *Engine) Load(ctx context.Context, model string, _ int) error {
	_, err := e.classifier(ctx, model)
	return err
}

// classifier returns a loaded model, loading it if need be: a server that starts finds
// its versions running.
func (e *Engine) classifier(ctx context.Context, model string) (*classify.Classifier, error) {
	e.mu.Lock()
	if e.loaded == nil {
		e.loaded = map[string]*classifier{}
	}
	c := e.loaded[model]
	if c == nil {
		c = &classifier{}
		e.loaded[model] = c
	}
	e.mu.Unlock()
	c.once.Do(func() { c.err = e.open(context.WithoutCancel(ctx), model, c) })
	if c.err != nil {
		e.mu.Lock()
		if e.loaded[model] == c {
			delete(e.loaded, model)
		}
		e.mu.Unlock()
	}
	return c.model, c.err
}

func (e *Engine) open(ctx context.Context, model string, c *classifier) error {
	card, err := e.Models.Get(model)
	if err != nil {
		return err
	}
	labels, err := card.ReadLabels()
	if err != nil {
		return err
	}
	c.session, c.model, err = e.session(ctx, card.GraphFile(), card.Card, labels.Names())
	return err
}

// session loads a graph as a classifier.
func (e *Engine) session(ctx context.Context, file string, card zoo.Card, names []string) (*ort.Model, *classify.Classifier, error) {
	o := e.Options
	o.Name = card.Name
	session, err := e.Runtime.Load(ctx, file, o)
	if err != nil {
		return nil, nil, fmt.Errorf("loading model %s: %w", card.Name, err)
	}
	k, err := classify.New(session, classify.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: names})
	if err != nil {
		return nil, nil, errors.Join(err, session.Close())
	}
	return session, k, nil
}

// Predict returns every label with its score, surest first, and the image's size.
func (e *Engine) Predict(ctx context.Context, model string, image []byte) (list []custom.Prediction, w, h int, err error) {
	k, err := e.classifier(ctx, model)
	if err != nil {
		return nil, 0, 0, err
	}
	img, release, err := e.Gate.Decode(ctx, image, imageio.Options{Limits: e.Limits, MinSide: k.Spec().MinSide()})
	if err != nil {
		return nil, 0, 0, err
	}
	defer release()
	seen, err := k.Classify(ctx, img, 0, 0)
	for _, s := range seen {
		list = append(list, custom.Prediction{Class: s.Class, Score: float64(s.Score)})
	}
	return list, img.W, img.H, err
}

// Unload frees a model's memory once the requests that use it have ended.
func (e *Engine) Unload(model string) error {
	e.mu.Lock()
	c := e.loaded[model]
	delete(e.loaded, model)
	e.mu.Unlock()
	if c == nil {
		return nil
	}
	c.once.Do(func() { c.err = errors.New("it was unloaded before it was loaded") })
	if c.session == nil {
		return nil
	}
	return c.session.Close()
}

// Remove takes a model away for good.
func (e *Engine) Remove(_ context.Context, model string) error {
	if err := e.Unload(model); err != nil {
		return err
	}
	err := e.Models.Remove(model)
	if err != nil && trilobite.CodeOf(err) == trilobite.NotFound {
		return nil
	}
	return err
}

// Close frees every model.
func (e *Engine) Close() error {
	e.mu.Lock()
	names := make([]string, 0, len(e.loaded))
	for name := range e.loaded {
		names = append(names, name)
	}
	e.mu.Unlock()
	var errs []error
	for _, name := range names {
		errs = append(errs, e.Unload(name))
	}
	return errors.Join(errs...)
}

// read decodes a file for a model.
func (e *Engine) read(ctx context.Context, k *classify.Classifier, file string) (*imageio.Image, func(), error) {
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, nil, err
	}
	return e.Gate.Decode(ctx, data, imageio.Options{Limits: e.Limits, MinSide: k.Spec().MinSide()})
}
