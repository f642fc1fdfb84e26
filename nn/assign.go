package nn

import (
	"fmt"
	"math"

	"trilobite/geom"
	"trilobite/tensor"
)

// AssignOptions say which locations learn which box; zero values take the paper's.
type AssignOptions struct {
	// Radius around a box's centre, in strides, within which locations learn the box, 1.5.
	Radius float64
	// Ranges are the limits between the levels, in strides of the finer level: a level of
	// stride s learns boxes whose farthest side is between Range/2·s and Range·s pixels
	// from the location, 8; the finest has no lower limit and the coarsest no upper one.
	Range float64
}

// Targets are what the outputs of a Detector are trained to, for one image or, stacked, for
// a batch: as inputs of loss.FCOS.
type Targets struct {
	Class   *tensor.Tensor // int64 (A), −1: no object
	Box     *tensor.Tensor // float32 (A, 4), xyxy in pixels of the input; 0, 0, 1, 1 without an object
	Quality *tensor.Tensor // float32 (A), centerness, 0 without an object
}

// Assign tells each location which of an image's boxes it is to find, if any. A box is
// learned by the locations inside it that lie close to its centre, on the level whose range
// its sides fall in; of several boxes a location learns the smallest, and of equal ones the
// first. Tian et al., arXiv:1904.01355, sections 3.1 and 3.2, and its updated centre
// sampling; the limits are torchvision's (models/detection/fcos.py, compute_loss).
//
// boxes are xyxy in pixels of the input, classes their classes from 0. Boxes without area
// teach nothing. Equal arguments give equal targets.
func (d *Detector) Assign(boxes []geom.Box, classes []int64, o AssignOptions) (*Targets, error) {
	if len(boxes) != len(classes) {
		return nil, fmt.Errorf("%d boxes and %d classes", len(boxes), len(classes))
	}
	if o.Radius == 0 {
		o.Radius = 1.5
	}
	if o.Range == 0 {
		o.Range = 8
	}
	total := d.Locations()
	t := newTargets(total)
	class, _ := tensor.Data[int64](t.Class)
	box, _ := tensor.Data[float32](t.Box)
	quality, _ := tensor.Data[float32](t.Quality)
	at := 0
	for n, l := range d.Levels {
		low, high := o.Range/2*float64(l.Stride), o.Range*float64(l.Stride)
		if n == 0 {
			low = 0
		}
		if n == len(d.Levels)-1 {
			high = math.Inf(1)
		}
		for i := range l.Height * l.Width {
			x, y := d.location(l, i)
			if k := smallest(boxes, x, y, float32(o.Radius)*float32(l.Stride), float32(low), float32(high)); k >= 0 {
				b := boxes[k]
				class[at] = classes[k]
				copy(box[4*at:], []float32{b.X1, b.Y1, b.X2, b.Y2})
				quality[at] = centerness(b, x, y)
			}
			at++
		}
	}
	return t, nil
}

// Locations counts the places of all levels, A.
func (d *Detector) Locations() int64 {
	n := int64(0)
	for _, l := range d.Levels {
		n += l.Height * l.Width
	}
	return n
}

func newTargets(n int64) *Targets {
	class, box := make([]int64, n), make([]float32, 4*n)
	for i := range class {
		class[i] = -1
		box[4*i+2], box[4*i+3] = 1, 1 // an area, so that nothing is divided by 0
	}
	return &Targets{tensor.Of([]int64{n}, class), tensor.Of([]int64{n, 4}, box), tensor.Of([]int64{n}, make([]float32, n))}
}

// smallest returns the box of the least area that the place (x, y) may learn, or −1.
func smallest(boxes []geom.Box, x, y, radius, low, high float32) int {
	best, area := -1, float32(0)
	for k, b := range boxes {
		l, t, r, bottom := x-b.X1, y-b.Y1, b.X2-x, b.Y2-y
		near, far := min(l, t, r, bottom), max(l, t, r, bottom)
		off := max(abs(x-(b.X1+b.X2)/2), abs(y-(b.Y1+b.Y2)/2))
		if near > 0 && off < radius && far > low && far < high && (best < 0 || b.Area() < area) {
			best, area = k, b.Area()
		}
	}
	return best
}

// centerness is 1 in the middle of a box and 0 at its sides: equation 3 of the paper.
func centerness(b geom.Box, x, y float32) float32 {
	l, t, r, bottom := float64(x-b.X1), float64(y-b.Y1), float64(b.X2-x), float64(b.Y2-y)
	return float32(math.Sqrt(min(l, r) / max(l, r) * min(t, bottom) / max(t, bottom)))
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }
