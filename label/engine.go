// Package label looks at one image with every configured model and merges what they
// see under the taxonomy's names: the answer behind every API and the command line.
//
// Start at Engine.Analyze: admit and decode the image once, run the models side by
// side, merge (merge.go), filter (filter.go), measure the pixels (package properties).
// Which models there are is zoo's business, keeping them in memory is serving's, how
// each is run is detect's and classify's.
package label

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/imageio"
	"trilobite/properties"
	"trilobite/serving"
	"trilobite/zoo"
)

// Engine is a set of models that stay in memory. It is safe for concurrent use.
type Engine struct {
	registry *serving.Registry
	alone    bool // the registry is the engine's own
	version  string

	mu     sync.Mutex
	models []*model // each is replaced where its pipeline has been changed
}

// Open loads the models of the references, name or name@version.
func Open(ctx context.Context, registry *serving.Registry, refs []string) (*Engine, error) {
	e := &Engine{registry: registry}
	loaded := make([]*model, len(refs))
	var g errgroup.Group
	for i, ref := range refs {
		g.Go(func() (err error) {
			defer serving.Caught(&err)
			loaded[i], err = pinModel(ctx, registry, ref)
			return err
		})
	}
	err := g.Wait()
	for _, m := range loaded {
		if m != nil {
			e.models = append(e.models, m)
		}
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	full := make([]string, len(e.models))
	for i, m := range e.models {
		full[i] = m.Ref()
	}
	e.version = strings.Join(full, "+")
	return e, nil
}

// fresh returns the models with the pipelines that are in use now.
func (e *Engine) fresh() ([]*model, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, m := range e.models {
		now, err := e.registry.Fresh(m.Model)
		if err != nil {
			return nil, err
		}
		if now != m.Model { // others may be using the old slice
			e.models = slices.Clone(e.models)
			e.models[i] = &model{now, m.words, m.done}
		}
	}
	return e.models, nil
}

// loading says how an image is decoded for all models: not shrunk at all where one of them
// asks for that, as pipelines with steps do.
func loading(models []*model) imageio.Options {
	var o imageio.Options
	whole := false
	for _, m := range models {
		one := m.Pipeline.Loading()
		whole = whole || one.MinSide == 0
		o.MinSide, o.Copies, o.More = max(o.MinSide, one.MinSide), o.Copies+one.Copies, o.More+one.More
	}
	if whole {
		o.MinSide = 0
	}
	return o
}

// OpenAlone is Open for a program that asks no other models: the registry is the engine's
// own, with room for them all.
func OpenAlone(ctx context.Context, c serving.Config, refs []string) (*Engine, error) {
	c.Memory = math.MaxInt64
	r := serving.New(c)
	e, err := Open(ctx, r, refs)
	if err != nil {
		r.Close()
		return nil, err
	}
	e.alone = true
	return e, nil
}

// Close lets the models go.
func (e *Engine) Close() {
	for _, m := range e.models {
		m.done()
	}
	e.models = nil
	if e.alone {
		e.registry.Close()
	}
}

// Cores returns how many threads the models use together.
func (e *Engine) Cores() int { return e.registry.Cores() }

// Models returns the models' cards.
func (e *Engine) Models() []zoo.Model {
	e.mu.Lock()
	models := e.models
	e.mu.Unlock()
	cards := make([]zoo.Model, len(models))
	for i, m := range models {
		cards[i] = m.Model.Model
	}
	return cards
}

// Analyze looks at an image file. It fails with trilobite.InvalidImage or
// ImageTooLarge for the file, Throttled when too much is under way, Canceled when ctx
// ends, NotFound for a model of p.Models that is not loaded. A panic on the way is an
// error too, with its stack in the text: strangers' pictures go through here, several
// at once, and one must not end the others.
func (e *Engine) Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (a *trilobite.Analysis, err error) {
	defer serving.Caught(&err)
	all, err := e.fresh()
	if err != nil {
		return nil, err
	}
	models, err := choose(all, p)
	if err != nil {
		return nil, err
	}
	done, err := e.registry.Turn(ctx)
	if err != nil {
		return nil, err
	}
	done = sync.OnceFunc(done)
	defer done()
	start := time.Now()
	o, measured := loading(all), p.Properties || len(p.CropRatios) > 0
	if len(all) == 1 && len(models) == 1 && !measured {
		o = all[0].Loading() // nobody else looks at the picture
	}
	img, release, err := e.registry.Decode(ctx, image, o)
	if err != nil {
		return nil, err
	}
	defer release()
	e.registry.Recorder().Observe("decode", "", time.Since(start))
	answers, err := ask(ctx, models, img, p.MinScore)
	if err != nil {
		return nil, err
	}
	if !measured {
		done() // the next picture can be decoded while this one's labels are put together
	}
	start = time.Now()
	a = e.assemble(img, answers, p)
	e.registry.Recorder().Observe("postprocess", "", time.Since(start))
	return a, nil
}

// choose returns the models that the parameters need: those they name, or all; the
// detectors alone when no labels are wanted.
func choose(all []*model, p trilobite.AnalyzeParams) ([]*model, error) {
	if !p.Labels && !p.Objects {
		return nil, nil
	}
	named := all
	if len(p.Models) > 0 {
		named = nil
		for _, ref := range p.Models {
			i := slices.IndexFunc(all, func(m *model) bool { return m.Ref() == ref || m.Name == ref })
			if i < 0 {
				return nil, &trilobite.Error{Op: "label.Analyze", Code: trilobite.NotFound, Msg: fmt.Sprintf("No model %q is loaded.", ref)}
			}
			named = append(named, all[i])
		}
	}
	if p.Labels {
		return named, nil
	}
	return slices.DeleteFunc(slices.Clone(named), func(m *model) bool { return m.Detector == nil }), nil
}

// ask runs the models side by side; the runtime shares the cores out.
func ask(ctx context.Context, models []*model, img *imageio.Image, minScore float32) ([]answer, error) {
	answers := make([]answer, len(models))
	if len(models) == 1 {
		var err error
		answers[0], err = models[0].look(ctx, img, minScore)
		return answers, err
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, m := range models {
		g.Go(func() (err error) {
			defer serving.Caught(&err)
			answers[i], err = m.look(ctx, img, minScore)
			return err
		})
	}
	return answers, g.Wait()
}

// assemble puts the parts of the answer together that the parameters ask for.
func (e *Engine) assemble(img *imageio.Image, answers []answer, p trilobite.AnalyzeParams) *trilobite.Analysis {
	a := &trilobite.Analysis{Width: img.FullW, Height: img.FullH, Orientation: img.Orientation, Version: e.version}
	for _, said := range answers {
		a.Detections = append(a.Detections, said.detections...)
		for _, c := range said.classes {
			if c.Score >= p.MinScore {
				a.Classifications = append(a.Classifications, c)
			}
		}
	}
	sortByScore(a)
	if p.Labels {
		a.Labels = filter(merge(answers, p.MinScore), p.Filter, p.MaxLabels)
	}
	if p.Properties {
		a.Properties = properties.Analyze(img, p.MaxColors)
		for i := range a.Labels {
			for j := range a.Labels[i].Instances {
				in := &a.Labels[i].Instances[j]
				in.Colors = properties.Colors(img, in.Box, p.MaxColors)
			}
		}
	}
	if len(p.CropRatios) > 0 {
		a.CropHints = properties.CropHints(img, p.CropRatios)
	}
	return a
}

func sortByScore(a *trilobite.Analysis) {
	slices.SortStableFunc(a.Detections, func(x, y trilobite.Detection) int { return descending(x.Score, y.Score) })
	slices.SortStableFunc(a.Classifications, func(x, y trilobite.Classification) int { return descending(x.Score, y.Score) })
}

func descending(a, b float32) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	default:
		return 0
	}
}
