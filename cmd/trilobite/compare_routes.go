package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/compare"
	"trilobite/config"
	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/label"
	"trilobite/learn"
	"trilobite/ort"
	"trilobite/price"
	"trilobite/serving"
	"trilobite/zoo"
)

// routeMaker makes the routes of one comparison.
type routeMaker struct {
	cmd  *cobra.Command
	c    config.Config
	task compare.Task
	f    compareFlags
	rt   *ort.Runtime
	book price.Book
	// classes are the data set's.
	classes []string
}

// routeKinds are what --routes may name, with how each is made of what stands after "=".
func (m *routeMaker) kinds() map[string]func(models string) (compare.Route, error) {
	return map[string]func(string) (compare.Route, error){
		"pretrained": m.pretrained,
		"custom":     m.custom,
		"own":        m.own,

		"rekognition": m.rekognition, "custom-labels": m.customLabels, "vision": m.vision, "vertex": m.vertex,
	}
}

// newRoutes makes what --routes names.
func newRoutes(cmd *cobra.Command, c config.Config, task compare.Task, classes []string, f compareFlags, book price.Book) ([]compare.Route, error) {
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, err
	}
	m := &routeMaker{cmd, c, task, f, rt, book, classes}
	var out []compare.Route
	for _, text := range f.routes {
		name, models, _ := strings.Cut(strings.TrimSpace(text), "=")
		if name == "" {
			continue
		}
		build, ok := m.kinds()[name]
		if !ok {
			return nil, fmt.Errorf("--routes: there is no route %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(m.kinds())), ", "))
		}
		r, err := build(models)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", text, err)
		}
		r.Name = name
		for n := 2; slices.ContainsFunc(out, func(o compare.Route) bool { return o.Name == r.Name }); n++ {
			r.Name = fmt.Sprintf("%s-%d", name, n)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, errNoRoutes
	}
	return out, nil
}

// pretrained asks models that somebody trained for everybody.
func (m *routeMaker) pretrained(models string) (compare.Route, error) {
	names := m.c.Models
	if models != "" {
		names = strings.Split(models, "+")
	}
	return compare.Route{Kind: compare.Pretrained, Service: "trilobite", Open: func(ctx context.Context, _ string) (compare.Asker, error) {
		if m.task == compare.Segment {
			return nil, &compare.MissingError{Why: "No pretrained model here names pixels, and neither Rekognition nor Vision has such an operation."}
		}
		e, err := m.engine(ctx, m.c.Home, names)
		if err != nil {
			return nil, err
		}
		return compare.NewEngine(e, m.task)
	}}, nil
}

func (m *routeMaker) engine(ctx context.Context, home string, models []string) (*label.Engine, error) {
	c := m.c
	c.Home, c.Models = home, models
	return loadEngine(ctx, m.rt, c)
}

// custom trains as Custom Labels trains.
func (m *routeMaker) custom(string) (compare.Route, error) {
	engine := func(dir string) *learn.Engine {
		e := customModels(m.c, slog.New(slog.DiscardHandler), m.rt, serving.New(servingConfig(m.rt, m.c, nil)))
		e.Models = zoo.NewStore(dir)
		if m.f.own.Budget > 0 {
			e.Budget = m.f.own.Budget
		}
		return e
	}
	const name = "custom"
	recipe := "ways to learn compared by cross-validation on the training images"
	if m.task == compare.Detect {
		recipe = "a fixed recipe"
	}
	return compare.Route{
		Kind: compare.Custom, Service: "trilobite-custom", Recipe: recipe,
		Train: func(ctx context.Context, set *dataset.Set, dir string) error {
			learning, err := learningOf(m.task, set)
			if err != nil {
				return err
			}
			none := *set
			none.Images = nil
			_, err = engine(dir).Train(ctx, custom.TrainingRun{
				Name: name, Learning: learning, Train: set, Test: &none, Dir: dir, Progress: func(string) error { return nil },
			})
			return err
		},
		Open: func(ctx context.Context, dir string) (compare.Asker, error) {
			e := engine(dir)
			card, err := e.Models.Get(name)
			if err != nil {
				return nil, err
			}
			labels, err := card.ReadLabels()
			if err != nil {
				return nil, err
			}
			return compare.Predictor{Models: e, Model: card.Ref(), Classes: labels.Names()}, e.Load(ctx, card.Ref(), 1)
		},
	}, nil
}

