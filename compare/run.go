package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trilobite"
	"trilobite/dataset"
)

// Run measures every route of the configuration on the set's Test part. What an earlier
// run left in the folder is taken as it is: answers, trained models, speeds.
func Run(ctx context.Context, c Config) (*Result, error) {
	part := only(c.Set, dataset.Test)
	if err := check(&c, part); err != nil {
		return nil, err
	}
	if c.Rounds == 0 {
		c.Rounds = 1000
	}
	r := &Result{
		Started: c.clock(), Machine: ThisMachine(), Task: c.Task, MinScore: c.MinScore, Rounds: c.Rounds, Seed: c.Seed,
		Dataset: Data{Classes: c.Set.Classes, Train: len(c.Set.Part(dataset.Train)), Test: len(part.Images)},
	}
	judges := make([]judge, len(c.Routes))
	for i := range c.Routes {
		w := work{c: &c, r: &c.Routes[i], test: part}
		m, j, err := w.measure(ctx)
		if missing, ok := errors.AsType[*MissingError](err); ok {
			m, err = Measured{Missing: missing.Why}, nil
		}
		if err != nil {
			return nil, err
		}
		m.Name, m.Kind, m.Service, m.Recipe, m.RecipeJA = w.r.Name, w.r.Kind, w.r.Service, w.r.Recipe, w.r.RecipeJA
		if w.r.Remote != nil {
			m.Host, m.Region, m.Feature = w.r.Remote.Host, w.r.Remote.Region, w.r.Remote.Feature
		}
		r.Routes, judges[i] = append(r.Routes, m), j
	}
	for i := range judges {
		for k := i + 1; k < len(judges); k++ {
			if judges[i] != nil && judges[k] != nil {
				c.show(Progress{Route: c.Routes[i].Name, What: "compared with " + c.Routes[k].Name})
				t := test(judges[i], judges[k], c.Rounds, c.Seed)
				t.A, t.B = c.Routes[i].Name, c.Routes[k].Name
				r.Tests = append(r.Tests, t)
			}
		}
	}
	r.Ended = c.clock()
	return r, nil
}

// MissingError says why a route cannot be measured on this set, which is an answer too: a
// service that names no pixels, a network for another task.
type MissingError struct{ Why string }

// Error returns the reason.
func (m *MissingError) Error() string { return m.Why }

// check refuses what cannot be measured.
func check(c *Config, part *dataset.Set) error {
	invalid := func(format string, args ...any) error {
		return &trilobite.Error{Op: "compare.Run", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
	}
	labelled := func(img dataset.Image) bool {
		return map[Task]bool{Classify: len(img.Classes) > 0, Detect: len(img.Objects) > 0, Segment: true}[c.Task]
	}
	switch {
	case len(c.Routes) == 0:
		return invalid("There is no route to compare.")
	case len(part.Images) == 0:
		return invalid("There is no image to ask about: no test part, no validation part, and none held out.")
	case !slices.ContainsFunc(part.Images, labelled):
		return invalid("None of the %d images to ask about has a label, so no answer can be called right or wrong. Label them first; docs/datasets.md shows the formats.", len(part.Images))
	}
	for i, r := range c.Routes {
		if slices.ContainsFunc(c.Routes[:i], func(o Route) bool { return o.Name == r.Name }) {
			return invalid("Two routes are called %s.", r.Name)
		}
	}
	return nil
}

func (c *Config) clock() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Config) show(p Progress) {
	if c.Show != nil {
		c.Show(p)
	}
}

// only returns the images of a split.
func only(set *dataset.Set, split string) *dataset.Set {
	some := *set
	some.Images = nil
	for _, i := range set.Part(split) {
		some.Images = append(some.Images, set.Images[i])
	}
	return &some
}
