package classification

import (
	"context"
	"math"
	"math/rand/v2"
	"os"

	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/pipeline"
	"trilobite/tensor"
	"trilobite/train"
)

// photos are the pictures of one part of a set.
type photos struct {
	images    []dataset.Image
	part      []int // places in images
	feed      *feeder
	augmented bool // versions other than 0 are changed at random
}

// Len returns the number of pictures.
func (p *photos) Len() int { return len(p.part) }

// Variants returns 0, any number, where pictures are augmented.
func (p *photos) Variants() int {
	if p.augmented {
		return 0
	}
	return 1
}

// Sample decodes a picture and prepares it.
func (p *photos) Sample(ctx context.Context, i int, variant uint64) (train.Sample, error) {
	img := p.images[p.part[i]]
	data, err := os.ReadFile(img.File)
	if err != nil {
		return train.Sample{}, err
	}
	pixels, err := imageio.Decode(ctx, data, imageio.Options{MinSide: p.feed.spec.MinSide()})
	if err != nil {
		return train.Sample{}, err
	}
	var x *tensor.Tensor
	if variant == 0 {
		x, _, err = p.feed.whole.Apply(pixels)
	} else {
		x, err = p.feed.augment(pixels, rand.New(rand.NewPCG(variant, 0))) //nolint:gosec // reproducible draws, no secrets
	}
	if err != nil {
		return train.Sample{}, err
	}
	class := tensor.Vector(int64(img.Classes[0]))
	return train.Sample{Inputs: []*tensor.Tensor{x}, Targets: []*tensor.Tensor{class}}, nil
}

// feeder prepares pictures for a network, as they are or changed.
type feeder struct {
	spec  pipeline.Spec
	whole *pipeline.Transform // as the network will be served
	part  *pipeline.Transform // of a part that was cut out already
}

func newFeeder(s pipeline.Spec) (*feeder, error) {
	f := &feeder{spec: s}
	var err error
	if f.whole, err = pipeline.Compile(s); err != nil {
		return nil, err
	}
	s.Resize, s.Crop = pipeline.Exact, 0
	f.part, err = pipeline.Compile(s)
	return f, err
}

// augment cuts out half to all of a picture, of an aspect 3:4 to 4:3, and turns every
// other one left to right: torchvision's RandomResizedCrop(scale=(0.5, 1)) and
// RandomHorizontalFlip, as classifiers are usually trained.
func (f *feeder) augment(img *imageio.Image, r *rand.Rand) (*tensor.Tensor, error) {
	x, y, w, h := crop(img.W, img.H, r)
	part, err := img.Crop(x, y, w, h)
	if err != nil {
		return nil, err
	}
	if r.Uint64()&1 == 1 {
		mirror(part)
	}
	t, _, err := f.part.Apply(part)
	return t, err
}

func crop(iw, ih int, r *rand.Rand) (x, y, w, h int) {
	w, h = iw, ih
	for range 10 {
		area := float64(iw*ih) * (0.5 + r.Float64()/2)
		aspect := math.Exp((2*r.Float64() - 1) * math.Log(4.0/3))
		cw, ch := int(math.Round(math.Sqrt(area*aspect))), int(math.Round(math.Sqrt(area/aspect)))
		if cw >= 1 && ch >= 1 && cw <= iw && ch <= ih {
			w, h = cw, ch
			break
		}
	}
	return r.IntN(iw - w + 1), r.IntN(ih - h + 1), w, h
}

// mirror swaps left and right, in place.
func mirror(img *imageio.Image) {
	for y := range img.H {
		row := img.Pix[3*y*img.W : 3*(y+1)*img.W]
		for a, b := 0, 3*(img.W-1); a < b; a, b = a+3, b-3 {
			for c := range 3 {
				row[a+c], row[b+c] = row[b+c], row[a+c]
			}
		}
	}
}
