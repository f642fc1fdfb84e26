package pipeline

import (
	"fmt"
	"sync"

	"trilobite"
	"trilobite/imageio"
	"trilobite/tensor"
)

// Transform carries out a Spec. It is safe for concurrent use.
type Transform struct {
	spec  Spec
	value [3][256]float32 // the normalised value of each level of R, G and B
	spare sync.Pool       // of *tensor.Tensor, given back by Recycle
}

// Compile checks a Spec and computes its tables.
func Compile(s Spec) (*Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	t := &Transform{spec: s}
	for c := range t.value {
		mean, std := channel(s.Mean, c, 0), channel(s.Std, c, 1)
		for x := range t.value[c] {
			t.value[c][x] = (float32(x) - mean) / std
		}
	}
	return t, nil
}

func channel(v []float32, c int, def float32) float32 {
	switch len(v) {
	case 0:
		return def
	case 1:
		return v[0]
	default:
		return v[c]
	}
}

// Spec returns what the Transform does.
func (t *Transform) Spec() Spec { return t.spec }

// Apply is Compile and Transform.Apply for a single image.
func (s Spec) Apply(img *imageio.Image) (*tensor.Tensor, Mapping, error) {
	t, err := Compile(s)
	if err != nil {
		return nil, Mapping{}, err
	}
	return t.Apply(img)
}

// Apply returns the model's input, float32 of shape Spec.Shape with N = 1, and the way
// back for its boxes. The tensor is the caller's, who may give it back with Recycle. A
// pipeline that cuts images into parts makes more than one input of them: Parts.
func (t *Transform) Apply(img *imageio.Image) (*tensor.Tensor, Mapping, error) {
	if t.spec.Tiled() {
		return nil, Mapping{}, &trilobite.Error{Op: "pipeline", Code: trilobite.Unsupported,
			Msg: "The model's pipeline cuts images into tiles: there is no one input for an image. Send the image, or set a pipeline without the step tile."}
	}
	after, way, err := t.Steps(img)
	if err != nil {
		return nil, Mapping{}, err
	}
	x, m, err := t.Fit(after)
	if len(t.spec.Steps) > 0 {
		m = m.Through(way)
	}
	return x, m, err
}

// Fit is Apply for an image after the steps; the mapping leads back to that.
func (t *Transform) Fit(img *imageio.Image) (*tensor.Tensor, Mapping, error) {
	if err := checkImage(img); err != nil {
		return nil, Mapping{}, err
	}
	p := t.spec.place(img.W, img.H)
	mapping := newMapping(p, img)
	x, data := t.buffer()
	if p.w < t.spec.Width || p.h < t.spec.Height {
		t.fill(data)
	}
	if t.direct() {
		return x, mapping, img.ResizePlanes(p.from, p.w, p.h, t.spec.Filter, t.planesOf(data, p))
	}
	part := img
	if p.w != img.W || p.h != img.H || p.from != img.Bounds() {
		var err error
		if part, err = img.ResizeBox(p.from, p.w, p.h, t.spec.Filter); err != nil {
			return nil, Mapping{}, err
		}
	}
	if t.spec.Layout == NHWC {
		t.interleaved(data, part.Pix, p)
	} else {
		t.planes(data, part.Pix, p)
	}
	return x, mapping, nil
}

// direct reports whether resizing and normalising are one step: for the filters that
// mix two by two pixels.
func (t *Transform) direct() bool {
	return t.spec.Layout != NHWC && (t.spec.Filter == imageio.BilinearTF || t.spec.Filter == imageio.BilinearHalfPixel)
}

// planesOf says where the placed image lies in NCHW data and how it is normalised.
func (t *Transform) planesOf(data []float32, p placement) imageio.Planes {
	plane, at := len(data)/3, p.y*t.spec.Width+p.x
	out := imageio.Planes{Stride: t.spec.Width}
	for c := range out.Data {
		i := t.position(c)
		out.Data[c] = data[i*plane+at : (i+1)*plane]
		mean, std := channel(t.spec.Mean, c, 0), channel(t.spec.Std, c, 1)
		out.Scale[c], out.Bias[c] = 1/std, -mean/std
	}
	return out
}

// Recycle gives a tensor of Apply back for a later one to write into. Nothing may use
// it afterwards.
func (t *Transform) Recycle(x *tensor.Tensor) {
	if x != nil {
		t.spare.Put(x)
	}
}

func (t *Transform) buffer() (*tensor.Tensor, []float32) {
	if x, ok := t.spare.Get().(*tensor.Tensor); ok {
		if d, ok := tensor.Data[float32](x); ok && len(d) == 3*t.spec.Width*t.spec.Height {
			return x, d
		}
	}
	d := make([]float32, 3*t.spec.Width*t.spec.Height)
	return tensor.Of(t.spec.Shape(), d), d
}

// position returns which place of the output's channels R, G or B takes.
func (t *Transform) position(c int) int {
	if t.spec.Order == BGR {
		return 2 - c
	}
	return c
}

// fill writes the letterbox's colour everywhere.
func (t *Transform) fill(data []float32) {
	plane := len(data) / 3
	for c := range 3 {
		v, at := t.value[c][t.spec.Fill], t.position(c)
		if t.spec.Layout == NHWC {
			for i := at; i < len(data); i += 3 {
				data[i] = v
			}
			continue
		}
		d := data[at*plane : (at+1)*plane]
		for i := range d {
			d[i] = v
		}
	}
}

// planes writes NCHW. pix is HWC RGB of p.w×p.h pixels.
func (t *Transform) planes(data []float32, pix []uint8, p placement) {
	plane := len(data) / 3
	var out [3][]float32
	for c := range out {
		at := t.position(c)
		out[c] = data[at*plane : (at+1)*plane]
	}
	vr, vg, vb := &t.value[0], &t.value[1], &t.value[2]
	for y := range p.h {
		at := (p.y+y)*t.spec.Width + p.x
		r, g, b := out[0][at:at+p.w], out[1][at:at+p.w], out[2][at:at+p.w]
		row := pix[3*y*p.w : 3*(y+1)*p.w]
		for x := range r {
			px := row[3*x : 3*x+3 : 3*x+3]
			r[x], g[x], b[x] = vr[px[0]], vg[px[1]], vb[px[2]]
		}
	}
}

// interleaved writes NHWC.
func (t *Transform) interleaved(data []float32, pix []uint8, p placement) {
	r, b := t.position(0), t.position(2)
	vr, vg, vb := &t.value[0], &t.value[1], &t.value[2]
	for y := range p.h {
		at := 3 * ((p.y+y)*t.spec.Width + p.x)
		out := data[at : at+3*p.w]
		row := pix[3*y*p.w : 3*(y+1)*p.w]
		for i := 0; i+3 <= len(out) && i+3 <= len(row); i += 3 {
			d, px := out[i:i+3:i+3], row[i:i+3:i+3]
			d[r], d[1], d[b] = vr[px[0]], vg[px[1]], vb[px[2]]
		}
	}
}

// Feeds reports whether a model's input takes what Apply makes, and if not, what Apply
// makes. A dimension below 0 takes any size.
func (t *Transform) Feeds(d tensor.DType, shape []int64) error {
	made := t.spec.Shape()
	fits := d == tensor.Float32 && len(shape) == len(made)
	for i := 0; fits && i < len(made); i++ {
		fits = shape[i] < 0 || shape[i] == made[i]
	}
	if !fits {
		return fmt.Errorf("preprocessing makes float32 %v (%s)", made, t.spec.layout())
	}
	return nil
}
