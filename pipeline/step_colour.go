package pipeline

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"trilobite/imageio"
)

// tableOf makes a table of a function of levels 0 to 255, the same for all channels;
// results are rounded and cut to 0 to 255.
func tableOf(f func(x float64) float64) *imageio.Table {
	var t imageio.Table
	for x := range 256 {
		v := level(f(float64(x)))
		t[0][x], t[1][x], t[2][x] = v, v, v
	}
	return &t
}

func level(v float64) uint8 { return uint8(math.Round(max(0, min(255, v)))) }

// bands calls f for parts of n pixels, side by side.
func bands(n int, f func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n)
	var g sync.WaitGroup
	for i := range parts {
		g.Go(func() { f(i*n/parts, (i+1)*n/parts) })
	}
	g.Wait()
}

// Brightness is added, as a share of the whole range: x + 255·b, −1 to 1.
type Brightness float64

func (b *Brightness) check() error { return within("brightness", float64(*b), -1, 1) }

func (b *Brightness) apply(w *work) error {
	return w.flow.Look(tableOf(func(x float64) float64 { return x + 255*float64(*b) }))
}

// Contrast stretches levels around the middle: (x − 127.5)·c + 127.5, 0 to 10.
type Contrast float64

func (c *Contrast) check() error { return within("contrast", float64(*c), 0, 10) }

func (c *Contrast) apply(w *work) error {
	return w.flow.Look(tableOf(func(x float64) float64 { return (x-127.5)*float64(*c) + 127.5 }))
}

// Gamma is the exponent of 255·(x/255)^g, 0.1 to 10: above 1 darker, as torchvision's
// adjust_gamma.
type Gamma float64

func (g *Gamma) check() error { return within("gamma", float64(*g), 0.1, 10) }

func (g *Gamma) apply(w *work) error {
	return w.flow.Look(tableOf(func(x float64) float64 { return 255 * math.Pow(x/255, float64(*g)) }))
}

// Saturation is s of luma + (x − luma)·s, 0 (grey) to 10, as torchvision's
// adjust_saturation.
type Saturation float64

func (s *Saturation) check() error { return within("saturation", float64(*s), 0, 10) }

func (s *Saturation) apply(w *work) error { return w.flow.Saturate(float64(*s)) }

// Greyscale gives all channels the luma of BT.601, as Pillow's convert("L").
type Greyscale struct{}

func (*Greyscale) check() error { return nil }

func (*Greyscale) apply(w *work) error { return w.flow.Saturate(0) }

// WhiteBalance is "grey-world": each channel is multiplied so that its mean becomes the
// mean of all (Buchsbaum, A spatial processor model for object colour perception, 1980).
type WhiteBalance string

const greyWorld = "grey-world"

func (b *WhiteBalance) check() error {
	if *b != greyWorld {
		return fmt.Errorf("it is %.40q; there is %s", string(*b), greyWorld)
	}
	return nil
}

func (b *WhiteBalance) apply(w *work) error {
	img, err := w.flow.Pixels()
	if err != nil {
		return err
	}
	var mean [3]float64
	for c, h := range histograms(img) {
		for x, n := range h {
			mean[c] += float64(x * n)
		}
	}
	grey := (mean[0] + mean[1] + mean[2]) / 3
	var t imageio.Table
	for c := range t {
		for x := range t[c] {
			t[c][x] = uint8(x)
			if mean[c] > 0 {
				t[c][x] = level(float64(x) * grey / mean[c])
			}
		}
	}
	return w.flow.Look(&t)
}

// histograms counts the levels of R, G and B.
func histograms(img *imageio.Image) (h [3][256]int) {
	var mu sync.Mutex
	bands(len(img.Pix)/3, func(from, to int) {
		var part [3][256]int
		for p := img.Pix[3*from : 3*to]; len(p) >= 3; p = p[3:] {
			part[0][p[0]]++
			part[1][p[1]]++
			part[2][p[2]]++
		}
		mu.Lock()
		defer mu.Unlock()
		for c := range part {
			for x, n := range part[c] {
				h[c][x] += n
			}
		}
	})
	return h
}

// Equalise spreads the levels of each channel evenly, as Pillow's ImageOps.equalize and
// torchvision's equalize.
type Equalise struct{}

func (*Equalise) check() error { return nil }

func (*Equalise) apply(w *work) error {
	img, err := w.flow.Pixels()
	if err != nil {
		return err
	}
	var t imageio.Table
	for c, h := range histograms(img) {
		last := 0 // the count of the highest level there is
		for _, n := range h {
			if n > 0 {
				last = n
			}
		}
		step := (len(img.Pix)/3 - last) / 255
		sum := step / 2
		for x, n := range h {
			t[c][x] = uint8(x)
			if step > 0 {
				t[c][x] = uint8(min(255, sum/step))
			}
			sum += n
		}
	}
	return w.flow.Look(&t)
}
