// Package learn trains and runs custom models on this machine: custom.Trainer by packages
// of train, custom.Predictor by ONNX Runtime.
//
// Image labels are a new last layer on a network that knows ImageNet (labels.go): a search
// (search.go) tries networks, sizes, mirrored images, settings and deeper layers by
// cross-validation on features that are computed once (features.go, heads.go, deeper.go),
// whose answers also give each label the threshold of its best F1 and the confidences a
// temperature, which is written into the last layer. Boxes are a detector (boxes.go), with
// thresholds by what is held out of the training images. Start at Engine.Train; predict.go loads and runs models.
package learn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/custom"
	"trilobite/dataset"
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
	Budget  time.Duration // of a training; 0: none
	Search  time.Duration // of it, for trying; 0: by the time that the first try takes
	Log     *slog.Logger  // nil: slog.Default
	Epochs  int           // of a detector's training; 0: its recipe's own

	mu     sync.Mutex
	loaded map[string]*loading
}

// loading is a model on its way into memory, or there. Its load is one for all who wait.
type loading struct {
	once    sync.Once
	err     error
	session *ort.Model
	model   model
}

// Load makes a model ready. Replicas are not counted here: one session serves requests
// side by side on all cores.
func (e *Engine) Load(ctx context.Context, model string, _ int) error {
	_, err := e.ready(ctx, model)
	return err
}

// ready returns a loaded model, loading it if need be: a server that starts finds its
// versions running.
func (e *Engine) ready(ctx context.Context, name string) (model, error) {
	e.mu.Lock()
	if e.loaded == nil {
		e.loaded = map[string]*loading{}
	}
	c := e.loaded[name]
	if c == nil {
		c = &loading{}
		e.loaded[name] = c
	}
	e.mu.Unlock()
	c.once.Do(func() { c.err = e.open(context.WithoutCancel(ctx), name, c) })
	if c.err != nil {
		e.mu.Lock()
		if e.loaded[name] == c {
			delete(e.loaded, name)
		}
		e.mu.Unlock()
	}
	return c.model, c.err
}

func (e *Engine) open(ctx context.Context, model string, c *loading) error {
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

// session loads a graph as a model of its card's task.
func (e *Engine) session(ctx context.Context, file string, card zoo.Card, names []string) (*ort.Model, model, error) {
	o := e.Options
	o.Name = card.Name
	session, err := e.Runtime.Load(ctx, file, o)
	if err != nil {
		return nil, nil, fmt.Errorf("loading model %s: %w", card.Name, err)
	}
	m, err := modelOf(session, card, names)
	if err != nil {
		return nil, nil, errors.Join(err, session.Close())
	}
	return session, m, nil
}

// Predict returns what the model sees in an image, surest first, and the image's size: every
// label with its score, or boxes.
func (e *Engine) Predict(ctx context.Context, model string, image []byte) (list []custom.Prediction, w, h int, err error) {
	m, err := e.ready(ctx, model)
	if err != nil {
		return nil, 0, 0, err
	}
	img, release, err := e.Gate.Decode(ctx, image, imageio.Options{Limits: e.Limits, MinSide: m.Spec().MinSide()})
	if err != nil {
		return nil, 0, 0, err
	}
	defer release()
	list, err = m.predict(ctx, img)
	return list, img.FullW, img.FullH, err
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

// see returns what a model sees in the files of images; nil where there is no image.
func (e *Engine) see(ctx context.Context, m model, images []dataset.Image) ([][]custom.Prediction, error) {
	out := make([][]custom.Prediction, len(images))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.Runtime.Cores())
	for i, x := range images {
		group.Go(func() (err error) {
			if out[i], err = e.seeFile(ctx, m, x.File); unreadable(err) {
				return nil
			}
			return err
		})
	}
	return out, group.Wait()
}

func (e *Engine) seeFile(ctx context.Context, m model, file string) ([]custom.Prediction, error) {
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	img, release, err := e.Gate.Decode(ctx, data, imageio.Options{Limits: e.Limits, MinSide: m.Spec().MinSide()})
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", file, err)
	}
	defer release()
	return m.predict(ctx, img)
}
