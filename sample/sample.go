// Package sample turns pictures of a data set into what a training step is fed with: the
// model's input and its targets. Each is decoded, changed (package augment) and fitted to
// the input (package pipeline) as it is when the model serves: without augmentation the
// tensor is the same to the bit.
//
// Start at New and Loader.Load, which is safe for concurrent use; reading ahead and
// batches are the caller's.
package sample

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Task says which targets Load makes.
type Task int

// The tasks.
const (
	Classify Task = iota // the first class of the picture
	Segment              // its mask, or its outlines drawn as one; see masks.Outlined
	Detect               // its boxes
)

// Options of New.
type Options struct {
	Task    Task
	Augment augment.Plan
	Seed    uint64
	// MaskWidth and MaskHeight are the size of a Segment target; 0 is the input's.
	MaskWidth, MaskHeight int
	// Versions is how many changed versions NewVersions makes of a picture; 0: a new one
	// each time.
	Versions int
	Limits   imageio.Limits
}

// Sample is one picture, ready for a step.
type Sample struct {
	Index int
	X     *tensor.Tensor // float32, the input's shape with N = 1; give it back with Loader.Recycle
	// Mapping takes what is found in X back to the picture, as it was changed.
	Mapping pipeline.Mapping

	Class   int64          // Classify
	Mask    *tensor.Tensor // Segment: int64 (H, W); outside the picture Set.Ignore, or 0 without one
	Boxes   *tensor.Tensor // Detect: float32 (n, 4), xyxy in pixels of the input
	Classes *tensor.Tensor // Detect: int64 (n)
}

// Loader makes samples of a set's pictures.
type Loader struct {
	set       *dataset.Set
	transform *pipeline.Transform
	o         Options
	minSide   int // for decoding with augmentation
}

// New returns a loader of the set's pictures, which must not change any more.
func New(set *dataset.Set, t *pipeline.Transform, o Options) (*Loader, error) {
	if err := o.Augment.Validate(); err != nil {
		return nil, err
	}
	if o.MaskWidth < 0 || o.MaskHeight < 0 {
		return nil, fmt.Errorf("a mask of %d×%d pixels", o.MaskWidth, o.MaskHeight)
	}
	if o.MaskWidth == 0 || o.MaskHeight == 0 {
		o.MaskWidth, o.MaskHeight = t.Spec().Width, t.Spec().Height
	}
	l := &Loader{set: set, transform: t, o: o}
	l.minSide = int(math.Ceil(float64(t.Spec().MinSide()) * o.Augment.Zoom()))
	return l, nil
}

// Len returns the number of pictures.
func (l *Loader) Len() int { return len(l.set.Images) }

// Recycle gives a sample's input back for a later one.
func (l *Loader) Recycle(s *Sample) { l.transform.Recycle(s.X) }

// Load makes picture index as epoch, from 0, sees it. A negative epoch sees it as the
// model does when it serves, without augmentation. An error names the file.
func (l *Loader) Load(ctx context.Context, index, epoch int) (*Sample, error) {
	img := &l.set.Images[index]
	s, err := l.load(ctx, img, index, epoch)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", img.File, err)
	}
	s.Index = index
	return s, nil
}

func (l *Loader) load(ctx context.Context, img *dataset.Image, index, epoch int) (*Sample, error) {
	data, err := os.ReadFile(img.File) //nolint:gosec // the readers keep files below the data set
	if err != nil {
		return nil, err
	}
	plan, minSide := l.o.Augment, l.minSide
	if epoch < 0 {
		plan, minSide = augment.Plan{}, l.transform.Spec().MinSide()
	}
	pic, err := imageio.Decode(ctx, data, imageio.Options{Limits: l.o.Limits, MinSide: minSide})
	if err != nil {
		return nil, err
	}
	change := plan.Draw(pic.W, pic.H, augment.Seed(l.o.Seed, max(0, epoch), index))
	seen := pic
	if !plan.Nothing() {
		seen = change.Image(pic)
	}
	s := &Sample{}
	if s.X, s.Mapping, err = l.transform.Apply(seen); err != nil {
		return nil, err
	}
	m := s.Mapping
	switch l.o.Task {
	case Segment:
		s.Mask, err = l.mask(img, pic, &change, m)
	case Detect:
		err = l.boxes(s, img, pic, &change, m)
	default:
		if len(img.Classes) == 0 {
			return nil, errors.New("the picture has no class")
		}
		s.Class = int64(img.Classes[0])
	}
	return s, err
}

