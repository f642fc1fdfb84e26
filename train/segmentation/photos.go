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
	versions []*sample.Loader // as it is, and mirrored
}

// newPhotos makes a source of the pictures at part; height and width are the masks'.
func newPhotos(d Data, part []int, size []int64, mirrored bool) (*photos, error) {
	t, err := pipeline.Compile(d.Spec)
	if err != nil {
		return nil, err
	}
	some := *d.Set
	some.Images = nil
	for _, i := range part {
		some.Images = append(some.Images, d.Set.Images[i])
	}
	plans := []augment.Plan{{}}
	if mirrored {
		plans = append(plans, augment.Plan{HorizontalFlip: 1})
	}
	p := &photos{}
	for _, plan := range plans {
		l, err := sample.New(&some, t, sample.Options{Task: sample.Segment, Augment: plan, MaskHeight: int(size[0]), MaskWidth: int(size[1])})
		if err != nil {
			return nil, err
		}
		p.versions = append(p.versions, l)
	}
	return p, nil
}

// Len returns the number of pictures.
func (p *photos) Len() int { return p.versions[0].Len() }

// Variants returns 2 where pictures are mirrored: few enough to keep the features of.
func (p *photos) Variants() int { return len(p.versions) }

// Sample makes a picture's input and its mask, int64 (1, H, W).
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	s, err := p.versions[variant].Load(ctx, i, 0)
	if err != nil {
		return train.Sample{}, err
	}
	classes, _ := tensor.Data[int64](s.Mask)
	mask := tensor.Of(slices.Concat([]int64{1}, s.Mask.Shape), classes)
	return train.Sample{Inputs: []*tensor.Tensor{s.X}, Targets: []*tensor.Tensor{mask}}, nil
}
