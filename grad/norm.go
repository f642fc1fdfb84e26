package grad

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// batchNormRule is the gradient of BatchNormalization,
// Y = scale · X̂ + bias with X̂ = (X − mean) / √(variance + epsilon) per channel:
//
//	X      (N, C, …)  dX = r·dY                                  r = scale / √(variance + epsilon)
//	scale  (C)        dScale = Σ dY·X̂
//	bias   (C)        dBias = Σ dY
//
// the sums over all axes but that of channels. In training mode mean and variance are
// the batch's own and depend on X, so that
//
//	dX = r·(dY − dBias/count − (X − mean)·dScale/(count·√(variance + epsilon)))
//
// written as an Affine of X − mean, which the variance has been computed from, an Add, which
// ONNX Runtime takes into a Conv where the Affine is one, and a Mul by r, which a Conv before
// takes to its weights; per channel everything is a few numbers. The running statistics are
// outputs that no derivative may arrive at in training mode, and have no rule as inputs in
// inference mode; the batch's are computed once more.
// Source: Ioffe and Szegedy, arXiv:1502.03167, section 3. Checked: testdata/norm.npz.
func batchNormRule(c *call) error {
	if c.dY[0] == nil || len(c.dY) > 1 && (c.dY[1] != nil || c.dY[2] != nil) {
		return c.none("by its running statistics")
	}
	if len(c.n.In[0].Shape) < 2 {
		return fmt.Errorf("%s: the rank of %q is unknown; bind its shape", c.n, c.n.In[0].Name)
	}
	if c.n.Int("training_mode", 0) != 0 {
		return c.trainingNorm()
	}
	if c.wants(3) || c.wants(4) {
		return c.none("inference mode by mean or variance")
	}
	x, scale, dY := c.n.In[0], c.n.In[1], c.dY[0]
	mean, variance := c.n.In[3], c.n.In[4]
	epsilon := c.n.Float("epsilon", 1e-5)
	axes := others(len(x.Shape), 1)
	if c.wants(0) {
		// r·dY, as a normalisation of mean 0
		dX := c.BatchNormalization(dY, scale, c.filled(mean, 0), c.filled(mean, 0), variance, epsilon)
		if err := c.give(0, dX); err != nil {
			return err
		}
	}
	if c.wants(1) {
		normal := c.BatchNormalization(x, c.filled(mean, 1), c.filled(mean, 0), mean, variance, epsilon)
		if err := c.give(1, c.ReduceSum(c.Mul(dY, normal), axes...)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	return c.give(2, c.ReduceSum(dY, axes...))
}

// Moments returns the mean and the population variance of x (N, C, …) per channel, (C),
// and x less its mean, by the same nodes as the rule of BatchNormalization in training
// mode uses: who replaces such a node by its parts finds them there.
func Moments(b *onnx.Builder, x *onnx.Value) (mean, variance, off *onnx.Value) {
	axes := others(len(x.Shape), 1)
	mean = b.ReduceMeanKeep(x, axes...)
	off = b.Sub(x, mean)
	if !wideMaps(x) {
		return b.Reshape(mean, -1), b.ReduceMean(b.Mul(off, off), axes...), off
	}
	size := b.Scalar(x.DType, 1/float64(product(x.Shape[2:])))
	return b.Reshape(mean, -1), b.Mul(b.ReduceMean(mapProducts(b, off, off), 0), size), off
}

// wideMaps reports whether mapProducts pays for x.
func wideMaps(x *onnx.Value) bool {
	const least = 512 // elements of a map
	return len(x.Shape) > 2 && x.Shape[1:].Static() && tensor.Size(x.Shape[2:]) >= least && (x.DType == tensor.Float32 || x.DType == tensor.Float64)
}

// mapProducts is Σ x·y over each map, (N, C), of x and y (N, C, …). As products of a row
// by a column, the Transpose taken into them by ONNX Runtime, nothing is written: for 77 MB
// with maps of 112×112 5 ms of one core, where Mul and ReduceSum take 11.
func mapProducts(b *onnx.Builder, x, y *onnx.Value) *onnx.Value {
	row, column := b.Reshape(x, 0, 0, 1, -1), b.Transpose(b.Reshape(y, 0, 0, 1, -1), 0, 1, 3, 2)
	return b.Reshape(b.MatMul(row, column), 0, -1)
}

// Affine is scale·x + shift with a scale and a shift (C) for each channel of x (N, C, …), as a
// Conv by a 1×1 kernel for each channel or as an inference BatchNormalization. ONNX Runtime
// runs the former on all cores and takes a Clip or Relu into it: 77 MB with maps of 112×112
// take 2 cores 5.5 ms, the latter and a Clip 11.
func Affine(b *onnx.Builder, x, scale, shift *onnx.Value) *onnx.Value {
	if wideMaps(x) && x.DType == tensor.Float32 {
		one := slices.Repeat([]int64{1}, len(x.Shape)-1)
		return b.Conv(x, b.Reshape(scale, slices.Concat([]int64{-1}, one)...), shift, onnx.ConvAttrs{Group: x.Shape[1]})
	}
	fill := func(v float64) *onnx.Value { return b.ExpandTo(b.Scalar(scale.DType, v), b.Shape(scale)) }
	return b.BatchNormalization(x, scale, shift, fill(0), fill(1), 0)
}

// trainingNorm is batchNormRule in training mode.
func (c *call) trainingNorm() error {
	x, scale, dY := c.n.In[0], c.n.In[1], c.dY[0]
	if x.DType != tensor.Float32 && x.DType != tensor.Float64 || scale.DType != x.DType {
		return c.none("training mode in %s", x.DType)
	}
	if conv := Projection(c.n, c.uses); conv != nil {
		return c.projectedNorm(conv)
	}
	axes := others(len(x.Shape), 1)
	_, variance, off := Moments(c.Builder, x)
	inverse := Inverse(c.Builder, c.n, variance)
	dBias := c.ReduceSum(dY, axes...)
	var dot *onnx.Value
	if wideMaps(x) {
		dot = c.ReduceSum(mapProducts(c.Builder, dY, off), 0)
	} else {
		dot = c.ReduceSum(c.Mul(dY, off), axes...)
	}
	if c.wants(0) {
		n := c.Neg(c.count(dY, dBias))
		tilt := c.Div(c.Mul(dot, c.Mul(inverse, inverse)), n)
		lean := Affine(c.Builder, off, tilt, c.Div(dBias, n))
		if err := c.give(0, c.Mul(c.Add(lean, dY), c.Reshape(c.Mul(scale, inverse), slices.Insert(slices.Repeat([]int64{1}, len(axes)-1), 0, -1)...))); err != nil {
			return err
		}
	}
	if c.wants(1) {
		if err := c.give(1, c.Mul(dot, inverse)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	return c.give(2, dBias)
}

// Inverse is 1 / √(variance + epsilon) of a BatchNormalization.
func Inverse(b *onnx.Builder, n *onnx.Node, variance *onnx.Value) *onnx.Value {
	of := func(v float64) *onnx.Value { return b.Scalar(variance.DType, v) }
	return b.Div(of(1), b.Sqrt(b.Add(variance, of(float64(n.Float("epsilon", 1e-5))))))
}
