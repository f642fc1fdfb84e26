package pipeline

import (
	"math"

	"trilobite/imageio"
)

// MinSide returns how many pixels the shorter side of an image must keep when it is
// shrunk on load: twice what the model sees, or what a first step resizes to, so that the
// filter still has its say. An image with fewer pixels is not shrunk; 0 says that none may
// be, for steps count in its pixels.
func (s Spec) MinSide() int {
	for _, step := range s.Steps {
		switch op := step.Op.(type) {
		case *Orient, *Brightness, *Contrast, *Gamma, *Saturation, *Greyscale: // they do not count in pixels
			continue
		case *Resize:
			return 2 * max(op.Width, op.Height)
		}
		return 0
	}
	keep := float64(max(s.Width, s.Height))
	if s.Resize == CentreCrop && s.Crop > 0 {
		keep /= float64(s.Crop)
	}
	return int(math.Ceil(2 * keep))
}

// Loading returns how an image is to be decoded whose steps come later: MinSide, and the
// memory that they will take.
func (s Spec) Loading() imageio.Options {
	c := s.costs()
	return imageio.Options{MinSide: s.MinSide(), Copies: c.copies, More: c.bytes}
}

// Loading returns how a file is to be decoded for Apply, Parts and Steps: they happen while
// it is. The options are for one file.
func (t *Transform) Loading() imageio.Options {
	o := t.spec.Loading()
	if len(t.spec.Steps) > 0 {
		o.Steps = &work{of: t}
	}
	return o
}

// costs are the pictures that steps make of one, all together: nothing is sure to be
// collected before the end.
type costs struct {
	copies int   // of the image's size
	bytes  int64 // of sizes that are known

	size    int64 // bytes of the picture by now; 0: the image's
	pending bool  // something is to be computed still
}

func (s Spec) costs() (c costs) {
	for _, step := range s.Steps {
		switch op := step.Op.(type) {
		case *Tile: // parts are small
		case *Orient:
			c.add() // with what is pending
			c.pending = false
		case *Trim, *WhiteBalance, *Equalise, *Sharpen:
			c.settle()
			c.pending = true
		case *CLAHE:
			c.settle()
			c.pending = true
			if op.Window == 0 {
				c.add() // two planes of luma
			}
		case *Resize:
			c.settle()
			c.size, c.pending = 3*int64(op.Width)*int64(op.Height), true
		default:
			c.pending = true
		}
	}
	c.settle()
	return c
}

func (c *costs) settle() {
	if c.pending {
		c.add()
	}
	c.pending = false
}

func (c *costs) add() {
	if c.size > 0 {
		c.bytes += c.size
	} else {
		c.copies++
	}
}
