package properties

import (
	"math"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
)

const (
	// tightest is the smallest side of a crop against the largest that fits.
	tightest = 0.6
	// keeps is the share of the largest crop's salience that a tighter one must keep.
	keeps = 0.95
)

// CropHints returns a crop for each ratio, width / height, in FullW×FullH pixels: the
// place where the largest box of that ratio holds most of what stands out, drawn in
// by up to 40 percent while it keeps 95 percent of that. A ratio that is not a
// positive number stands for the image's own.
//
// Where nothing stands out, the crop is the largest, in the middle, with confidence 0.
func CropHints(img *imageio.Image, ratios []float32) []trilobite.CropHint {
	s := newSalience(img)
	sums := s.integral()
	fullW, fullH := float64(img.FullW), float64(img.FullH)
	out := make([]trilobite.CropHint, len(ratios))
	for i, ratio := range ratios {
		r := float64(ratio)
		if !(r > 0) || math.IsInf(r, 0) {
			r = fullW / fullH
		}
		c := s.crop(sums, r*fullH/fullW)
		b := geom.Box{
			X1: float32(c.x * fullW), Y1: float32(c.y * fullH),
			X2: float32((c.x + c.w) * fullW), Y2: float32((c.y + c.h) * fullH),
		}
		out[i] = trilobite.CropHint{
			Box: b.Clip(float32(fullW), float32(fullH)), Confidence: float32(c.confidence()), Importance: float32(c.held),
		}
	}
	return out
}

// crop is a box in fractions of the picture's sides, and the share of its salience.
type crop struct{ x, y, w, h, held float64 }

// crop finds the box of the given ratio, in fractions: width over height of a box as
// wide and as high as the picture is 1.
func (s *salience) crop(sums integral, ratio float64) crop {
	w, h := min(1, ratio), min(1, 1/ratio)
	best := s.place(sums, w, h)
	if best.held == 0 {
		return best
	}
	need := best.held * keeps
	for k := 0.95; k >= tightest-1e-9; k -= 0.05 {
		c := s.place(sums, w*k, h*k)
		if c.held < need {
			break
		}
		best = c
	}
	return best
}

// place puts a box of w×h where it holds most, the most central of equal places.
func (s *salience) place(sums integral, w, h float64) crop {
	bw, bh := max(1, int(math.Round(w*float64(s.w)))), max(1, int(math.Round(h*float64(s.h))))
	total := sums.box(0, 0, s.w, s.h)
	best := crop{(1 - w) / 2, (1 - h) / 2, w, h, 0}
	if total == 0 {
		return best
	}
	off := math.Inf(1)
	for y := 0; y+bh <= s.h; y++ {
		for x := 0; x+bw <= s.w; x++ {
			held := sums.box(x, y, x+bw, y+bh) / total
			d := math.Hypot(float64(2*x+bw-s.w), float64(2*y+bh-s.h))
			if held > best.held+1e-9 || held > best.held-1e-9 && d < off {
				fx, fy := min(float64(x)/float64(s.w), 1-w), min(float64(y)/float64(s.h), 1-h)
				best, off = crop{fx, fy, w, h, min(held, 1)}, d
			}
		}
	}
	return best
}

// confidence is how much denser the salience is inside than outside: 1 − outside /
// inside, 0 where it is even, 1 where nothing is left outside.
func (c crop) confidence() float64 {
	area := c.w * c.h
	if c.held == 0 {
		return 0
	}
	if area > 1-1e-6 {
		return 1
	}
	return min(max(1-(1-c.held)/(1-area)*area/c.held, 0), 1)
}
