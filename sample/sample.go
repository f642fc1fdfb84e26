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

	Class   int64          // Classify; −1: the picture shows none
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
	if t.Spec().Tiled() {
		return nil, errors.New("preprocessing: tile is for answers: a training is shown whole pictures; set it on the trained model by `trilobite models pipeline`")
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
	plan, o := l.o.Augment, l.transform.Loading()
	o.Limits = l.o.Limits
	if epoch < 0 {
		plan = augment.Plan{}
	} else {
		o.MinSide = l.minSide
	}
	pic, err := imageio.Decode(ctx, data, o)
	if err != nil {
		return nil, err
	}
	after, way, err := l.transform.Steps(pic)
	if err != nil {
		return nil, err
	}
	v := view{pic: pic, after: after, way: way, change: plan.Draw(after.W, after.H, augment.Seed(l.o.Seed, max(0, epoch), index))}
	seen := after
	if !plan.Nothing() {
		seen = v.change.Image(after)
	}
	s := &Sample{}
	if s.X, v.fit, err = l.transform.Fit(seen); err != nil {
		return nil, err
	}
	s.Mapping = v.fit
	if plan.Nothing() && len(l.transform.Spec().Steps) > 0 {
		s.Mapping = v.fit.Through(way)
	}
	switch l.o.Task {
	case Segment:
		s.Mask, err = l.mask(img, &v)
	case Detect:
		err = l.boxes(s, img, &v)
	default:
		switch {
		case len(img.Classes) > 0:
			s.Class = int64(img.Classes[0])
		case img.Negative:
			s.Class = -1
		default:
			return nil, errors.New("the picture has no class")
		}
	}
	return s, err
}

// view is how a picture became an input: steps, then a change, then the fit.
type view struct {
	pic    *imageio.Image
	after  *imageio.Image // the steps
	way    pipeline.Way
	change augment.Change
	fit    pipeline.Mapping // to the changed picture
}

// mask returns the classes of the mask's pixels: each is the one of the pixel that its
// middle comes from, through fit, change and steps at once.
func (l *Loader) mask(img *dataset.Image, v *view) (*tensor.Tensor, error) {
	src, err := l.classes(img)
	if err != nil {
		return nil, err
	}
	if src.W != v.pic.FullW || src.H != v.pic.FullH {
		return nil, fmt.Errorf("the mask has %d×%d pixels, its picture %d×%d", src.W, src.H, v.pic.FullW, v.pic.FullH)
	}
	ignore := int64(max(0, l.set.Ignore))
	w, h := l.o.MaskWidth, l.o.MaskHeight
	fullW, fullH := v.fit.Size()
	stepX, stepY := float64(l.transform.Spec().Width)/float64(w), float64(l.transform.Spec().Height)/float64(h)
	at := func(i, j float64) (x, y float64) { // a point of the mask to the source's pixels
		ix, iy := v.fit.Point(i*stepX, j*stepY)
		x, y = v.way.Point(v.change.Source(ix/float64(fullW), iy/float64(fullH)))
		return x * float64(src.W), y * float64(src.H)
	}
	// the map is affine: three points say all
	x0, y0 := at(0, 0)
	x1, y1 := at(1, 0)
	x2, y2 := at(0, 1)
	// what a crop left out is not in the picture, either
	left, top, right, bottom := v.way.Seen()
	firstX, firstY := int(math.Round(left*float64(src.W))), int(math.Round(top*float64(src.H)))
	endX, endY := int(math.Round(right*float64(src.W))), int(math.Round(bottom*float64(src.H)))
	out := make([]int64, w*h)
	for j := range h {
		for i := range w {
			u, v := float64(i)+0.5, float64(j)+0.5
			x, y := int(math.Floor(x0+(x1-x0)*u+(x2-x0)*v+tie)), int(math.Floor(y0+(y1-y0)*u+(y2-y0)*v+tie))
			k := ignore
			if x >= firstX && y >= firstY && x < endX && y < endY {
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
func (l *Loader) boxes(s *Sample, img *dataset.Image, v *view) error {
	if img.W > 0 && (img.W != v.pic.FullW || img.H != v.pic.FullH) {
		return fmt.Errorf("annotated as %d×%d pixels, it has %d×%d", img.W, img.H, v.pic.FullW, v.pic.FullH)
	}
	var boxes []geom.Box
	var classes []int
	for _, o := range img.Objects {
		if o.Crowd {
			continue
		}
		b := o.Box.Box()
		if len(l.transform.Spec().Steps) > 0 {
			if b = v.way.Box(b); b.Clip(float32(v.after.W), float32(v.after.H)).Area() <= 0 {
				continue // cropped away
			}
		}
		boxes, classes = append(boxes, b), append(classes, o.Class)
	}
	boxes, classes = v.change.Boxes(boxes, classes, float64(v.after.FullW), float64(v.after.FullH))
	flat, numbers := []float32{}, []int64{}
	spec := l.transform.Spec()
	for i, b := range boxes {
		x1, y1 := v.fit.FromImage(float64(b.X1), float64(b.Y1))
		x2, y2 := v.fit.FromImage(float64(b.X2), float64(b.Y2))
		b = geom.Box{X1: float32(x1), Y1: float32(y1), X2: float32(x2), Y2: float32(y2)}.Clip(float32(spec.Width), float32(spec.Height))
		if b.Area() <= 0 {
			continue // cropped away by the fit
		}
		flat = append(flat, b.X1, b.Y1, b.X2, b.Y2)
		numbers = append(numbers, int64(classes[i]))
	}
	s.Boxes = tensor.Of([]int64{int64(len(numbers)), 4}, flat)
	s.Classes = tensor.Of([]int64{int64(len(numbers))}, numbers)
	return nil
}
