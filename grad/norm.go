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
//	dX = r·dY − r·dBias/count − (X − mean)·r·dScale/(count·√(variance + epsilon))
//
// written as an inference BatchNormalization of dY, a Mul of X − mean, which the variance
// has been computed from, and a Sub; per channel everything is a few numbers. The running
// statistics are outputs that no derivative may arrive at in training mode, and have
// no rule as inputs in inference mode; the batch's are computed once more.
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
	return b.Reshape(mean, -1), b.ReduceMean(b.Mul(off, off), axes...), off
}

// trainingNorm is batchNormRule in training mode.
func (c *call) trainingNorm() error {
	x, scale, dY := c.n.In[0], c.n.In[1], c.dY[0]
	if x.DType != tensor.Float32 && x.DType != tensor.Float64 || scale.DType != x.DType {
		return c.none("training mode in %s", x.DType)
	}
	epsilon := c.n.Float("epsilon", 1e-5)
	axes := others(len(x.Shape), 1)
	_, variance, off := Moments(c.Builder, x)
	inverse := c.Div(c.like(variance, 1), c.Sqrt(c.Add(variance, c.like(variance, float64(epsilon)))))
	dBias := c.ReduceSum(dY, axes...)
	product := c.ReduceSum(c.Mul(dY, off), axes...)
	if c.wants(0) {
		r, n := c.Mul(scale, inverse), c.count(dY, dBias)
		even := c.BatchNormalization(dY, r, c.filled(r, 0), c.Div(dBias, n), c.filled(r, 1), 0)
		tilt := c.Div(c.Mul(c.Mul(r, product), c.Mul(inverse, inverse)), n)
		tilt = c.Reshape(tilt, slices.Insert(slices.Repeat([]int64{1}, len(axes)-1), 0, -1)...) // (C, 1, …)
		if err := c.give(0, c.Sub(even, c.Mul(off, tilt))); err != nil {
			return err
		}
	}
	if c.wants(1) {
		if err := c.give(1, c.Mul(product, inverse)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	return c.give(2, dBias)
}