// mask returns the classes of the mask's pixels: each is the one of the pixel that its
// middle comes from, through the pipeline and the change at once.
func (l *Loader) mask(img *dataset.Image, pic *imageio.Image, c *augment.Change, m pipeline.Mapping) (*tensor.Tensor, error) {
	src, err := l.classes(img)
	if err != nil {
		return nil, err
	}
	if src.W != pic.FullW || src.H != pic.FullH {
		return nil, fmt.Errorf("the mask has %d×%d pixels, its picture %d×%d", src.W, src.H, pic.FullW, pic.FullH)
	}
	ignore := int64(max(0, l.set.Ignore))
	w, h := l.o.MaskWidth, l.o.MaskHeight
	fullW, fullH := m.Size()
	stepX, stepY := float64(l.transform.Spec().Width)/float64(w), float64(l.transform.Spec().Height)/float64(h)
	at := func(i, j float64) (x, y float64) { // a point of the mask to the source's pixels
		ix, iy := m.Point(i*stepX, j*stepY)
		u, v := c.Source(ix/float64(fullW), iy/float64(fullH))
		return u * float64(src.W), v * float64(src.H)
	}
	// the map is affine: three points say all
	x0, y0 := at(0, 0)
	x1, y1 := at(1, 0)
	x2, y2 := at(0, 1)
	out := make([]int64, w*h)
	for j := range h {
		for i := range w {
			u, v := float64(i)+0.5, float64(j)+0.5
			x, y := int(math.Floor(x0+(x1-x0)*u+(x2-x0)*v+tie)), int(math.Floor(y0+(y1-y0)*u+(y2-y0)*v+tie))
			k := ignore
			if x >= 0 && y >= 0 && x < src.W && y < src.H {
				k = int64(src.Pix[y*src.W+x])
			}
			out[j*w+i] = k
		}
	}
	return tensor.Of([]int64{int64(h), int64(w)}, out), nil
}

// tie puts a middle that falls between two pixels, but for rounding, to the second one.
const tie = 1e-6

// classes returns the picture's mask, or draws it from outlines.
func (l *Loader) classes(img *dataset.Image) (*masks.Mask, error) {
	if img.Mask != "" {
		return masks.Load(l.set, img)
	}
	return masks.Draw(img)
}

// boxes gives s the boxes that are seen.
func (l *Loader) boxes(s *Sample, img *dataset.Image, pic *imageio.Image, c *augment.Change, m pipeline.Mapping) error {
	if img.W > 0 && (img.W != pic.FullW || img.H != pic.FullH) {
		return fmt.Errorf("annotated as %d×%d pixels, it has %d×%d", img.W, img.H, pic.FullW, pic.FullH)
	}
	var boxes []geom.Box
	var classes []int
	for _, o := range img.Objects {
		if !o.Crowd {
			boxes, classes = append(boxes, o.Box.Box()), append(classes, o.Class)
		}
	}
	boxes, classes = c.Boxes(boxes, classes, float64(pic.FullW), float64(pic.FullH))
	flat, numbers := []float32{}, []int64{}
	spec := l.transform.Spec()
	for i, b := range boxes {
		x1, y1 := m.FromImage(float64(b.X1), float64(b.Y1))
		x2, y2 := m.FromImage(float64(b.X2), float64(b.Y2))
		b = geom.Box{X1: float32(x1), Y1: float32(y1), X2: float32(x2), Y2: float32(y2)}.Clip(float32(spec.Width), float32(spec.Height))
		if b.Area() <= 0 {
			continue // cropped away by the pipeline
		}
		flat = append(flat, b.X1, b.Y1, b.X2, b.Y2)
		numbers = append(numbers, int64(classes[i]))
	}
	s.Boxes = tensor.Of([]int64{int64(len(numbers)), 4}, flat)
	s.Classes = tensor.Of([]int64{int64(len(numbers))}, numbers)
	return nil
}
