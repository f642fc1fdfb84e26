package imageio

import (
	"fmt"
	"math"
)

// Filter says how Resize computes new pixels from old ones. Models answer best with
// the filter they were trained with; their cards name it.
type Filter int

// The filters. s is the source size divided by the new size.
const (
	// BilinearTF is TensorFlow 1's ResizeBilinear with align_corners and
	// half_pixel_centers false: source = s·i, two by two pixels, no antialiasing.
	BilinearTF Filter = iota
	// BilinearHalfPixel takes source = s·(i+½) − ½, two by two pixels, no
	// antialiasing: PyTorch's interpolate and TensorFlow 2's resize.
	BilinearHalfPixel
	// Bilinear is a triangle of radius max(1, s), Pillow's BILINEAR; torchvision's
	// Resize with antialias.
	Bilinear
	// Bicubic is Keys' cubic, a = −½, of radius 2·max(1, s), Pillow's BICUBIC.
	Bicubic
	// Area is the mean of the pixels under the new one, Pillow's BOX and, where s is
	// whole, OpenCV's INTER_AREA.
	Area
	// Lanczos is a windowed sinc of radius 3·max(1, s), Pillow's and libvips' LANCZOS3.
	Lanczos
)

// filterNames are the spellings of model cards and configuration.
var filterNames = [...]string{"bilinear-tf", "bilinear-half-pixel", "bilinear", "bicubic", "area", "lanczos"}

// String returns the name that ParseFilter reads.
func (f Filter) String() string {
	if f < 0 || int(f) >= len(filterNames) {
		return fmt.Sprintf("Filter(%d)", int(f))
	}
	return filterNames[f]
}

// ParseFilter returns the filter of a name: bilinear-tf, bilinear-half-pixel,
// bilinear, bicubic, area or lanczos.
func ParseFilter(name string) (Filter, error) {
	for i, n := range filterNames {
		if n == name {
			return Filter(i), nil
		}
	}
	return 0, fmt.Errorf("filter %q: not one of %v", name, filterNames)
}

// MarshalText and UnmarshalText let cards and configuration spell filters by name.
func (f Filter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a filter's name.
func (f *Filter) UnmarshalText(text []byte) error {
	g, err := ParseFilter(string(text))
	if err == nil {
		*f = g
	}
	return err
}

// kernel returns the antialiasing filters' function and radius, for s = 1.
func (f Filter) kernel() (fn func(x float64) float64, radius float64) {
	switch f {
	case Bicubic:
		return cubic, 2
	case Area:
		return func(x float64) float64 {
			if x > -0.5 && x <= 0.5 {
				return 1
			}
			return 0
		}, 0.5
	case Lanczos:
		return func(x float64) float64 { return sinc(x) * sinc(x/3) }, 3
	default:
		return func(x float64) float64 { return 1 - math.Abs(x) }, 1
	}
}

// cubic is R. Keys, "Cubic convolution interpolation for digital image processing",
// IEEE ASSP 29 (1981), with a = −½.
func cubic(x float64) float64 {
	x = math.Abs(x)
	if x < 1 {
		return (1.5*x-2.5)*x*x + 1
	}
	return ((-0.5*x+2.5)*x-4)*x + 2
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// taps are the weights of one axis: output i is the sum of n source positions from
// first[i], weighted by k[i*n : (i+1)*n], which sum to about 1<<22.
type taps struct {
	first, k []int32
	n        int
}

// newTaps computes the weights for out pixels from the interval [from, to) of an axis
// of size pixels. Pixels outside the image take no part, as in Pillow.
func newTaps(f Filter, size int, from, to float64, out int) taps {
	fn, radius := f.kernel()
	s := (to - from) / float64(out)
	wide := max(1, s)
	support := radius * wide
	span := func(i int) (centre float64, lo, hi int) {
		centre = from + (float64(i)+0.5)*s
		return centre, max(0, int(centre-support+0.5)), min(size, int(centre+support+0.5))
	}
	t := taps{first: make([]int32, out), n: 1}
	for i := range out {
		_, lo, hi := span(i)
		t.n = max(t.n, hi-lo)
	}
	t.k = make([]int32, out*t.n)
	weights := make([]float64, t.n)
	for i := range out {
		centre, lo, hi := span(i)
		sum := 0.0
		for j := range hi - lo {
			weights[j] = 0
			if x := (float64(lo+j) - centre + 0.5) / wide; math.Abs(x) <= radius {
				weights[j] = fn(x)
			}
			sum += weights[j]
		}
		// The kernel reads n positions for every output: begin early enough for all of
		// them to lie inside, with weight 0 where none is due.
		first := min(lo, size-t.n)
		t.first[i] = int32(first)
		for j := range hi - lo {
			if sum != 0 {
				t.k[i*t.n+lo-first+j] = int32(math.Round(weights[j] / sum * (1 << 22)))
			}
		}
	}
	return t
}

// pairs are the two source positions of each output pixel of one axis and the weight
// of the second, 0 to 1.
type pairs struct {
	a, b []int32
	f    []float32
}

// newPairs computes pairs for out pixels from the interval [from, to) of an axis of
// size pixels; unit multiplies the positions.
func newPairs(f Filter, size int, from, to float64, out, unit int) pairs {
	buf := make([]int32, 2*out)
	p := pairs{buf[:out], buf[out:], make([]float32, out)}
	s := float32((to - from) / float64(out)) // float32, as TensorFlow and PyTorch compute it
	for i := range out {
		x := float32(from) + s*float32(i)
		if f == BilinearHalfPixel {
			x = max(0, float32(from)+s*(float32(i)+0.5)-0.5)
		}
		lo := min(int(x), size-1)
		p.a[i], p.b[i] = int32(lo*unit), int32(min(lo+1, size-1)*unit)
		p.f[i] = x - float32(lo)
	}
	return p
}

// fixed returns the weights as 0 to 2048.
func (p pairs) fixed() []int32 {
	f := make([]int32, len(p.f))
	for i, w := range p.f {
		f[i] = int32(w*2048 + 0.5)
	}
	return f
}
