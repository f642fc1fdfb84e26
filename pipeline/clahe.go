package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// CLAHE equalises the luma of places by themselves, the counts of their histograms cut at
// Slope times the mean, and what was cut spread over all levels (Zuiderveld, Graphics Gems
// IV, 1994); Cb and Cr of BT.601 stay, so each channel changes by as much as the luma.
//
// Tiles divides the image into as many by as many; a pixel is interpolated between the
// curves of the four tiles around it, as OpenCV's createCLAHE does. Window has a histogram
// for each pixel, of the Window×Window around it: vips_hist_local, whose Slope is a count,
// and which takes seconds for a photo.
type CLAHE struct {
	Tiles  int `yaml:"tiles,omitempty"`  // along each side, 1 to 32
	Window int `yaml:"window,omitempty"` // pixels, 2 to 512; at most the image's sides
	Slope  int `yaml:"slope"`            // 1 to 100; 0: no limit
}

const usualTiles = 8 // OpenCV's

func (c *CLAHE) check() error {
	err := within("slope", float64(c.Slope), 0, 100)
	switch {
	case c.Tiles != 0 && c.Window != 0:
		return errors.New("it takes either tiles or window")
	case c.Window != 0:
		return errors.Join(within("window", float64(c.Window), 2, 512), err)
	case c.Tiles != 0:
		return errors.Join(within("tiles", float64(c.Tiles), 1, 32), err)
	}
	return err
}

func (c *CLAHE) apply(w *work) error {
	if c.Window != 0 {
		return w.flow.HistLocal(c.Window, c.Slope)
	}
	y, err := w.flow.Luma()
	if err != nil {
		return err
	}
	now, err := equaliseTiles(y, w.flow.W, w.flow.H, cmp.Or(c.Tiles, usualTiles), c.Slope)
	if err != nil {
		return err
	}
	return w.flow.Shift(now, y)
}

// grid is an image cut into tiles×tiles. Where a side is no multiple, both are rounded up
// beyond it, as OpenCV does, and the image is mirrored into what is missing.
type grid struct {
	y           []uint8 // w×h
	w, h        int
	tiles       int
	tileW, side int // side is a tile's height
	curves      [][256]uint8
}

// equaliseTiles equalises a plane of w×h levels as OpenCV's createCLAHE(slope, (tiles,
// tiles)) does (modules/imgproc/src/clahe.cpp).
func equaliseTiles(y []uint8, w, h, tiles, slope int) ([]uint8, error) {
	g := &grid{y: y, w: w, h: h, tiles: tiles, tileW: w / tiles, side: h / tiles, curves: make([][256]uint8, tiles*tiles)}
	if w%tiles != 0 || h%tiles != 0 {
		g.tileW, g.side = w/tiles+1, h/tiles+1
	}
	if g.tileW*tiles-w >= w || g.side*tiles-h >= h {
		return nil, fmt.Errorf("an image of %d×%d pixels is too small for %d tiles a side", w, h, tiles)
	}
	bands(len(g.curves), func(from, to int) {
		for i := from; i < to; i++ {
			g.curves[i] = g.curve(i, slope)
		}
	})
	out := make([]uint8, len(y))
	bands(h, func(from, to int) { g.interpolate(out, from, to) })
	return out, nil
}

// mirrored returns the place before n that stands for i, which may lie beyond.
func mirrored(i, n int) int {
	if i >= n {
		return 2*n - 2 - i
	}
	return i
}

// curve returns the new level of each, by the histogram of tile i.
func (g *grid) curve(i, slope int) (curve [256]uint8) {
	var counts [256]int
	x0, y0 := i%g.tiles*g.tileW, i/g.tiles*g.side
	for y := y0; y < y0+g.side; y++ {
		row := g.y[mirrored(y, g.h)*g.w:][:g.w]
		for x := x0; x < min(x0+g.tileW, g.w); x++ {
			counts[row[x]]++
		}
		for x := max(x0, g.w); x < x0+g.tileW; x++ {
			counts[row[mirrored(x, g.w)]]++
		}
	}
	area := g.tileW * g.side
	if slope > 0 {
		cutCounts(&counts, max(1, slope*area/256))
	}
	scale, sum := float32(255)/float32(area), 0
	for v, n := range counts {
		sum += n
		curve[v] = uint8(max(0, min(255, math.RoundToEven(float64(float32(sum)*scale)))))
	}
	return curve
}

// cutCounts cuts counts at most, and spreads what was cut: evenly, what is left of that on
// levels as far apart as it reaches.
func cutCounts(counts *[256]int, most int) {
	over := 0
	for v, n := range counts {
		over += max(0, n-most)
		counts[v] = min(n, most)
	}
	left := over % 256
	for v := range counts {
		counts[v] += over / 256
	}
	if left == 0 {
		return
	}
	apart := max(1, 256/left)
	for v := 0; v < 256 && left > 0; v, left = v+apart, left-1 {
		counts[v]++
	}
}

// near are the tiles on both sides of a pixel's middle and the weight of the second. The
// arithmetic is OpenCV's float32.
type near struct {
	a, b int
	t    float32
}

func (g *grid) near(i, side int) near {
	at := float32(i)*(1/float32(side)) - 0.5
	a := int(math.Floor(float64(at)))
	return near{max(a, 0), min(a+1, g.tiles-1), at - float32(a)}
}

// interpolate fills rows of out.
func (g *grid) interpolate(out []uint8, from, to int) {
	across := make([]near, g.w)
	for x := range across {
		across[x] = g.near(x, g.tileW)
	}
	for y := from; y < to; y++ {
		n := g.near(y, g.side)
		above, below := g.curves[n.a*g.tiles:][:g.tiles], g.curves[n.b*g.tiles:][:g.tiles]
		row, dst := g.y[y*g.w:][:g.w], out[y*g.w:][:g.w]
		for x, v := range row {
			m := &across[x]
			up := float32(above[m.a][v])*(1-m.t) + float32(above[m.b][v])*m.t
			down := float32(below[m.a][v])*(1-m.t) + float32(below[m.b][v])*m.t
			dst[x] = round8(up*(1-n.t) + down*n.t)
		}
	}
}

// round8 rounds a level to the nearest, halves to even ones.
func round8(v float32) uint8 {
	const shift = 1 << 23 // where float32 has no fractions
	return uint8(v + shift - shift)
}
