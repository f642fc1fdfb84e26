package onnx

import (
	"math"
	"math/rand/v2"
	"testing"

	"trilobite/tensor"
)

// TestInferAnyNode: whatever operator, inputs and attributes meet in a node of a
// hostile file, inference and evaluation return, and sizes stay sizes or symbols.
func TestInferAnyNode(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(22, 22))
	names := []string{
		"axis", "axes", "perm", "pads", "strides", "dilations", "kernel_shape", "group", "auto_pad", "ceil_mode",
		"output_padding", "output_shape", "keepdims", "noop_with_empty_axes", "blocksize", "num_outputs", "batch_dims",
		"transA", "transB", "equation", "to", "start", "end", "allowzero", "value", "mode", "num_groups", "training_mode",
		"keep_aspect_ratio_policy", "output_height", "output_dtype", "dtype", "shape", "stash_type",
	}
	var ops []string
	for _, c := range append(readGolden(t, "infer.json"), readGolden(t, "fold.json")...) {
		ops = append(ops, c.Nodes[0].Op)
	}
	for range 50_000 {
		n := &Node{Op: pickOne(r, ops), Attrs: map[string]any{}}
		for range r.IntN(6) {
			n.In = append(n.In, randomValue(r))
		}
		for range 1 + r.IntN(3) {
			n.Out = append(n.Out, &Value{})
		}
		for range r.IntN(4) {
			n.Attrs[pickOne(r, names)] = randomAttr(r)
		}
		if inferNode(n, &Symbols{"N", "M"}) != nil {
			continue
		}
		in := make([]*tensor.Tensor, len(n.In))
		for i, v := range n.In {
			if v != nil {
				in[i] = v.Data
			}
		}
		known := true
		for _, v := range n.Out {
			known = known && v.Shape.Static() && smallShape(v.Shape)
			for _, d := range v.Shape {
				if d < -3 {
					t.Fatalf("%s %v of %v: %v", n.Op, n.Attrs, n.In, v.Shape)
				}
			}
		}
		for i, v := range n.In {
			known = known && (v == nil || in[i] != nil)
		}
		if known {
			evaluate(n, in)
		}
	}
}

func pickOne[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func randomInt(r *rand.Rand) int64 {
	return pickOne(r, []int64{0, 1, 1, 2, 2, 3, 4, 6, -1, -2, -3, 100, 1 << 31, 1 << 40, -1 << 40, math.MaxInt64, math.MinInt64})
}

func randomInts(r *rand.Rand) []int64 {
	list := make([]int64, r.IntN(6))
	for i := range list {
		list[i] = randomInt(r)
	}
	return list
}

func randomValue(r *rand.Rand) *Value {
	t := pickOne(r, []tensor.DType{tensor.Float32, tensor.Float32, tensor.Int64, tensor.Int64, tensor.Bool, tensor.Invalid})
	switch r.IntN(8) {
	case 0:
		return nil
	case 1:
		return &Value{Name: "v", DType: t}
	case 2, 3:
		list := randomInts(r)
		if r.IntN(4) == 0 {
			return constant("c", tensor.Scalar(randomInt(r)))
		}
		return constant("c", tensor.Vector(list...))
	case 4:
		shape := make([]int64, r.IntN(4))
		for i := range shape {
			shape[i] = int64(r.IntN(4))
		}
		data := make([]float32, tensor.Size(shape))
		for i := range data {
			data[i] = pickOne(r, []float32{0, 1, 2.5, -1, 1e30, float32(math.NaN()), float32(math.Inf(1))})
		}
		return constant("f", tensor.Of(shape, data))
	case 5:
		elems := make([]num, 1+r.IntN(4))
		for i := range elems {
			elems[i] = pickOne(r, []num{numOf(-1), numOf(-2), numOf(-3), numOf(4), {n: -1}, {}, {n: 1 << 40}})
		}
		return &Value{Name: "e", DType: tensor.Int64, Shape: Shape{int64(len(elems))}, elems: elems}
	default:
		shape := Shape{}
		for range r.IntN(5) {
			shape = append(shape, pickOne(r, []int64{1, 2, 3, 4, 6, 8, -1, -2, -3, 0, 1 << 40, math.MaxInt64}))
		}
		return &Value{Name: "x", DType: t, Shape: shape}
	}
}

func randomAttr(r *rand.Rand) any {
	switch r.IntN(5) {
	case 0, 1:
		return randomInt(r)
	case 2, 3:
		return randomInts(r)
	default:
		return pickOne(r, []any{"SAME_UPPER", "VALID", "bij,bjk->bik", "...i->i", "i,i", "ij->", "not_larger", "constant", float32(0.5), tensor.Vector[int64](3), tensor.Scalar[float32](2)})
	}
}

// FuzzSimplify: a model that Parse accepts is simplified into one that Check accepts
// and Save writes, or an error says why not; of what it computes, some can be kept.
func FuzzSimplify(f *testing.F) {
	addModels(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Parse(data, "")
		if err != nil || Check(g) != nil || Simplify(g) != nil {
			return
		}
		for _, y := range g.Outputs {
			_, _ = Keep(g, y.Name, 1, []int64{0})
		}
		if _, err := DropDeadChannels(g); err != nil {
			return
		}
		if err := Check(g); err != nil {
			t.Fatalf("no longer valid: %v", err)
		}
		if _, err := Marshal(g); err != nil {
			t.Fatalf("not written: %v", err)
		}
	})
}
