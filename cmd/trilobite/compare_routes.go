package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/compare"
	"trilobite/config"
	"trilobite/custom"
	"trilobite/dataset"
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

// kinds are what --routes may name, with how each is made of what stands after "=".
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
	recipe, recipeJA := "ways to learn compared by cross-validation on the training images", "学習用画像の交差検証で学習法を比較"
	switch m.task {
	case compare.Detect:
		recipe, recipeJA = "a fixed recipe", "固定の学習法"
	case compare.Segment:
		return compare.Route{Kind: compare.Custom, Service: "trilobite-custom", Open: func(context.Context, string) (compare.Asker, error) {
			return nil, &compare.MissingError{Why: "Custom Labels learns labels and boxes, not pixels."}
		}}, nil
	case compare.Classify:
	}
	return compare.Route{
		Kind: compare.Custom, Service: "trilobite-custom", Recipe: recipe, RecipeJA: recipeJA,
		Train: func(ctx context.Context, set *dataset.Set, dir string) error {
			none := *set
			none.Images = nil
			_, err := engine(dir).Train(ctx, custom.TrainingRun{
				Name: name, Learning: learningOf(m.task, set), Train: set, Test: &none, Dir: dir, Progress: func(string) error { return nil },
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
func learningOf(task compare.Task, set *dataset.Set) custom.Learning {
	switch {
	case task == compare.Detect:
		return custom.Boxes
	case slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Classes) > 1 }):
		return custom.ManyLabels
	default:
		return custom.OneLabel
	}
}
