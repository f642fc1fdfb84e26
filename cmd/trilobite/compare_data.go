package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/compare"
	"trilobite/config"
	"trilobite/dataset"
	"trilobite/price"
)

// comparison is a use of `trilobite compare`: what was opened and decided before it runs.
type comparison struct {
	config compare.Config
	path   string
	part   string // what the images asked about are
}

// openComparison reads the data set, chooses the task, divides the images and makes the
// routes.
func openComparison(cmd *cobra.Command, c config.Config, path string, f compareFlags, book price.Book) (*comparison, error) {
	found, err := openDataset(cmd, c, path, f.data)
	if err != nil {
		return nil, err
	}
	if !labelled(found.Set) {
		return nil, &trilobite.Error{Op: "compare", Code: trilobite.Invalid, Msg: fmt.Sprintf("None of the %d pictures of %s has a label, so no answer can be called right or wrong. Label them first; docs/datasets.md shows the formats.", len(found.Set.Images), path)}
	}
	task, err := chooseTask(f.task, found.Set)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	routes, err := newRoutes(cmd, c, compare.Task(task.name), found.Set.Classes, f, book)
	if err != nil {
		return nil, err
	}
	s := &comparison{path: path}
	set := usable(found.Set, compare.Task(task.name))
	learns := slices.ContainsFunc(routes, func(r compare.Route) bool { return r.Train != nil })
	set, s.part = divideForTest(set, learns, f.seed)
	if f.weigh != "" { // what judges answers is no part of what answers
		s.config = compare.Config{Set: set, Dir: f.out, Routes: routes, Parallel: compare.Clients()}
		return s, nil
	}
	tax, err := puller(c, cmd, true).Taxonomy(cmd.Context())
	if err != nil {
		return nil, err
	}
	var mapping map[string]string
	if f.mapping != "" {
		if mapping, err = compare.ReadMapping(f.mapping, set.Classes); err != nil {
			return nil, err
		}
	}
	s.config = compare.Config{
		Set: set, Task: compare.Task(task.name), Dir: f.out, Routes: routes, Match: compare.NewMatcher(set.Classes, tax, mapping),
		MinScore: f.score, Rounds: f.rounds, Seed: f.seed, Parallel: compare.Clients(),
	}
	if s.config.MinScore == 0 {
		s.config.MinScore = leastScoreOf(s.config.Task, set)
	}
	if s.config.MinScore < 0 || s.config.MinScore > 1 || f.rounds < 1 {
		return nil, fmt.Errorf("--min-score is %v and --bootstrap %d; they are 0 to 1, and 1 or more", f.score, f.rounds)
	}
	s.config.Curve, err = curveOf(f.curve, s.config.Task)
	return s, err
}

func labelled(set *dataset.Set) bool {
	return slices.ContainsFunc(set.Images, func(img dataset.Image) bool {
		return len(img.Classes) > 0 || len(img.Objects) > 0 || img.Mask != ""
	})
}

// usable leaves out images that have no label of the task.
func usable(set *dataset.Set, task compare.Task) *dataset.Set {
	out := *set
	out.Images, out.Dropped = nil, slices.Clone(set.Dropped)
	for _, img := range set.Images {
		switch {
		case task == compare.Classify && len(img.Classes) == 0:
			out.Dropf(img.File, 0, "it has no class")
		case task == compare.Segment && img.Mask == "":
			out.Dropf(img.File, 0, "it has no mask")
		default:
			out.Images = append(out.Images, img)
		}
	}
	return &out
}

// divideForTest makes one part of the set Test, to be asked about, and all else Train.
func divideForTest(set *dataset.Set, learns bool, seed uint64) (divided *dataset.Set, part string) {
	has := func(split string) bool {
		return slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return img.Split == split })
	}
	out := *set
	out.Images = slices.Clone(set.Images)
	asked, part := "", "all"
	switch {
	case has(dataset.Test):
		asked, part = dataset.Test, "test part"
	case has(dataset.Val):
		asked, part = dataset.Val, "validation part"
	case learns:
		out = *out.HoldOut(heldOut, seed)
		asked, part = dataset.Val, "held-out fifth"
	}
	for i := range out.Images {
		img := &out.Images[i]
		if asked == "" || img.Split == asked {
			img.Split = dataset.Test
		} else {
			img.Split = dataset.Train
		}
	}
	return &out, part
}

// leastScoreOf is the score from which an answer counts: of one class among others the
// surest counts if it is more than a guess, of boxes and several labels what is likelier
// than not.
func leastScoreOf(task compare.Task, set *dataset.Set) float64 {
	several := slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Classes) > 1 })
	if task == compare.Classify && !several {
		return 0.1
	}
	return 0.5
}

// curveOf reads --curve.
func curveOf(text string, task compare.Task) ([]float64, error) {
	switch {
	case text == "none" || text == "auto" && task != compare.Classify:
		return nil, nil // boxes and pixels take minutes to learn: on demand
	case text == "auto":
		return []float64{0.1, 0.25, 0.5}, nil
	}
	var out []float64
	for s := range strings.SplitSeq(text, ",") {
		p, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || !(p > 0 && p <= 100) {
			return nil, fmt.Errorf("--curve %s: %q is no percentage above 0 and up to 100", text, s)
		}
		if p < 100 {
			out = append(out, p/100)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// describe fills in what the command knows of the data.
func (s *comparison) describe(r *compare.Result) {
	r.Version, r.Dataset.Path, r.Dataset.Part = version, s.path, s.part
	r.Dataset.Digest, _ = s.config.Set.Digest() // read a moment ago: it cannot fail now but by removal
	for _, d := range s.config.Set.Dropped {
		r.Dataset.Dropped = append(r.Dataset.Dropped, d.String())
	}
	for _, img := range s.config.Set.Images {
		if at, err := os.Stat(img.File); err == nil && img.Split == dataset.Test {
			r.Dataset.Bytes += at.Size()
		}
	}
}

var errNoRoutes = errors.New("--routes names nothing to compare")
