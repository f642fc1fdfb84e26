package augment

import (
	"math"
	"math/rand/v2"
)

// adjustment is one change of colours: by a factor, or of the hue by a share of the
// circle. All are torchvision's, on 8-bit levels, in single precision.
// Source: torchvision, transforms/v2/functional/_color.py. Checked: testdata/augment.npz.
type adjustment struct {
	kind   int
	amount float64
}

const (
	brightness = iota
	contrast
	saturation
	hue
)

// adjustments draws the changes of colours and their order.
func (p Plan) adjustments(r *rand.Rand) []adjustment {
	var out []adjustment
	for kind, x := range []float64{brightness: p.Brightness, contrast: p.Contrast, saturation: p.Saturation} {
		if x > 0 {
			out = append(out, adjustment{kind, between(r, max(0, 1-x), 1+x)})
		}
	}
	if p.Hue > 0 {
		out = append(out, adjustment{hue, between(r, -p.Hue, p.Hue)})
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// recolor changes HWC RGB pixels in place.
func recolor(pix []uint8, changes []adjustment) {
	for _, c := range changes {
		switch c.kind {
		case brightness:
			table(pix, float32(c.amount), 0)
		case contrast:
			table(pix, float32(c.amount), mean(pix)*float32(1-c.amount))
		case saturation:
			saturate(pix, c.amount)
		case hue:
			turn(pix, float32(c.amount))
		}
	}
}

// table makes every level x into x·a + b, cut to 0 and 255, its fraction cut off.
func table(pix []uint8, a, b float32) {
	var to [256]uint8
	for x := range to {
		to[x] = level(float32(x)*a + b)
	}
	for i, x := range pix {
		pix[i] = to[x]
	}
}

func level(v float32) uint8 { return uint8(max(0, min(255, v))) }

// grey returns the lightness of a pixel, its fraction cut off.
func grey(r, g, b uint8) float32 {
	return float32(int(float32(r)*0.2989 + float32(g)*0.587 + float32(b)*0.114))
}

// mean returns the mean lightness.
func mean(pix []uint8) float32 {
	sum := 0.0
	for i := 0; i+2 < len(pix); i += 3 {
		sum += float64(grey(pix[i], pix[i+1], pix[i+2]))
	}
	return float32(sum / float64(max(1, len(pix)/3)))
}

// saturate moves pixels away from their grey, or towards it.
func saturate(pix []uint8, amount float64) {
	a, rest := float32(amount), float32(1-amount)
	for i := 0; i+2 < len(pix); i += 3 {
		p := pix[i : i+3 : i+3]
		g := float64(grey(p[0], p[1], p[2])) * float64(rest) // exact: PyTorch adds it in one rounding
		for k, x := range p {
			p[k] = level(float32(float64(float32(x)*a) + g))
		}
	}
}

// turn turns the hue by a share of the circle, through HSV and back.
func turn(pix []uint8, by float32) {
	for i := 0; i+2 < len(pix); i += 3 {
		p := pix[i : i+3 : i+3]
		r, g, b := float32(p[0])/255, float32(p[1])/255, float32(p[2])/255
		hi, lo := max(r, g, b), min(r, g, b)
		if hi == lo {
			continue // no hue to turn
		}
		d := hi - lo
		var h float32
		switch hi {
		case r:
			h = (g - b) / d
		case g:
			h = 2 + (b-r)/d
		default:
			h = 4 + (r-g)/d
		}
		h = h/6 + 1 + by
		h = (h - float32(math.Floor(float64(h)))) * 6
		sector := int(h)
		f := h - float32(sector)
		s := d / hi
		x, y, z := hi*(1-s), hi*(1-s*f), hi*(1-s*(1-f))
		switch sector % 6 {
		case 0:
			r, g, b = hi, z, x
		case 1:
			r, g, b = y, hi, x
		case 2:
			r, g, b = x, hi, z
		case 3:
			r, g, b = x, y, hi
		case 4:
			r, g, b = z, x, hi
		default:
			r, g, b = hi, x, y
		}
		const top = 255 + 1 - 1e-3 // torchvision's way to round to levels
		p[0], p[1], p[2] = level(r*top), level(g*top), level(b*top)
	}
}
