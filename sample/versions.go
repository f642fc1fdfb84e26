package sample

import (
	"context"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/pipeline"
)

// Versions are the pictures of a training part as they are and as a plan changes them.
// Where all that a plan does is to mirror, there are two versions of each, few enough to
// keep the features of; else any number.
type Versions struct {
	whole, changed *Loader // changed is nil where nothing is
	any            bool
}

// NewVersions returns the versions of a set's pictures by Options.Augment.
func NewVersions(set *dataset.Set, s pipeline.Spec, o Options) (*Versions, error) {
	load := func(s pipeline.Spec, plan augment.Plan) (*Loader, error) {
		t, err := pipeline.Compile(s)
		if err != nil {
			return nil, err
		}
		o.Augment = plan
		return New(set, t, o)
	}
	plan := o.Augment
	whole, err := load(s, augment.Plan{})
	if err != nil {
		return nil, err
	}
	v := &Versions{whole: whole}
	flip := plan.HorizontalFlip
	plan.HorizontalFlip = 0
	switch {
	case flip == 0 && plan.Nothing():
		return v, nil
	case plan.Nothing():
		plan.HorizontalFlip = 1
	default:
		plan.HorizontalFlip, v.any = flip, true
	}
	if len(plan.Area) > 0 { // a part was cut out already
		s.Resize, s.Crop = pipeline.Exact, 0
	}
	v.changed, err = load(s, plan)
	return v, err
}

// Len returns the number of pictures.
func (v *Versions) Len() int { return v.whole.Len() }

// Variants returns how many versions each picture has; 0: any number.
func (v *Versions) Variants() int {
	switch {
	case v.any:
		return 0
	case v.changed != nil:
		return 2
	default:
		return 1
	}
}

// Load makes a version of picture i: 0 is the picture as it is, others below Variants, or
// where that is 0, what follows from variant as a seed.
func (v *Versions) Load(ctx context.Context, i int, variant uint64) (*Sample, error) {
	if variant == 0 {
		return v.whole.Load(ctx, i, -1)
	}
	return v.changed.Load(ctx, i, int(variant>>1))
}
