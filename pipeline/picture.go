package pipeline

import (
	"fmt"

	"trilobite/imageio"
	"trilobite/tensor"
)

// Picture makes a picture of what Apply made, for people to look at: normalisation,
// layout and order of channels undone.
func (t *Transform) Picture(x *tensor.Tensor) (*imageio.Image, error) {
	s := t.spec
	plane := s.Width * s.Height
	d, ok := tensor.Data[float32](x)
	if !ok || len(d) != 3*plane {
		return nil, fmt.Errorf("%s of %v is no input of %d×%d pixels", x.DType, x.Shape, s.Width, s.Height)
	}
	out := imageio.New(s.Width, s.Height)
	for c := range 3 {
		mean, std, at := channel(s.Mean, c, 0), channel(s.Std, c, 1), t.position(c)
		for i := range plane {
			from := at*plane + i
			if s.Layout == NHWC {
				from = 3*i + at
			}
			out.Pix[3*i+c] = level(float64(d[from]*std + mean))
		}
	}
	return out, nil
}
