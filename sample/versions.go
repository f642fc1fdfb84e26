package sample

import (
	"context"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/pipeline"
)

// Versions are the pictures of a training part as they are and as a plan changes them.
// Where there are a fixed number of versions of each, their features can be kept: two where
// all that a plan does is to mirror, or Options.Versions changed ones and the picture.
type Versions struct {
	whole, changed *Loader // changed is nil where nothing is
	fixed          int     // versions; 0: any number
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
	v := &Versions{whole: whole, fixed: 1}
	flip := plan.HorizontalFlip
	plan.HorizontalFlip = 0
	switch {
	case flip == 0 && plan.Nothing():
		return v, nil
	case plan.Nothing():
		plan.HorizontalFlip, v.fixed = 1, 2
	default:
		plan.HorizontalFlip, v.fixed = flip, 0
		if o.Versions > 0 {
			v.fixed = 1 + o.Versions
		}
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
func (v *Versions) Variants() int { return v.fixed }

// Load makes a version of picture i: 0 is the picture as it is, others below Variants, or
// where that is 0, what follows from variant as a seed.
func (v *Versions) Load(ctx context.Context, i int, variant uint64) (*Sample, error) {
	if variant == 0 {
		return v.whole.Load(ctx, i, -1)
	}
	if v.fixed > 0 {
		return v.changed.Load(ctx, i, int(variant))
	}
	return v.changed.Load(ctx, i, int(variant>>1)) // epochs are not negative
}
