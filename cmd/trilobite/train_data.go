package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/ort"
	"trilobite/zoo"
)

// heldOut is the share of the training part that validates where there is no part for it.
const heldOut = 0.2

// openTraining opens the data set and the runtime, chooses the task, and divides the
// pictures into what trains, what validates and what tests.
func openTraining(cmd *cobra.Command, c config.Config, path string, f trainFlags) (*training, error) {
	t := &training{trainSettings: f.trainSettings, config: c, path: path, puller: puller(c, cmd, true),
		options: ort.Options{Provider: c.ORT.Provider, Device: c.ORT.Device}}
	found, err := openDataset(cmd, c, path, f.data)
	if err != nil {
		return nil, err
	}
	set := found.Set
	if found.Ref != "" {
		t.path, t.imported = found.Ref, true
	}
	if t.Val != "" {
		if set, err = withValidation(cmd, c, set, t.Val, f.data); err != nil {
			return nil, err
		}
	}
	set = set.Existing()
	if t.task, err = chooseTask(t.Task, set); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if t.Task = t.task.name; t.Network != "" && t.Task != zoo.Segment {
		return nil, fmt.Errorf("--network chooses a network for segmentation, and %s is to be trained", t.Task)
	}
	if t.set, err = t.task.prepare(cmd.Context(), set); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if err := t.checkClasses(); err != nil {
		return nil, err
	}
	t.divide()
	if t.digest, err = t.set.Digest(); err != nil {
		return nil, err
	}
	t.runtime, err = openRuntime(c.ORT)
	return t, err
}

// withValidation makes the pictures of another data set the validation part of set, in
// place of its own; classes go by name.
func withValidation(cmd *cobra.Command, c config.Config, set *dataset.Set, path string, o open.Options) (*dataset.Set, error) {
	found, err := openDataset(cmd, c, path, open.Options{Format: o.Format})
	if err != nil {
		return nil, fmt.Errorf("--val: %w", err)
	}
	val := found.Set
	to := make([]int, len(val.Classes))
	for i, name := range val.Classes {
		if to[i] = slices.Index(set.Classes, name); to[i] < 0 {
			return nil, fmt.Errorf("--val: the class %q of %s is not among those to train on: %s", name, path, strings.Join(set.Classes, ", "))
		}
	}
	masked := func(img dataset.Image) bool { return img.Mask != "" }
	if slices.ContainsFunc(val.Images, masked) && !sameMasks(set, val) {
		return nil, fmt.Errorf("--val: the masks of %s mean other classes, %s, than those to train on: give both the same classes.txt", path, strings.Join(val.Classes, ", "))
	}
	all := *set
	all.Images = slices.DeleteFunc(slices.Clone(set.Images), func(img dataset.Image) bool { return img.Split == dataset.Val })
	all.Dropped = slices.Concat(set.Dropped, val.Dropped)
	for _, img := range val.Images {
		img.Split = dataset.Val
		img.Classes, img.Objects = slices.Clone(img.Classes), slices.Clone(img.Objects)
		for i, c := range img.Classes {
			img.Classes[i] = to[c]
		}
		for i := range img.Objects {
			img.Objects[i].Class = to[img.Objects[i].Class]
		}
		all.Images = append(all.Images, img)
	}
	return &all, nil
}

// sameMasks reports whether the masks of both sets are read alike.
func sameMasks(a, b *dataset.Set) bool {
	return slices.Equal(a.Classes, b.Classes) && a.Ignore == b.Ignore && maps.Equal(a.Colors, b.Colors) && maps.Equal(a.Values, b.Values)
}

// divide takes the test part out of the set, and where nothing validates, holds a part
// of the training out for it.
func (t *training) divide() {
	t.test = only(t.set, dataset.Test)
	rest := *t.set
	rest.Images = slices.DeleteFunc(slices.Clone(t.set.Images), func(img dataset.Image) bool { return img.Split == dataset.Test })
	t.set = &rest
	enough := len(t.test.Images) > 0 && t.task.lastIsBest != nil && t.task.lastIsBest(t.trainSettings)
	if len(rest.Part(dataset.Val)) == 0 && !enough {
		share := heldOut
		if t.Model != nil {
			share = cmp.Or(t.Model.Training.Validation, heldOut)
		}
		t.held, t.set = true, rest.HoldOut(share, t.Seed)
	}
}

// measured returns the pictures that the result is measured on, and what they are.
func (t *training) measured() (pictures *dataset.Set, part string) {
	if len(t.test.Images) > 0 {
		return t.test, dataset.Test
	}
	part = "validation"
	if t.held {
		part = "held-out"
	}
	return only(t.set, dataset.Val), part
}

// only returns the pictures of a split.
func only(set *dataset.Set, split string) *dataset.Set {
	some := *set
	some.Images = nil
	for _, i := range set.Part(split) {
		some.Images = append(some.Images, set.Images[i])
	}
	return &some
}
