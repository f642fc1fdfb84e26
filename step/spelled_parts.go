package step

import (
	"math"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// parts are those of a normalisation: of C elements each, but for x.
type parts struct {
	x, mean     *onnx.Value
	axis        int         // of x's channels
	variance    *onnx.Value // nil: 1
	scale, bias *onnx.Value // scale nil: 1
	factor      float64     // of scale
	epsilon     float64
	folded      *onnx.Value // scale / √(variance + epsilon), where nobody knows either
}

func (j *joiner) constant(v *onnx.Value) bool { return v != nil && (v.IsConst() || j.fixed[v]) }

// parts recognises the last node of a normalisation, nil if it is none.
func (j *joiner) parts(last *onnx.Node) *parts {
	product, bias := j.sides(last, "Add")
	if product == nil || product.Node == nil {
		return nil
	}
	p := &parts{bias: bias, factor: 1}
	difference, k := j.sides(product.Node, "Mul")
	switch {
	case difference == nil && is(product.Node, "Div"):
		difference, k = product.Node.In[0], product.Node.In[1]
		if !p.root(k) {
			return nil
		}
	case difference == nil:
		return nil
	case is(difference.Node, "Div"): // (X − mean) / √… · scale
		if p.scale = k; !p.root(difference.Node.In[1]) {
			return nil
		}
		difference = difference.Node.In[0]
	default:
		j.inverse(p, k)
	}
	if !is(difference.Node, "Sub") || !p.place(difference.Node.In[0], difference.Node.In[1]) {
		return nil
	}
	if p.variance == nil && !p.unfold(k) {
		return nil
	}
	if of := p.x.Shape[p.axis]; elements(p.bias) != of || elements(p.mean) != of || p.scale != nil && elements(p.scale) != of || p.variance != nil && elements(p.variance) != of {
		return nil
	}
	return p
}

// sides returns the operands of a commutative node, that computed from the model's inputs
// first; nil if there is not one of each kind.
func (j *joiner) sides(n *onnx.Node, op string) (x, constant *onnx.Value) {
	if !is(n, op) || len(n.In) != 2 {
		return nil, nil
	}
	for i, v := range n.In {
		if !j.constant(v) && j.constant(n.In[1-i]) {
			return v, n.In[1-i]
		}
	}
	return nil, nil
}

// inverse reads k = scale / √(variance + epsilon) where it is computed in the graph.
func (j *joiner) inverse(p *parts, k *onnx.Value) {
	if k.Node == nil || p.reciprocal(k) {
		return
	}
	if is(k.Node, "Div") && p.root(k.Node.In[1]) {
		p.scale = k.Node.In[0]
		return
	}
	if !is(k.Node, "Mul") {
		return
	}
	for i, v := range k.Node.In {
		if p.reciprocal(v) {
			p.scale = k.Node.In[1-i]
			return
		}
	}
}

// reciprocal reads 1 / √(variance + epsilon).
func (p *parts) reciprocal(v *onnx.Value) bool {
	switch {
	case is(v.Node, "Reciprocal"):
		return p.root(v.Node.In[0])
	case is(v.Node, "Div"):
		unit, ok := one(v.Node.In[0])
		return ok && unit == 1 && p.root(v.Node.In[1])
	default:
		return false
	}
}

// root reads √(variance + epsilon).
func (p *parts) root(v *onnx.Value) bool {
	if !is(v.Node, "Sqrt") || !is(v.Node.In[0].Node, "Add") {
		return false
	}
	for i, e := range v.Node.In[0].Node.In {
		variance := source(v.Node.In[0].Node.In[1-i])
		if epsilon, ok := one(e); ok && variance != nil {
			p.variance, p.epsilon = variance, epsilon
			return true
		}
	}
	return false
}

// place reads X − mean: which axis the channels are on.
func (p *parts) place(x, mean *onnx.Value) bool {
	rank := len(x.Shape)
	p.x, p.mean = x, source(mean)
	if p.mean == nil || rank < 2 || len(mean.Shape) > rank || !mean.Shape.Static() {
		return false
	}
	p.axis = -1
	for i, d := range mean.Shape {
		if d == 1 {
			continue
		}
		if p.axis >= 0 {
			return false // several
		}
		p.axis = rank - len(mean.Shape) + i
	}
	if p.axis < 0 && x.Shape[rank-1] == 1 {
		p.axis = rank - 1
	}
	return p.axis > 0
}

// unfold reads k where it is one initializer, in the shape that broadcasts as the mean's.
func (p *parts) unfold(k *onnx.Value) bool {
	scale := source(k)
	if scale == nil || !plain(scale).Initializer || !plain(p.mean).Initializer || !slices.Equal(scale.Shape, p.mean.Shape) {
		return false
	}
	p.scale = k
	if epsilon, ok := freshEpsilon(plain(p.mean), plain(scale)); ok {
		p.epsilon, p.factor = epsilon, math.Sqrt(1+epsilon)
	} else {
		p.folded = plain(scale)
	}
	return true
}

// freshEpsilon returns the epsilon of a layer that was never trained, whose means are 0 and
// whose scales are 1/√(1 + epsilon), with an epsilon of one digit from 1e-6 to 0.9.
func freshEpsilon(mean, scale *onnx.Value) (float64, bool) {
	zero, ok1 := uniform(mean.Data)
	k, ok2 := uniform(scale.Data)
	if !ok1 || !ok2 || zero != 0 || !(k > 0 && k < 1) {
		return 0, false
	}
	epsilon := 1/(k*k) - 1
	digit := math.Pow(10, math.Floor(math.Log10(epsilon)))
	epsilon = math.Round(epsilon/digit) * digit
	const ulp = 1. / (1 << 24) // of float32 below 1
	return epsilon, epsilon > 0.9e-6 && math.Abs(1/math.Sqrt(1+epsilon)-k) <= 2*ulp
}

// fixed tells the values of g that are computed from constants alone.
func fixed(g *onnx.Graph) map[*onnx.Value]bool {
	fixed := map[*onnx.Value]bool{}
	for _, n := range g.Nodes {
		all := !slices.ContainsFunc(n.In, func(v *onnx.Value) bool { return v != nil && !v.IsConst() && !fixed[v] })
		for _, v := range n.Out {
			fixed[v] = all
		}
	}
	return fixed
}

// source is the value whose elements v has, in another shape at most: a float constant, or
// the Identity of one by which an exporter names it once more.
func source(v *onnx.Value) *onnx.Value {
	named := v
	for !v.IsConst() {
		n := v.Node
		if n == nil || n.Domain != "" || !slices.Contains([]string{"Reshape", "Unsqueeze", "Squeeze", "Identity", "Cast"}, n.Op) || n.In[0].DType != v.DType {
			return nil
		}
		if v = n.In[0]; n.Op != "Identity" {
			named = v
		}
	}
	if v.DType != tensor.Float32 && v.DType != tensor.Float64 {
		return nil
	}
	return named
}

// plain is the constant behind Identities.
func plain(v *onnx.Value) *onnx.Value {
	for !v.IsConst() {
		v = v.Node.In[0]
	}
	return v
}

// one is the element of a constant of one.
func one(v *onnx.Value) (float64, bool) {
	if v == nil || !v.IsConst() || v.Data.Len() != 1 {
		return 0, false
	}
	return uniform(v.Data)
}

// uniform is the number that all elements of a float tensor are.
func uniform(t *tensor.Tensor) (float64, bool) {
	if d, ok := tensor.Data[float64](t); ok {
		return d[0], len(slices.Compact(slices.Clone(d))) == 1
	}
	d, ok := tensor.Data[float32](t)
	if !ok || len(d) == 0 || len(slices.Compact(slices.Clone(d))) != 1 {
		return 0, false
	}
	return float64(d[0]), true
}

func is(n *onnx.Node, op string) bool { return n != nil && n.Domain == "" && n.Op == op }

// elements counts v's, −1 if that is open.
func elements(v *onnx.Value) int64 {
	if !v.Shape.Static() {
		return -1
	}
	return tensor.Size(v.Shape)
}
