package classification

import (
	"context"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/sample"
	"trilobite/tensor"
	"trilobite/train"
)

// usual is how classifiers are usually trained: torchvision's
// RandomResizedCrop(scale=(0.5, 1)) and RandomHorizontalFlip.
func usual() augment.Plan {
	return augment.Plan{Area: []float64{0.5, 1}, HorizontalFlip: 0.5}
}

// photos are the pictures of one part of a set.
type photos struct {
	*sample.Versions

	images []dataset.Image
	target func(classes []int) *tensor.Tensor
}

func newPhotos(d Data, split string, plan augment.Plan, target func([]int) *tensor.Tensor) (*photos, error) {
	some := *d.Set
	some.Images = nil
	for _, i := range d.Set.Part(split) {
		some.Images = append(some.Images, d.Set.Images[i])
	}
	v, err := sample.NewVersions(&some, d.Spec, sample.Options{Task: sample.Classify, Augment: plan, Versions: d.Versions})
	return &photos{v, some.Images, target}, err
}

// Sample decodes a picture and prepares it.
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	s, err := p.Load(ctx, i, variant)
	if err != nil {
		return train.Sample{}, err
	}
	return train.Sample{Inputs: []*tensor.Tensor{s.X}, Targets: []*tensor.Tensor{p.target(p.images[i].Classes)}}, nil
}

// counts returns how many pictures of each class train.
func counts(set *dataset.Set) []int64 {
	n := make([]int64, len(set.Classes))
	for _, i := range set.Part(dataset.Train) {
		for _, c := range set.Images[i].Classes {
			n[c]++
		}
	}
	return n
}
