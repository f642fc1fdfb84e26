package detection

import (
	"context"
	"slices"
	"sync"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/nn"
	"trilobite/pipeline"
	"trilobite/sample"
	"trilobite/tensor"
	"trilobite/train"
)

// photos are the pictures of one part of a set, with what each location of the network is
// to find in them.
type photos struct {
	*sample.Versions

	set *dataset.Set // of the part alone
	net *nn.Detector

	mu       sync.Mutex
	mappings map[int]pipeline.Mapping // of the pictures as they are, from the input to them
}

// mirrored mirrors every other picture: of two versions the features can be kept.
var mirrored = augment.Plan{HorizontalFlip: 0.5}

// newPhotos makes a source of the pictures at part, changed by a plan and a seed.
func newPhotos(d Data, part []int, plan augment.Plan, changed int, seed uint64) (*photos, error) {
	some := *d.Set
	some.Images = make([]dataset.Image, len(part))
	for k, i := range part {
		some.Images[k] = d.Set.Images[i]
	}
	v, err := sample.NewVersions(&some, d.Spec, sample.Options{Task: sample.Detect, Augment: plan, Versions: changed, Seed: seed})
	return &photos{Versions: v, set: &some, net: d.Network, mappings: map[int]pipeline.Mapping{}}, err
}

// Sample makes a picture's input and the targets of each location: class (1, A), box
// (1, A, 4) and quality (1, A).
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	s, err := p.Load(ctx, i, variant)
	if err != nil {
		return train.Sample{}, err
	}
	if variant == 0 {
		p.mu.Lock()
		p.mappings[i] = s.Mapping
		p.mu.Unlock()
	}
	flat, _ := tensor.Data[float32](s.Boxes)
	classes, _ := tensor.Data[int64](s.Classes)
	boxes := make([]geom.Box, len(classes))
	for k := range boxes {
		boxes[k] = geom.Box{X1: flat[4*k], Y1: flat[4*k+1], X2: flat[4*k+2], Y2: flat[4*k+3]}
	}
	t, err := p.net.Assign(boxes, classes, nn.AssignOptions{})
	if err != nil {
		return train.Sample{}, err
	}
	targets := []*tensor.Tensor{t.Class, t.Box, t.Quality}
	for k, x := range targets {
		if targets[k], err = x.Reshape(slices.Concat([]int64{1}, x.Shape)...); err != nil {
			return train.Sample{}, err
		}
	}
	return train.Sample{Inputs: []*tensor.Tensor{s.X}, Targets: targets}, nil
}

// mapping takes boxes of the input to picture i, which has been made a sample of.
func (p *photos) mapping(i int) pipeline.Mapping {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mappings[i]
}
