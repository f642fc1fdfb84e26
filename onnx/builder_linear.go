package onnx

// MatMul is A·B over the last two axes; the axes before them broadcast.
func (b *Builder) MatMul(a, c *Value) *Value { return b.op("MatMul", nil, a, c) }

// GemmAttrs are Gemm's attributes. The zero value is A·B + C.
type GemmAttrs struct {
	Alpha, Beta    float32 // factors of A·B and of C; 0 means 1, as ONNX defaults
	TransA, TransB bool
}

// Gemm is alpha·A·B + beta·C for matrices A (M, K) and B (K, N), each optionally
// stored transposed; C stretches to (M, N) and may be nil.
func (b *Builder) Gemm(a, w, c *Value, attrs GemmAttrs) *Value {
	m := map[string]any{}
	if attrs.Alpha != 0 && attrs.Alpha != 1 {
		m["alpha"] = attrs.Alpha
	}
	if attrs.Beta != 0 && attrs.Beta != 1 {
		m["beta"] = attrs.Beta
	}
	if attrs.TransA {
		m["transA"] = int64(1)
	}
	if attrs.TransB {
		m["transB"] = int64(1)
	}
	return b.op("Gemm", m, a, w, c)
}

// Einsum sums products by an equation such as "bij,bjk->bik".
func (b *Builder) Einsum(equation string, xs ...*Value) *Value {
	return b.op("Einsum", map[string]any{"equation": equation}, xs...)
}
