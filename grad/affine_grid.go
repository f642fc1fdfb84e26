package grad

import (
	"trilobite/onnx"
)

// AffineGrid, Y[n, h, w] = theta[n]·(x, y, 1)', or (x, y, z, 1)' for a volume, the places of a
// picture's elements from −1 to 1: dTheta = Σ dY[n, h, w]·(x, y, 1). Sizes but N must be known.
//
// Source: ONNX's AffineGrid, torch.nn.functional.affine_grid. Checked: testdata/affine_grid.npz.
func affineGridGrad(c *call, theta, y, dY *onnx.Value) *onnx.Value {
	if len(y.Shape) < 4 || !y.Shape[1:].Static() || !fits(y.Shape[1:]) {
		c.Fail(c.none("grid %v: bind all sizes but the batch", y.Shape))
		return theta
	}
	sizes := y.Shape[1 : len(y.Shape)-1] // of the axes, the last one being x's
	d := int64(len(sizes))
	list := make([]float64, 0, product(sizes)*(d+1))
	for place := range product(sizes) {
		at := make([]float64, d+1)
		at[d] = 1
		for i, size := range sizes {
			step := product(sizes[i+1:])
			at[d-1-int64(i)] = c.placeOf(place/step%size, size)
		}
		list = append(list, at...)
	}
	base, err := constantOf(theta.DType, []int64{product(sizes), d + 1}, list)
	if err != nil {
		c.Fail(err)
		return theta
	}
	rows := c.Transpose(c.Reshape(dY, 0, -1, d), 0, 2, 1) // (N, d, places)
	return c.MatMul(rows, c.Const("", base))
}

// placeOf is where element i of an axis of a size lies, from −1 to 1: the ends of the axis
// are the middles of its outer elements or, by default, their edges.
func (c *call) placeOf(i, size int64) float64 {
	switch {
	case c.n.Int("align_corners", 0) == 0:
		return float64(2*i+1)/float64(size) - 1
	case size == 1:
		return 0
	default:
		return 2*float64(i)/float64(size-1) - 1
	}
}
