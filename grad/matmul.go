package grad

import "trilobite/onnx"

// matMulRule is the gradient of MatMul, Y = A·B over the last two axes:
//
//	A  (…, M, K)    dA = dY·B'        ' swaps the last two axes
//	B  (…, K, N)    dB = A'·dY
//
// summed over the axes along which one of them was repeated. A vector counts as a
// matrix of one row (A) or column (B). With one matrix B for many A, dB is a single
// product over all their rows. Checked: testdata/matmul.npz.
func matMulRule(c *call) error {
	a, b, dY := c.n.In[0], c.n.In[1], c.dY[0]
	rankA, rankB := len(a.Shape), len(b.Shape)
	if rankA == 0 || rankB == 0 {
		return c.none("of %v and %v", a.Shape, b.Shape)
	}
	rowA, columnB := a, b
	if rankB == 1 {
		columnB, dY = c.Unsqueeze(b, 1), c.Unsqueeze(dY, -1)
	}
	if rankA == 1 {
		rowA, dY = c.Unsqueeze(a, 0), c.Unsqueeze(dY, -2)
	}
	if c.wants(0) {
		if err := c.giveMatrix(0, c.MatMul(dY, c.swapped(columnB)), rowA); err != nil {
			return err
		}
	}
	if !c.wants(1) {
		return nil
	}
	if rankA > 2 && rankB <= 2 {
		k, n := a.Shape[rankA-1], columnB.Shape[1]
		if k < 0 || n < 0 {
			return c.none("of %v and %v: bind the last axes", a.Shape, b.Shape)
		}
		rowA, dY = c.Reshape(a, -1, k), c.Reshape(dY, -1, n)
	}
	return c.giveMatrix(1, c.MatMul(c.swapped(rowA), dY), columnB)
}

// giveMatrix gives input i the derivative of m, the matrix that it was taken for.
func (c *call) giveMatrix(i int, dX, m *onnx.Value) error {
	sum, err := c.unbroadcast(dX, m)
	if err != nil {
		return err
	}
	if m != c.n.In[i] && len(m.Shape) != len(c.n.In[i].Shape) {
		sum = c.reshapedLike(sum, c.n.In[i])
	}
	return c.give(i, sum)
}

// swapped exchanges the last two axes of m.
func (w *walk) swapped(m *onnx.Value) *onnx.Value {
	perm := make([]int64, len(m.Shape))
	for i := range perm {
		perm[i] = int64(i)
	}
	k := len(perm)
	perm[k-1], perm[k-2] = perm[k-2], perm[k-1]
	return w.Transpose(m, perm...)
}

// gemmRule is the gradient of Gemm, Y = alpha·A·B + beta·C for matrices:
//
//	A  (M, K)    dA = alpha·dY·B'     ' transposes
//	B  (K, N)    dB = alpha·A'·dY
//	C            dC = beta·dY, summed over broadcast axes
//
// Where A or B is stored transposed, so is its derivative: (dA)' = alpha·B·dY'.
// Checked: testdata/matmul.npz.
func gemmRule(c *call) error {
	a, b, dY := c.n.In[0], c.n.In[1], c.dY[0]
	alpha, beta := c.n.Float("alpha", 1), c.n.Float("beta", 1)
	ta, tb := c.n.Int("transA", 0) != 0, c.n.Int("transB", 0) != 0
	if alpha == 0 {
		return c.none("alpha 0")
	}
	product := func(a, b *onnx.Value, ta, tb bool) *onnx.Value {
		return c.Gemm(a, b, nil, onnx.GemmAttrs{Alpha: alpha, TransA: ta, TransB: tb})
	}
	if c.wants(0) {
		left, right, tl, tr := dY, b, false, !tb
		if ta {
			left, right, tl, tr = b, dY, tb, true
		}
		if err := c.give(0, product(left, right, tl, tr)); err != nil {
			return err
		}
	}
	if c.wants(1) {
		left, right, tl, tr := a, dY, !ta, false
		if tb {
			left, right, tl, tr = dY, a, true, ta
		}
		if err := c.give(1, product(left, right, tl, tr)); err != nil {
			return err
		}
	}
	if c.wants(2) {
		return c.giveSum(2, c.scaled(dY, float64(beta)))
	}
	return nil
}
