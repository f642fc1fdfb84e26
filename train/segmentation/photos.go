package segmentation

import (
	"context"
	"slices"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/sample"
	"trilobite/tensor"
	"trilobite/train"
)

// usual is how training pictures are changed, and versions how often: with the picture as
// it is, that is as many as features are computed of.
var usual = augment.Plan{HorizontalFlip: 0.5, Scale: []float64{0.75, 1.5}, Brightness: 0.4, Contrast: 0.4, Saturation: 0.4}

const versions = 5

// photos are the pictures of one part of a set, with masks.
type photos struct{ *sample.Versions }

// newPhotos makes a source of the pictures of a part, changed by a plan and a seed, whose
// masks are of a size, height and width.
func newPhotos(d Data, part []int, size []int64, plan augment.Plan, changed int, seed uint64) (*photos, error) {
	some := *d.Set
	some.Images = make([]dataset.Image, len(part))
	for k, i := range part {
		some.Images[k] = d.Set.Images[i]
	}
	v, err := sample.NewVersions(&some, d.Spec, sample.Options{
		Task: sample.Segment, Augment: plan, Versions: changed, Seed: seed, MaskHeight: int(size[0]), MaskWidth: int(size[1]),
	})
	return &photos{v}, err
}

// Sample makes a picture's input and its mask, int64 (1, H, W).
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	s, err := p.Load(ctx, i, variant)
	if err != nil {
		return train.Sample{}, err
	}
	classes, _ := tensor.Data[int64](s.Mask)
	mask := tensor.Of(slices.Concat([]int64{1}, s.Mask.Shape), classes)
	return train.Sample{Inputs: []*tensor.Tensor{s.X}, Targets: []*tensor.Tensor{mask}}, nil
}
