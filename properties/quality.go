package properties

import (
	"math"

	"trilobite/imageio"
)

// tone measures L*, 0 to 100, over the pixels; both figures are 0 of none.
//
// Brightness is its mean: 0 for black, 100 for white. Contrast is the difference
// between its 95th and its 5th percentile: 0 for a flat picture, 100 for black on white
// in any share between 5 and 95 in 100.
func (p pixels) tone() (brightness, contrast float32) {
	n := len(p) / 3
	if n == 0 {
		return 0, 0
	}
	var histogram [1001]int
	sum := 0.0
	for i := 0; i+2 < len(p); i += 3 {
		l := lightness(p[i], p[i+1], p[i+2])
		sum += l
		histogram[min(max(int(l*10+0.5), 0), 1000)]++
	}
	percentile := func(share float64) float64 {
		seen := 0
		for i, count := range histogram {
			if seen += count; float64(seen) > share*float64(n) {
				return float64(i) / 10
			}
		}
		return 100
	}
	return float32(sum / float64(n)), float32(percentile(0.95) - percentile(0.05))
}

// detailSide bounds the picture that sharpness is measured on.
const detailSide = 320

// detail is a small grey picture and, of every pixel, the variation to its left and
// upper neighbours before and after a strong blur.
type detail struct {
	w, h int
	// per direction (0 along x, 1 along y) and pixel
	before, after [2][]float32
}

// newDetail measures the variations of img: F. Crete et al., "The blur effect:
// perception and estimation with a new no-reference perceptual blur metric" (SPIE
// 6492, 2007), sections 2 and 3, with their blur of 9 pixels.
func newDetail(img *imageio.Image) *detail {
	small := shrink(img, detailSide)
	d := &detail{w: small.W, h: small.H}
	grey := make([]float32, d.w*d.h)
	for i := range grey {
		grey[i] = 0.299*float32(small.Pix[3*i]) + 0.587*float32(small.Pix[3*i+1]) + 0.114*float32(small.Pix[3*i+2])
	}
	for direction, step := range []int{1, d.w} {
		d.before[direction] = d.variation(grey, direction, step)
		d.after[direction] = d.variation(d.blurred(grey, direction, step), direction, step)
	}
	return d
}

// lines calls do with the index of the first pixel and the length of every line of a
// direction.
func (d *detail) lines(direction int, do func(first, n int)) {
	if direction == 0 {
		for y := range d.h {
			do(y*d.w, d.w)
		}
		return
	}
	for x := range d.w {
		do(x, d.h)
	}
}

// blurred is the mean of 9 pixels along a direction, edges repeated.
func (d *detail) blurred(grey []float32, direction, step int) []float32 {
	const radius = 4
	out := make([]float32, len(grey))
	d.lines(direction, func(first, n int) {
		at := func(i int) float32 { return grey[first+min(max(i, 0), n-1)*step] }
		sum := float32(0)
		for i := -radius; i <= radius; i++ {
			sum += at(i)
		}
		for i := range n {
			out[first+i*step] = sum / (2*radius + 1)
			sum += at(i+radius+1) - at(i-radius)
		}
	})
	return out
}

// variation is the absolute difference to the neighbour before, 0 for the first.
func (d *detail) variation(grey []float32, direction, step int) []float32 {
	out := make([]float32, len(grey))
	d.lines(direction, func(first, n int) {
		for i := 1; i < n; i++ {
			at := first + i*step
			out[at] = float32(math.Abs(float64(grey[at] - grey[at-step])))
		}
	})
	return out
}

// sharpness is 100 × the share of variation that the blur takes away, in the direction
// where it takes less, over the pixels that keep holds for. A sharp picture loses most
// of it, a blurred one little; a flat one has none to lose: 0.
func (d *detail) sharpness(keep func(x, y float64) bool) float32 {
	var total, lost [2]float64
	for y := range d.h {
		for x := range d.w {
			if keep != nil && !keep((float64(x)+0.5)/float64(d.w), (float64(y)+0.5)/float64(d.h)) {
				continue
			}
			for k := range 2 {
				b := float64(d.before[k][y*d.w+x])
				total[k] += b
				lost[k] += max(0, b-float64(d.after[k][y*d.w+x]))
			}
		}
	}
	share := 1.0
	for k := range 2 {
		if total[k] > 0 {
			share = min(share, lost[k]/total[k])
		}
	}
	if total[0]+total[1] == 0 {
		return 0
	}
	return float32(100 * share)
}

// shrink returns img with its longer side at most side pixels.
func shrink(img *imageio.Image, side int) *imageio.Image {
	long := max(img.W, img.H)
	if long <= side {
		return img
	}
	small, err := img.Resize(max(1, img.W*side/long), max(1, img.H*side/long), imageio.Area)
	if err != nil {
		return img // sizes of 1 to side cannot be refused
	}
	return small
}
