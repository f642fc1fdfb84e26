package augment

import (
	"math"
	"math/rand/v2"
)

// Change is what happens to one picture.
type Change struct {
	// The part that is seen, in pixels of the picture, before the turn. It reaches out
	// of the picture where the canvas is larger.
	X, Y, W, H int
	// Angle is the turn about the part's middle, in radians, counter-clockwise as one sees
	// it. Flips come after it.
	Angle        float64
	FlipX, FlipY bool

	fromW, fromH int // of the picture
	minBox       float64
	fill         uint8
	color        []adjustment
}

// Seed mixes a training's seed, the epoch and a sample's number into a seed for Draw.
// Source: the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
// number generators", OOPSLA 2014), once for each number.
func Seed(seed uint64, epoch, index int) uint64 {
	z := seed
	for _, v := range [...]uint64{uint64(epoch), uint64(index)} {
		z += v + 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return z
}

// Draw decides what happens to a picture of w×h pixels. The plan is valid.
func (p Plan) Draw(w, h int, seed uint64) Change {
	const stream = 0x7472696c6f626974        // of PCG; any constant
	r := rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // what a seed repeats is wanted, no secret
	c := Change{W: w, H: h, fromW: w, fromH: h, minBox: p.MinBox, fill: uint8(p.Fill)}
	if c.minBox == 0 {
		c.minBox = defaultMinBox
	}
	switch {
	case len(p.Scale) > 0:
		c.scale(r, p.Scale)
	case len(p.Area) > 0:
		c.part(r, p.Area, p.Aspect)
	}
	if p.Rotate > 0 {
		c.Angle = between(r, -p.Rotate, p.Rotate) * math.Pi / 180
	}
	c.FlipX = r.Float64() < p.HorizontalFlip
	c.FlipY = r.Float64() < p.VerticalFlip
	c.color = p.adjustments(r)
	return c
}

// scale sees the picture enlarged by a factor of the range.
func (c *Change) scale(r *rand.Rand, limits []float64) {
	z := between(r, limits[0], limits[1])
	c.W, c.H = max(1, int(math.Round(float64(c.fromW)/z))), max(1, int(math.Round(float64(c.fromH)/z)))
	c.X, c.Y = place(r, c.fromW-c.W), place(r, c.fromH-c.H)
}

// place draws a whole number from 0 to room, or from room to 0 where that is negative.
func place(r *rand.Rand, room int) int {
	if room < 0 {
		return -r.IntN(1 - room)
	}
	return r.IntN(room + 1)
}

// part sees a share of the picture with proportions of the range: up to ten draws, then
// the largest centred part that has them.
// Source: torchvision, transforms/v2/_geometry.py, RandomResizedCrop.
func (c *Change) part(r *rand.Rand, area, aspect []float64) {
	if len(aspect) == 0 {
		aspect = []float64{3.0 / 4, 4.0 / 3}
	}
	for range 10 {
		target := float64(c.fromW) * float64(c.fromH) * between(r, area[0], area[1])
		ratio := math.Exp(between(r, math.Log(aspect[0]), math.Log(aspect[1])))
		w, h := int(math.Round(math.Sqrt(target*ratio))), int(math.Round(math.Sqrt(target/ratio)))
		if w > 0 && h > 0 && w <= c.fromW && h <= c.fromH {
			c.W, c.H = w, h
			c.X, c.Y = place(r, c.fromW-w), place(r, c.fromH-h)
			return
		}
	}
	switch own := float64(c.fromW) / float64(c.fromH); {
	case own < aspect[0]:
		c.H = max(1, int(math.Round(float64(c.fromW)/aspect[0])))
	case own > aspect[1]:
		c.W = max(1, int(math.Round(float64(c.fromH)*aspect[1])))
	}
	c.X, c.Y = (c.fromW-c.W)/2, (c.fromH-c.H)/2
}

func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// identity reports whether the geometry stays as it is.
func (c *Change) identity() bool {
	return c.X == 0 && c.Y == 0 && c.W == c.fromW && c.H == c.fromH && c.Angle == 0 && !c.FlipX && !c.FlipY
}

// source returns the affine map from the changed picture, coordinates as shares of its
// sides, to the picture, as shares of its sides: x = a·u + b·v + c, y = d·u + e·v + f.
// Shares serve picture and mask alike, whatever pixels each has.
func (c *Change) source() (m [6]float64) {
	sin, cos := math.Sincos(c.Angle)
	w, h := float64(c.W), float64(c.H)
	sx, sy := w, h // from share to offset from the middle, flips undone
	if c.FlipX {
		sx = -w
	}
	if c.FlipY {
		sy = -h
	}
	cx, cy := float64(c.X)+w/2, float64(c.Y)+h/2
	fw, fh := float64(c.fromW), float64(c.fromH)
	m[0], m[1] = cos*sx/fw, -sin*sy/fw
	m[3], m[4] = sin*sx/fh, cos*sy/fh
	m[2] = cx/fw - (m[0]+m[1])/2
	m[5] = cy/fh - (m[3]+m[4])/2
	return m
}

// Source returns where in the picture the point u, v of the changed picture comes from;
// all are shares of the sides, 0 to 1, and more or less outside.
func (c *Change) Source(u, v float64) (x, y float64) {
	m := c.source()
	return m[0]*u + m[1]*v + m[2], m[3]*u + m[4]*v + m[5]
}
