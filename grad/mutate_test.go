package grad

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// refusesMutants differentiates variants of a case whose attributes, shapes and constants
// are changed at random: none may panic, whatever is refused. The seed is fixed.
func (e example) refusesMutants(t *testing.T, c graphCase) {
	t.Helper()
	r := rand.New(rand.NewPCG(4, 3))
	for i := range 60 {
		if said := e.mutant(c, r); said != "" {
			t.Fatalf("mutant %d: %s", i, said)
		}
	}
}

// FuzzGradient is refusesMutants with seeds from the fuzzer, of a few operators with
// many ways to be written.
func FuzzGradient(f *testing.F) {
	x := tensor.Of([]int64{2, 4, 5, 5}, make([]float32, 200))
	w := tensor.Of([]int64{4, 2, 3, 3}, make([]float32, 72))
	s := func(list ...int64) []int64 { return list }
	cases := []graphCase{
		{"conv", func(b builder, x values) *onnx.Value {
			return b.Conv(x[0], x[1], nil, onnx.ConvAttrs{Group: 2, Strides: s(2, 1), Pads: s(1, 0, 1, 1)})
		}, kink},
		{"back", func(b builder, x values) *onnx.Value {
			return b.ConvTranspose(x[0], x[1], nil, onnx.ConvAttrs{Group: 2, Strides: s(2, 1), OutputPadding: s(1, 0)})
		}, kink},
		{"pool", func(b builder, x values) *onnx.Value {
			return b.AveragePool(b.MaxPool(x[0], onnx.PoolAttrs{Kernel: s(2, 2), CeilMode: true}), onnx.PoolAttrs{Kernel: s(3, 2), Pads: s(1, 1, 1, 1)})
		}, kink},
		{"move", func(b builder, x values) *onnx.Value {
			y := b.Slice(b.PadWith(x[0], s(0, 0, 1, 2, 0, 0, 2, 1), "reflect", nil), s(1, -1), s(-3, 0), s(9, -1))
			return b.Tile(b.Transpose(b.Gather(y, b.Ints(2, 0, 1), 1), 0, 2, 3, 1), 1, 2, 1, 1)
		}, kink},
		{"resize", func(b builder, x values) *onnx.Value {
			return b.ResizeTo(x[0], s(2, 4, 7, 3), onnx.ResizeAttrs{Mode: "cubic", Antialias: true})
		}, kink},
		{"norm", func(b builder, x values) *onnx.Value {
			c := b.Const("c", tensor.Vector[float32](1, 2, 3, 4))
			return b.InstanceNormalization(b.GroupNormalization(x[0], c, c, 2, 1e-3), c, c, 1e-3)
		}, kink},
		{"einsum", func(b builder, x values) *onnx.Value { return b.Einsum("bc...,bchh->...c", x[0], x[0]) }, kink},
	}
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 5))
		e := example{x: []*tensor.Tensor{x, w}, dX: []*tensor.Tensor{x, w}}
		if said := e.mutant(cases[r.IntN(len(cases))], r); said != "" {
			t.Fatal(said)
		}
	})
}

// mutant builds the case, changes it in up to three places and differentiates it; it
// returns what went wrong, which an error of Gradient is not.
func (e example) mutant(c graphCase, r *rand.Rand) (wrong string) {
	b := onnx.NewBuilder(c.name)
	var x, wrt values
	for i, v := range e.x {
		x = append(x, b.Input(fmt.Sprint("x", i), v.DType, append(onnx.Shape{}, v.Shape...)))
		if e.dX[i] != nil {
			wrt = append(wrt, x[i])
		}
	}
	y := c.build(b, x)
	loss := b.Output("loss", b.ReduceSum(y))
	g, err := b.Graph()
	if err != nil {
		return err.Error()
	}
	var what string
	for range 1 + r.IntN(3) {
		what += mutate(g, r) + "; "
	}
	defer func() {
		if p := recover(); p != nil {
			wrong = fmt.Sprintf("after %s: panic: %v", what, p)
		}
	}()
	sound := onnx.Check(g) == nil
	if _, err := Gradient(g, loss, wrt); err != nil || !sound {
		return ""
	}
	if err := onnx.Check(g); err != nil {
		return fmt.Sprintf("after %s: %v", what, err)
	}
	return ""
}

// mutate changes one thing of g and says which.
func mutate(g *onnx.Graph, r *rand.Rand) string {
	n := g.Nodes[r.IntN(len(g.Nodes))]
	if len(n.In) == 0 {
		return n.String() + " as it is"
	}
	odd := []int64{-1 << 40, -9, -2, -1, 0, 1, 2, 3, 7, 1 << 40}
	number := func() int64 { return odd[r.IntN(len(odd))] }
	list := func() []int64 {
		l := make([]int64, r.IntN(6))
		for i := range l {
			l[i] = number()
		}
		return l
	}
	switch k := r.IntN(len(n.In)); r.IntN(6) {
	case 0:
		if v := n.In[k]; v != nil && !v.IsConst() && v.Node == nil {
			switch v.Shape = slices.Clone(v.Shape); {
			case r.IntN(4) == 0:
				v.Shape = nil
			case len(v.Shape) > 0:
				v.Shape[r.IntN(len(v.Shape))] = number()
			}
			return fmt.Sprintf("%s of shape %v", v.Name, v.Shape)
		}
	case 1:
		n.In = slices.Clone(n.In[:k])
		return fmt.Sprintf("%s with %d inputs", n, k)
	case 2:
		if k > 0 {
			n.In = slices.Clone(n.In)
			n.In[k] = nil
			return fmt.Sprintf("%s without input %d", n, k)
		}
	case 3:
		if v := n.In[k]; v != nil && v.IsConst() && v.DType == tensor.Int64 {
			v.Data = tensor.Vector(list()...)
			v.Shape = onnx.Shape{v.Data.Len()}
			return fmt.Sprintf("%s of %v", v.Name, v.Data.Raw())
		}
	case 4:
		if v := n.In[k]; v != nil && v.IsConst() {
			v.Data = nil
			return v.Name + " unknown"
		}
	}
	names := make([]string, 0, len(n.Attrs)+4)
	for name := range n.Attrs {
		names = append(names, name)
	}
	sort.Strings(names)
	names = append(names, "axis", "axes", "group", "auto_pad", "mode", "output_shape", "ceil_mode")
	name := names[r.IntN(len(names))]
	attrs := map[string]any{}
	maps.Copy(attrs, n.Attrs)
	n.Attrs = attrs
	switch old := attrs[name].(type) {
	case []int64:
		if l := slices.Clone(old); len(l) > 0 && r.IntN(2) == 0 {
			l[r.IntN(len(l))] = number()
			attrs[name] = l
		} else {
			attrs[name] = list()
		}
	case string:
		attrs[name] = []string{"SAME_UPPER", "SAME_LOWER", "VALID", "edge", "linear", "ij,jk", "...->...", "->", "bcdef,bg->"}[r.IntN(9)]
	case nil:
		attrs[name] = []any{number(), list(), "SAME_LOWER", "reflect"}[r.IntN(4)]
	default:
		if delete(attrs, name); r.IntN(2) == 0 {
			attrs[name] = number()
		}
	}
	return fmt.Sprintf("%s with %s %v", n, name, attrs[name])
}
