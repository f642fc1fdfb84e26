package tfjs

import (
	"trilobite/onnx"
)

// matMul multiplies two matrices, either of which may be stored transposed, and adds
// and applies what is fused to it.
func matMul(c *converter, s *step) []*operand {
	x, w := c.in(s, 0), c.in(s, 1)
	if x.rank() != 2 || w.rank() != 2 {
		c.failf("matrices of shapes %v and %v", x.shape(), w.shape())
		return dead()
	}
	var bias *onnx.Value
	next := 2
	fused := s.Attrs.Strs("fused_ops")
	if len(fused) > 0 && fused[0] == "BiasAdd" {
		bias, fused, next = c.plain(c.in(s, 2)), fused[1:], 3
	}
	a := onnx.GemmAttrs{TransA: s.Attrs.Bool("transpose_a", false), TransB: s.Attrs.Bool("transpose_b", false)}
	o := &operand{v: c.b.Gemm(c.plain(x), c.plain(w), bias, a)}
	n := *s.Node
	n.Attrs = Attrs{"fused_ops": fused, "leakyrelu_alpha": s.Attrs.Float("leakyrelu_alpha", 0.2)}
	return one(c.fused(&step{&n, s.in}, o, next))
}

// batchMatMul multiplies the matrices in the last two axes.
func batchMatMul(c *converter, s *step) []*operand {
	vs := []*onnx.Value{c.plain(c.in(s, 0)), c.plain(c.in(s, 1))}
	for i, name := range []string{"adj_x", "adj_y"} {
		if !s.Attrs.Bool(name, false) {
			continue
		}
		rank := len(vs[i].Shape)
		if rank < 2 {
			c.failf("%s of a tensor of shape %v", name, vs[i].Shape)
			return dead()
		}
		perm := make([]int64, rank)
		for k := range perm {
			perm[k] = int64(k)
		}
		perm[rank-1], perm[rank-2] = perm[rank-2], perm[rank-1]
		if vs[i].IsConst() {
			vs[i] = c.constant(vs[i].Name+"/T", transpose(vs[i].Data, perm))
		} else {
			vs[i] = c.b.Transpose(vs[i], perm...)
		}
	}
	return one(&operand{v: c.b.MatMul(vs[0], vs[1])})
}
