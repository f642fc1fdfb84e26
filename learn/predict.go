// Package learn trains and runs custom models on this machine: custom.Trainer by packages
// of train, custom.Predictor by ONNX Runtime.
//
// Image labels are a new last layer on a network that knows ImageNet (labels.go): a search
// (search.go) tries networks, sizes, mirrored images, settings and deeper layers by
// cross-validation on features that are computed once (features.go, heads.go, deeper.go),
// whose answers also give each label the threshold of its best F1 and the confidences a
// temperature, which is written into the last layer. Boxes are a detector (boxes.go), with
// thresholds, and an input's size (boxsearch.go), by what is held out of the training images.
// Start at Engine.Train; predict.go loads and runs models.
package learn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/serving"
	"trilobite/zoo"
)

// Engine trains models, keeps them in Models and runs them. Its fields are set once.
type Engine struct {
	Runtime  *ort.Runtime
	Models   *zoo.Store        // of custom models alone
	Shelf    Shelf             // shared with other machines; nil: there are none
	Registry *serving.Registry // models in memory
	Puller   zoo.Puller        // of backbones
	Options  ort.Options       // of trainings
	Gate     *imageio.Gate     // admits images of trainings by the memory that they need
	Limits   imageio.Limits
	Budget   time.Duration // of a training; 0: none
	Search   time.Duration // of it, for trying; 0: by the time that the first try takes
	Log      *slog.Logger  // nil: slog.Default
	Epochs   int           // of a detector's training; 0: its recipe's own

	units units
	cards sync.Map // of installed models, by name: they never change
	fetch sync.Mutex
}

// Shelf keeps models, each a folder of files, where other machines find them.
type Shelf interface {
	// Put copies a folder to the shelf, under a name.
	Put(ctx context.Context, name, folder string) error
	// Get makes a folder of what the shelf has under a name. It fails with NotFound.
	Get(ctx context.Context, name, folder string) error
	// Remove takes a name off the shelf. One that is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Load brings a model into memory, beside those that are there within the registry's budget.
func (e *Engine) Load(ctx context.Context, model string, _ int) error {
	card, err := e.card(ctx, model)
	if err != nil {
		return err
	}
	_, done, err := e.Registry.Open(ctx, card)
	if err == nil {
		done()
	}
	return err
}

// card returns an installed model, fetching it from the shelf where it is not here.
func (e *Engine) card(ctx context.Context, name string) (zoo.Model, error) {
	if c, ok := e.cards.Load(name); ok {
		return c.(zoo.Model), nil //nolint:forcetypeassert // nothing else is stored
	}
	e.fetch.Lock()
	defer e.fetch.Unlock()
	card, err := e.Models.Get(name)
	if err != nil && trilobite.CodeOf(err) == trilobite.NotFound && e.Shelf != nil {
		if err = e.fetchModel(ctx, name); err == nil {
			card, err = e.Models.Get(name)
		}
	}
	if err == nil {
		e.cards.Store(name, card)
	}
	return card, err
}

// fetchModel installs a model of the shelf: whole or not at all.
func (e *Engine) fetchModel(ctx context.Context, ref string) error {
	name, version, _ := strings.Cut(ref, "@")
	to := e.Models.Dir(name, version)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(to), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := e.Shelf.Get(ctx, name+"/"+version, folder); err != nil {
		return err
	}
	return os.Rename(folder, to)
}

// Predict returns what the model sees in an image, surest first, and the image's size: every
// label with its score, or boxes. As many requests as replicas run side by side.
func (e *Engine) Predict(ctx context.Context, model string, replicas int, image []byte) (list []custom.Prediction, w, h int, err error) {
	defer serving.Caught(&err)
	card, err := e.card(ctx, model)
	if err != nil {
		return nil, 0, 0, err
	}
	given, err := e.units.take(ctx, model, max(replicas, 1), cmp.Or(e.Options.MaxQueue, ort.DefaultQueue))
	if err != nil {
		return nil, 0, 0, err
	}
	defer given()
	served, done, err := e.Registry.Open(ctx, card)
	if err != nil {
		return nil, 0, 0, err
	}
	defer done()
	turn, err := e.Registry.Turn(ctx)
	if err != nil {
		return nil, 0, 0, err
	}
	defer turn()
	m := readerOf(served)
	img, release, err := e.Registry.Decode(ctx, image, m.Loading())
	if err != nil {
		return nil, 0, 0, err
	}
	defer release()
	list, err = m.predict(ctx, img)
	return list, img.FullW, img.FullH, err
}

// Unload frees a model's memory once the requests that use it have ended.
func (e *Engine) Unload(ctx context.Context, model string) error {
	e.units.forget(model)
	card, err := e.Models.Get(model)
	if err != nil {
		return ignoreMissing(err)
	}
	return e.Registry.Drop(ctx, card)
}

// Remove takes a model away for good.
func (e *Engine) Remove(ctx context.Context, model string) error {
	if err := e.Unload(ctx, model); err != nil {
		return err
	}
	e.cards.Delete(model)
	if e.Shelf != nil {
		if err := e.Shelf.Remove(ctx, strings.ReplaceAll(model, "@", "/")); err != nil {
			return err
		}
	}
	return ignoreMissing(e.Models.Remove(model))
}

func ignoreMissing(err error) error {
	if err != nil && trilobite.CodeOf(err) == trilobite.NotFound {
		return nil
	}
	return err
}

// session loads a graph of a training as a model of its card's task.
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
	o := m.Loading()
	o.Limits = e.Limits
	img, release, err := e.Gate.Decode(ctx, data, o)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", file, err)
	}
	defer release()
	return m.predict(ctx, img)
}
