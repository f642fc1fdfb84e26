package grad

import (
	"trilobite/onnx"
)

// gridSample is GridSample of X (N, C, H, W) or (N, C, D, H, W), of known C, H, W and D, at
// a grid (N, …, 2) or (N, …, 3) of x, y (and z) in −1 to 1: a sum of X's elements around each
// place, times weights that depend on it. Modes linear, nearest and (of two axes) cubic with
// A = −0.75; padding zeros, border, reflection. At a place that border clips, and between the
// places that nearest jumps at, the derivative by the grid is 0.
//
// Source: ONNX's GridSample, torch.nn.functional.grid_sample. Checked:
// testdata/grid_sample.npz.
func gridSample(c *call) ([]*onnx.Value, error) {
	x, grid := c.n.In[0], c.n.In[1]
	d := len(x.Shape) - 2
	s := sampler{c, c.n.Str("mode", "linear"), c.n.Str("padding_mode", "zeros"), c.n.Int("align_corners", 0) != 0}
	switch {
	case d != 2 && d != 3 || !x.Shape[1:].Static() || !fits(x.Shape[1:]):
		return nil, c.none("X %v: bind all sizes but the batch", x.Shape)
	case s.mode != "linear" && s.mode != "nearest" && (s.mode != "cubic" || d != 2):
		return nil, c.none("mode %q of %d axes", s.mode, d)
	case len(grid.Shape) != d+2:
		return nil, c.none("grid %v", grid.Shape)
	}
	at := make([][]tap, d) // by X's axes: the grid's last axis counts them from the last
	for i := range d {
		last := int64(d - 1 - i)
		place := c.Reshape(c.Slice(grid, []int64{-1}, []int64{last}, []int64{last + 1}), 0, 1, -1)
		at[i] = s.taps(place, x.Shape[2+i])
	}
	flat := c.Reshape(x, 0, 0, -1)
	var sum *onnx.Value
	s.each(at, tap{}, func(t tap) {
		index := c.Expand(t.index, 1, x.Shape[1], 1)
		part := c.GatherElements(flat, index, 2)
		if t.weight != nil {
			part = c.Mul(part, t.weight)
		}
		if sum == nil {
			sum = part
		} else {
			sum = c.Add(sum, part)
		}
	})
	return []*onnx.Value{c.reshapedLike(sum, c.n.Out[0])}, nil
}

// sampler says how GridSample reads between and outside X's elements.
type sampler struct {
	*call

	mode, padding string
	corners       bool
}

// tap is an element of X that counts at a place: its index along an axis, or along all of
// them, int64 (N, 1, places), and its weight, nil for 1.
type tap struct{ index, weight *onnx.Value }

// each calls do with every combination of taps of the axes, the last axis' index counting
// ones.
func (s sampler) each(axes [][]tap, before tap, do func(tap)) {
	if len(axes) == 0 {
		do(before)
		return
	}
	size := s.n.In[0].Shape[len(s.n.In[0].Shape)-len(axes)]
	for _, t := range axes[0] {
		if before.index != nil {
			t.index = s.Add(s.Mul(before.index, s.Int(size)), t.index)
		}
		switch {
		case before.weight == nil:
		case t.weight == nil:
			t.weight = before.weight
		default:
			t.weight = s.Mul(before.weight, t.weight)
		}
		s.each(axes[1:], t, do)
	}
}

// taps lists the elements along an axis of a size that count at places of −1 to 1.
func (s sampler) taps(place *onnx.Value, size int64) []tap {
	n := float64(size)
	// In elements, the first one's centre being 0.
	p := s.scaled(s.Add(place, s.like(place, 1)), n/2)
	if s.corners {
		p = s.scaled(s.Add(place, s.like(place, 1)), (n-1)/2)
	} else {
		p = s.Sub(p, s.like(place, 0.5))
	}
	switch s.mode {
	case "nearest":
		return []tap{s.tap(s.Round(s.padded(p, size)), nil, size)}
	case "linear":
		p = s.padded(p, size)
		low := s.Floor(p)
		part := s.Sub(p, low)
		return []tap{
			s.tap(low, s.Sub(s.like(p, 1), part), size),
			s.tap(s.Add(low, s.like(p, 1)), part, size),
		}
	default:
		low := s.Floor(p)
		part := s.Sub(p, low)
		var taps []tap
		for i, w := range s.cubic(part) {
			taps = append(taps, s.tap(s.padded(s.Add(low, s.like(p, float64(i-1))), size), w, size))
		}
		return taps
	}
}

// tap is the element at a whole number; with zeros for padding it weighs 0 outside.
func (s sampler) tap(at, weight *onnx.Value, size int64) tap {
	last := float64(size - 1)
	if s.padding == "zeros" {
		inside := s.mask(s.And(s.GreaterOrEqual(at, s.like(at, 0)), s.LessOrEqual(at, s.like(at, last))), at)
		if weight == nil {
			weight = inside
		} else {
			weight = s.Mul(weight, inside)
		}
	}
	return tap{s.Cast(s.ClipTo(at, 0, last), s.Int(0).DType), weight}
}

// cubic weighs the elements at −1, 0, 1 and 2 for a place at part, 0 to 1, by the
// convolution kernel of Keys (1981) with A = −0.75, as PyTorch and ONNX Runtime do.
func (s sampler) cubic(part *onnx.Value) []*onnx.Value {
	const a = -0.75
	of := func(v float64) *onnx.Value { return s.like(part, v) }
	near := func(d *onnx.Value) *onnx.Value { // ((A+2)d − (A+3))d² + 1 for d of 0 to 1
		return s.Add(s.Mul(s.Sub(s.Mul(d, of(a+2)), of(a+3)), s.Mul(d, d)), of(1))
	}
	far := func(d *onnx.Value) *onnx.Value { // ((A·d − 5A)d + 8A)d − 4A for d of 1 to 2
		return s.Sub(s.Mul(s.Add(s.Mul(s.Sub(s.Mul(d, of(a)), of(5*a)), d), of(8*a)), d), of(4*a))
	}
	rest := s.Sub(of(1), part)
	return []*onnx.Value{far(s.Add(part, of(1))), near(part), near(rest), far(s.Add(rest, of(1)))}
}

// padded moves places outside an axis to inside it: to its ends, or mirrored there, about
// the outermost centres or edges.
func (s sampler) padded(p *onnx.Value, size int64) *onnx.Value {
	of := func(v float64) *onnx.Value { return s.like(p, v) }
	last := float64(size - 1)
	switch s.padding {
	case "border":
		return s.ClipTo(p, 0, last)
	case "reflection":
		low, span := -0.5, float64(size)
		if s.corners {
			low, span = 0, last
		}
		if span == 0 {
			return s.scaled(p, 0)
		}
		off := s.Abs(s.Sub(p, of(low)))
		turns := s.Floor(s.Div(off, of(span)))
		rest := s.Sub(off, s.Mul(turns, of(span)))
		half := s.Mul(turns, of(0.5))
		even := s.Equal(half, s.Floor(half))
		return s.ClipTo(s.Where(even, s.Add(rest, of(low)), s.Sub(of(span+low), rest)), 0, last)
	default:
		return p
	}
}
