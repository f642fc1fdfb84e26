package onnx

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// everyOp builds a graph that uses each method of Builder once; its outputs are the
// results of table, in order. X is (N, 4, 6, 6), all else follows from it.
func everyOp(t testing.TB) (*Graph, []opResult) {
	t.Helper()
	b := NewBuilder("every operator")
	n := b.Dim("N")
	x := b.Input("x", tensor.Float32, Shape{n, 4, 6, 6})
	m := b.Input("m", tensor.Float32, Shape{3, 5})
	i := b.Input("i", tensor.Int64, Shape{3, 2})
	p := b.Input("p", tensor.Bool, Shape{3, 5})
	ones := func(shape ...int64) *Value {
		data := make([]float32, tensor.Size(shape))
		for k := range data {
			data[k] = 1
		}
		return b.Const("", tensor.Of(shape, data))
	}
	c := ones(4)
	var list []opResult
	add := func(v *Value, dtype tensor.DType, shape ...int64) {
		t.Helper()
		if b.err != nil {
			t.Fatal(b.err)
		}
		list = append(list, opResult{v, dtype, append(Shape{}, shape...)})
	}
	f, whole, boolean := tensor.Float32, tensor.Int64, tensor.Bool

	for _, v := range []*Value{
		b.Add(m, m), b.Sub(m, m), b.Mul(m, m), b.Div(m, m), b.Pow(m, b.Scalar(f, 2)), b.Min(m, m), b.Max(m, m), b.Sum(m, m), b.Mean(m, m),
		b.Neg(m), b.Abs(m), b.Sign(m), b.Floor(m), b.Ceil(m), b.Round(m), b.Sqrt(m), b.Reciprocal(m), b.Exp(m), b.Log(m), b.Sin(m), b.Cos(m),
		b.Erf(m), b.Identity(m), b.Where(p, m, m), b.ClipTo(m, 0, 6), b.CumSum(m, 1), b.CastLike(m, m), b.Trilu(m, true, 1),
		b.Relu(m), b.LeakyRelu(m, 0.1), b.PRelu(m, b.Scalar(f, 0.25)), b.Elu(m, 1), b.Sigmoid(m), b.HardSigmoid(m, 0.2, 0.5), b.HardSwish(m),
		b.Tanh(m), b.Softplus(m), b.Softsign(m), b.Mish(m), b.Gelu(m, true), b.Softmax(m, -1), b.LogSoftmax(m, 1), b.LpNormalization(m, 1, 2),
		b.LayerNormalization(m, ones(5), nil, -1, 1e-5),
	} {
		add(v, f, 3, 5)
	}
	for _, v := range []*Value{
		b.Equal(m, m), b.Greater(m, m), b.GreaterOrEqual(m, m), b.Less(m, m), b.LessOrEqual(m, m), b.And(p, p), b.Or(p, p), b.Xor(p, p), b.Not(p), b.IsNaN(m), b.IsInf(m),
	} {
		add(v, boolean, 3, 5)
	}
	add(b.Mod(i, b.Int(2)), whole, 3, 2)
	add(b.Cast(m, tensor.Float64), tensor.Float64, 3, 5)
	add(b.MatMul(m, ones(5, 2)), f, 3, 2)
	add(b.Gemm(m, ones(2, 5), ones(2), GemmAttrs{TransB: true, Alpha: 0.5}), f, 3, 2)
	add(b.Einsum("ij,kj->ik", m, m), f, 3, 3)

	add(b.Conv(x, ones(8, 2, 3, 3), ones(8), ConvAttrs{Strides: []int64{2, 2}, Pads: []int64{1, 1, 1, 1}, Group: 2}), f, n, 8, 3, 3)
	add(b.ConvTranspose(x, ones(4, 2, 3, 3), nil, ConvAttrs{Strides: []int64{2, 2}, OutputPadding: []int64{1, 0}}), f, n, 2, 14, 13)
	add(b.MaxPool(x, PoolAttrs{Kernel: []int64{3, 3}, Strides: []int64{2, 2}, CeilMode: true}), f, n, 4, 3, 3)
	y, where := b.MaxPoolIndices(x, PoolAttrs{Kernel: []int64{2, 2}, Strides: []int64{2, 2}})
	add(y, f, n, 4, 3, 3)
	add(where, whole, n, 4, 3, 3)
	add(b.AveragePool(x, PoolAttrs{Kernel: []int64{3, 3}, Pads: []int64{1, 1, 1, 1}, CountIncludePad: true}), f, n, 4, 6, 6)
	add(b.GlobalAveragePool(x), f, n, 4, 1, 1)
	add(b.GlobalMaxPool(x), f, n, 4, 1, 1)
	add(b.BatchNormalization(x, c, c, c, c, 1e-3), f, n, 4, 6, 6)
	y, mean, variance := b.BatchNormalizationTraining(x, c, c, c, c, 1e-3, 0.9)
	add(y, f, n, 4, 6, 6)
	add(mean, f, 4)
	add(variance, f, 4)
	add(b.InstanceNormalization(x, c, c, 1e-5), f, n, 4, 6, 6)
	add(b.GroupNormalization(x, c, c, 2, 1e-5), f, n, 4, 6, 6)
	y, mask := b.Dropout(m, 0.3, nil)
	add(y, f, 3, 5)
	add(mask, boolean, 3, 5)

	add(b.Reshape(x, 0, -1), f, n, 144)
	add(b.Flatten(x, 2), f, Unknown, 36)
	add(b.Transpose(x, 0, 2, 3, 1), f, n, 6, 6, 4)
	add(b.Squeeze(b.Unsqueeze(m, 0, 3), 0, 3), f, 3, 5)
	add(b.Unsqueeze(m, 0, 3), f, 1, 3, 5, 1)
	add(b.Expand(m, 2, 1, 5), f, 2, 3, 5)
	add(b.Tile(m, 2, 1), f, 6, 5)
	add(b.Concat(-1, m, m), f, 3, 10)
	parts := b.Split(m, 1, 2, 3)
	add(parts[0], f, 3, 2)
	add(parts[1], f, 3, 3)
	add(b.Slice(x, []int64{2, 3}, []int64{1, 0}, []int64{3, -1}), f, n, 4, 2, 5)
	add(b.SliceStep(m, []int64{1}, []int64{-1}, []int64{-9}, []int64{-2}), f, 3, 3)
	add(b.Pad(m, 0, 1, 2, 0), f, 5, 6)
	add(b.PadWith(m, []int64{1, 1, 1, 1}, "reflect", nil), f, 5, 7)
	add(b.DepthToSpace(x, 2, "DCR"), f, n, 1, 12, 12)
	add(b.SpaceToDepth(x, 2), f, n, 16, 3, 3)
	add(b.Shape(x), whole, 4)
	add(b.Size(x), whole)
	add(b.Range(b.Int(0), b.Int(5), b.Int(2)), whole, 3)
	add(b.ConstantOfShape(b.Ints(2, 3), tensor.Scalar[int64](7)), whole, 2, 3)

	add(b.Gather(m, i, 1), f, 3, 3, 2)
	add(b.GatherElements(m, i, 1), f, 3, 2)
	add(b.GatherND(m, i, 0), f, 3)
	add(b.ScatterElements(m, i, ones(3, 2), 1, "add"), f, 3, 5)
	add(b.ScatterND(m, i, ones(3), "none"), f, 3, 5)
	add(b.OneHot(i, 4, b.Const("", tensor.Vector[float32](0, 1)), -1), f, 3, 2, 4)
	top, at := b.TopK(m, 2, 1)
	add(top, f, 3, 2)
	add(at, whole, 3, 2)
	add(b.ArgMax(m, 1), whole, 3)
	add(b.ArgMin(m, 0), whole, 5)
	add(b.NonZero(m), whole, 2, Unknown)
	add(b.NonMaxSuppression(ones(1, 7, 4), ones(1, 2, 7), 10, 0.5, 0.1), whole, Unknown, 3)

	for _, v := range []*Value{b.ReduceSum(m, 1), b.ReduceMean(m, -1), b.ReduceMax(m, 1), b.ReduceMin(m, 1), b.ReduceL2(m, 1), b.ReduceProd(m, 1)} {
		add(v, f, 3)
	}
	for _, v := range []*Value{b.ReduceSumKeep(m, 1), b.ReduceMeanKeep(m, 1), b.ReduceMaxKeep(m, 1), b.ReduceMinKeep(m, 1), b.ReduceL2Keep(m, 1)} {
		add(v, f, 3, 1)
	}
	add(b.ReduceSum(m), f)
	add(b.Resize(x, []float32{1, 1, 2, 0.5}, ResizeAttrs{Mode: "linear", Coordinates: "align_corners"}), f, n, 4, 12, 3)
	add(b.ResizeTo(x, []int64{9, 3}, ResizeAttrs{Mode: "cubic", Axes: []int64{2, 3}, CubicCoeffA: -0.5, ExcludeOutside: true}), f, n, 4, 9, 3)
	add(b.GridSample(x, b.Expand(ones(1, 1, 1, 2), 1, 5, 7, 2), "linear", "zeros", false), f, 1, 4, 5, 7) // the grid is of 1 sample, so X is too
	add(b.RoiAlign(x, ones(3, 4), b.Const("", tensor.Vector[int64](0, 0, 0)), 2, 3, 0.5, 2), f, 3, 4, 2, 3)

	for _, r := range list {
		b.Output("out_"+r.v.Name, r.v)
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, list
}

// opResult is what an operator must give.
type opResult struct {
	v     *Value
	dtype tensor.DType
	shape Shape
}

func TestBuilderOps(t *testing.T) {
	t.Parallel()
	g, want := everyOp(t)
	for i, w := range want {
		if v := g.Outputs[i]; v.DType != w.dtype || !cmp.Equal(v.Shape, w.shape) {
			t.Errorf("%v: got %v%v, want %v%v", v.Node, v.DType, v.Shape, w.dtype, w.shape)
		}
	}
	if err := Check(g); err != nil {
		t.Error(err)
	}
}
