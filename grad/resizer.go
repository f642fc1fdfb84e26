package grad

import "math"

// resizer is the resizing of one axis, in the words of the ONNX specification of Resize.
// It counts positions in float32, as ONNX Runtime does, so that both round the same way.
type resizer struct {
	in, out              int64
	scale                float32
	mode                 string // nearest, linear, cubic
	coordinates, nearest string
	begin, end           float32 // roi, for tf_crop_and_resize
	cubicA               float64 // of Keys' kernel (IEEE ASSP 29 (1981), p. 1153)
	antialias            bool    // when shrinking, the kernel is as wide as the inputs of one output
	inside               bool    // exclude_outside: inputs beyond the edges do not count, else the edges stand for them
}

// matrix returns the interpolation matrix, (out, in) in row-major order.
func (r resizer) matrix() []float64 {
	m := make([]float64, 0, r.out*r.in)
	for o := range r.out {
		m = append(m, r.row(float32(o))...)
	}
	return m
}

// row returns the inputs' weights in output o.
func (r resizer) row(o float32) []float64 {
	row := make([]float64, r.in)
	last := float64(r.in - 1)
	at := float64(r.at(o))
	if r.coordinates == "tf_crop_and_resize" && (at < 0 || at > last) {
		return row // the extrapolation value
	}
	if r.mode == "nearest" {
		row[int(min(max(r.round(at), 0), last))] = 1
		return row
	}
	stretch := 1.0
	if r.antialias && r.scale < 1 {
		stretch = 1 / float64(r.scale)
	}
	reach := 1 * stretch
	if r.mode == "cubic" {
		reach = 2 * stretch
	}
	sum := 0.0
	for i := math.Floor(at - reach); i <= math.Ceil(at+reach); i++ {
		weight := r.kernel(math.Abs(i-at) / stretch)
		if r.inside && (i < 0 || i > last) {
			continue
		}
		row[int(min(max(i, 0), last))] += weight
		sum += weight
	}
	for i := range row {
		row[i] /= sum
	}
	return row
}

// kernel is the weight of an input at a distance from the output.
func (r resizer) kernel(d float64) float64 {
	a := r.cubicA
	switch {
	case r.mode == "linear":
		return max(1-d, 0)
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((a*d-5*a)*d+8*a)*d - 4*a
	default:
		return 0
	}
}

// at is where output o lies among the inputs.
func (r resizer) at(o float32) float32 {
	in, out := float32(r.in), float32(r.out)
	switch r.coordinates {
	case "align_corners":
		if r.out == 1 {
			return 0
		}
		return o * (in - 1) / (out - 1)
	case "asymmetric":
		return o / r.scale
	case "pytorch_half_pixel":
		if r.out == 1 {
			return 0
		}
	case "half_pixel_symmetric":
		adjusted := out / (r.scale * in)
		return in/2*(1-adjusted) + (o+0.5)/r.scale - 0.5
	case "tf_crop_and_resize":
		if r.out == 1 {
			return 0.5 * (r.begin + r.end) * (in - 1)
		}
		return r.begin*(in-1) + o*(r.end-r.begin)*(in-1)/(out-1)
	}
	return (o+0.5)/r.scale - 0.5
}

// round picks the nearest input.
func (r resizer) round(at float64) float64 {
	switch r.nearest {
	case "floor":
		return math.Floor(at)
	case "ceil":
		return math.Ceil(at)
	case "round_prefer_ceil":
		return math.Floor(at + 0.5)
	default: // round_prefer_floor
		return math.Ceil(at - 0.5)
	}
}
