package segmentation

import (
	"context"
	"slices"

	"trilobite/augment"
	"trilobite/pipeline"
	"trilobite/sample"
	"trilobite/tensor"
	"trilobite/train"
)

// photos are the pictures of one part of a set, with masks of a size.
type photos struct {
	versions []*sample.Loader // as it is, and changed
}

// zoomed is how many versions of a picture show a part of it. With the picture and its
// mirror image, that is as many as features are computed of.
const zoomed = 4

// plans are the versions of a training picture.
func plans() []augment.Plan {
	all := []augment.Plan{{}, {HorizontalFlip: 1}}
	for range zoomed {
		all = append(all, augment.Plan{HorizontalFlip: 0.5, Scale: []float64{1, 1.75}, Brightness: 0.2, Contrast: 0.2, Saturation: 0.2})
	}
	return all
}

// newPhotos makes a source of the pictures at part, in the versions of plans by the seed;
// height and width are the masks'.
func newPhotos(d Data, part []int, size []int64, plans []augment.Plan, seed uint64) (*photos, error) {
	t, err := pipeline.Compile(d.Spec)
	if err != nil {
		return nil, err
	}
	some := *d.Set
	some.Images = nil
	for _, i := range part {
		some.Images = append(some.Images, d.Set.Images[i])
	}
	p := &photos{}
	for _, plan := range plans {
		l, err := sample.New(&some, t, sample.Options{Task: sample.Segment, Augment: plan, Seed: seed, MaskHeight: int(size[0]), MaskWidth: int(size[1])})
		if err != nil {
			return nil, err
		}
		p.versions = append(p.versions, l)
	}
	return p, nil
}

// Len returns the number of pictures.
func (p *photos) Len() int { return p.versions[0].Len() }

// Variants returns how many versions there are: few enough to keep the features of.
func (p *photos) Variants() int { return len(p.versions) }

// Sample makes a picture's input and its mask, int64 (1, H, W).
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	s, err := p.versions[variant].Load(ctx, i, int(variant))
	if err != nil {
		return train.Sample{}, err
	}
	classes, _ := tensor.Data[int64](s.Mask)
	mask := tensor.Of(slices.Concat([]int64{1}, s.Mask.Shape), classes)
	return train.Sample{Inputs: []*tensor.Tensor{s.X}, Targets: []*tensor.Tensor{mask}}, nil
}