// learningOf is what Custom Labels would learn from a set.
func learningOf(task compare.Task, set *dataset.Set) (custom.Learning, error) {
	switch {
	case task == compare.Segment:
		return "", &compare.MissingError{Why: "Custom Labels learns labels and boxes, not pixels."}
	case task == compare.Detect:
		return custom.Boxes, nil
	case slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Classes) > 1 }):
		return custom.ManyLabels, nil
	default:
		return custom.OneLabel, nil
	}
}

// own asks an installed model, or trains one as `trilobite train` does.
func (m *routeMaker) own(model string) (compare.Route, error) {
	r := compare.Route{Kind: compare.Own, Service: "trilobite-own"}
	if model == "" {
		r.Train, r.Recipe = m.trainOwn, recipeOf(m.f.own)
		r.Open = func(ctx context.Context, dir string) (compare.Asker, error) { return m.openOwn(ctx, dir, "own") }
		return r, nil
	}
	card, err := zoo.NewStore(m.c.Home).Get(model)
	if err != nil {
		return r, err
	}
	if card.Task != string(m.task) {
		return r, fmt.Errorf("its task is %s, the comparison's is %s", card.Task, m.task)
	}
	r.Open = func(ctx context.Context, _ string) (compare.Asker, error) { return m.openOwn(ctx, m.c.Home, model) }
	return r, nil
}

// recipeOf says which recipe the settings of a training make.
func recipeOf(s trainSettings) string {
	recipe := "the default recipe"
	if s.Unfreeze != "" || s.Network != "" || s.Epochs > 0 || s.Budget > 0 {
		recipe = "the recipe"
	}
	recipe += " on " + s.Backbone
	if s.Network != "" {
		recipe += ", " + s.Network
	}
	if s.Unfreeze != "" {
		recipe += ", its last " + s.Unfreeze + " blocks trained too"
	}
	if s.Epochs > 0 {
		recipe += fmt.Sprintf(", %d epochs", s.Epochs)
	}
	if s.Budget > 0 {
		recipe += fmt.Sprintf(", %s at most", s.Budget)
	}
	return recipe + "; nothing was tried out"
}

func (m *routeMaker) openOwn(ctx context.Context, home, model string) (compare.Asker, error) {
	if m.task != compare.Segment {
		e, err := m.engine(ctx, home, []string{model})
		if err != nil {
			return nil, err
		}
		return compare.NewOwnEngine(e, m.task)
	}
	c := m.c
	c.Home = home
	s, err := openSegmenter(ctx, c, model)
	if err != nil {
		return nil, err
	}
	labels, err := s.card.ReadLabels()
	if err != nil {
		return nil, err
	}
	return compare.Segmenter{
		Model: s.Segmenter, Ref: s.card.Ref(), Classes: labels.Names(), Free: s.model.Close,
		Gate: imageio.NewGate(m.c.Limits.Memory, s.cores), Limits: imageio.Limits{Pixels: int(m.c.Limits.Pixels)},
	}, nil
}

// trainOwn trains on a set and installs the model as "own" in dir.
func (m *routeMaker) trainOwn(ctx context.Context, set *dataset.Set, dir string) error {
	tasks := trainTasks(set)
	at := slices.IndexFunc(tasks, func(t trainTask) bool { return t.name == string(m.task) })
	t := &training{trainSettings: m.f.own, task: tasks[at], config: m.c, puller: puller(m.c, m.cmd, true), runtime: m.rt,
		options: ort.Options{Provider: m.c.ORT.Provider, Device: m.c.ORT.Device}}
	t.Seed = m.f.seed
	var err error
	if t.set, err = t.task.prepare(ctx, set); err != nil {
		return err
	}
	if err := t.checkClasses(); err != nil {
		return err
	}
	if t.task.lastIsBest == nil || !t.task.lastIsBest(t.trainSettings) {
		t.set = t.set.HoldOut(heldOut, t.Seed)
	}
	result, err := t.learnIn(ctx, filepath.Join(dir, "training"))
	if err != nil {
		return err
	}
	tax, err := t.puller.Taxonomy(ctx)
	if err != nil {
		return err
	}
	labels, err := zoo.NameClasses(t.set.Classes, tax)
	if err != nil {
		return err
	}
	card := result.card
	card.Name, card.Task, card.Title = "own", string(m.task), fmt.Sprintf("%d classes learned for a comparison", len(t.set.Classes))
	card.Source = zoo.Source{File: filepath.Join(dir, "training", "best.safetensors")}
	_, err = zoo.NewStore(dir).Put(card, result.graph, labels)
	return err
}
