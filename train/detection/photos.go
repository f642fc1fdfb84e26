package detection

import (
	"context"
	"reflect"
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
	set      *dataset.Set // of the part alone
	net      *nn.Detector
	versions []*sample.Loader // as it is, and mirrored or changed at random
	random   bool             // the second version is another one each time

	mu       sync.Mutex
	mappings map[int]pipeline.Mapping // of the pictures as they are, from the input to them
}

// mirrored mirrors every other picture.
var mirrored = augment.Plan{HorizontalFlip: 0.5}

// newPhotos makes a source of the pictures at part. Where the plan is mirrored,
// there are two versions of each, whose features can be kept; of any other any number.
func newPhotos(d Data, part []int, plan augment.Plan, seed uint64) (*photos, error) {
	t, err := pipeline.Compile(d.Spec)
	if err != nil {
		return nil, err
	}
	some := *d.Set
	some.Images = nil
	for _, i := range part {
		some.Images = append(some.Images, d.Set.Images[i])
	}
	p := &photos{set: &some, net: d.Network, mappings: map[int]pipeline.Mapping{}}
	plans := []augment.Plan{{}}
	switch {
	case plan.Nothing():
	case reflect.DeepEqual(plan, mirrored):
		plans = append(plans, augment.Plan{HorizontalFlip: 1})
	default:
		p.random, plans = true, append(plans, plan)
	}
	for _, plan := range plans {
		l, err := sample.New(&some, t, sample.Options{Task: sample.Detect, Augment: plan, Seed: seed})
		if err != nil {
			return nil, err
		}
		p.versions = append(p.versions, l)
	}
	return p, nil
}

// Len returns the number of pictures.
func (p *photos) Len() int { return len(p.set.Images) }

// Variants returns 0, any number, where pictures are changed at random.
func (p *photos) Variants() int {
	if p.random {
		return 0
	}
	return len(p.versions)
}

// Sample makes a picture's input and the targets of each location: class (1, A), box
// (1, A, 4) and quality (1, A).
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	version, epoch := variant, 0
	if p.random {
		version, epoch = min(variant, 1), int(variant>>1)
	}
	s, err := p.versions[version].Load(ctx, i, epoch)
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
