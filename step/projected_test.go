package step

import (
	"math"
	"slices"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// The statistics of a 1×1 Conv's outputs come from those of its input: beside what the
// formulas give in float64, for maps far from 0 and rows of W that lie across them.
func TestProjectedBatchNorm(t *testing.T) {
	t.Parallel()
	const n, c, m, size, momentum, epsilon = 2, 3, 8, 20, 0.9, 1e-5
	b := onnx.NewBuilder("test")
	x := b.Input("x", tensor.Float32, onnx.Shape{n, c, 4, 5})
	w := b.Const("w", whole(onnx.Shape{m, c, 1, 1}))
	scale, bias := b.Const("scale", whole(onnx.Shape{m})), b.Const("bias", whole(onnx.Shape{m}))
	zeros := func() *tensor.Tensor { return tensor.Of([]int64{m}, make([]float32, m)) }
	y := b.BatchNormalization(b.Conv(x, w, nil, onnx.ConvAttrs{}), scale, bias, b.Const("mean", zeros()), b.Const("var", zeros()), epsilon)
	loss := b.ReduceMean(b.Mul(y, y))
	b.Output("loss", loss)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	in := whole(onnx.Shape{n, c, 4, 5})
	maps, _ := tensor.Data[float32](in)
	for i := range maps {
		maps[i] = 100*float32(i/size%c) + maps[i]*float32(1+i%5)
	}
	wantLoss, wantMean, wantVariance := normalised(maps, in.Shape, w.Data, scale.Data, bias.Data, epsilon)
	st, err := Build(g, Spec{Loss: loss, Params: []*onnx.Value{w, scale, bias}, BatchNorm: Train})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range st.Graph.Nodes {
		if node.Op == "BatchNormalization" {
			t.Errorf("%s is left", node)
		}
	}
	feeds := []*tensor.Tensor{in, whole(onnx.Shape{m, c, 1, 1}), whole(onnx.Shape{m}), whole(onnx.Shape{m}), zeros(), zeros()}
	out, err := orttest.Load(t, st.Graph).Run(t.Context(), feeds)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range st.Graph.Outputs {
		got, _ := tensor.Data[float32](out[i])
		want := map[string][]float64{"loss": {wantLoss}, "mean.new": wantMean, "var.new": wantVariance}[v.Name]
		for k := range want {
			if v.Name != "loss" {
				want[k] *= 1 - momentum
			}
			if !(math.Abs(float64(got[k])-want[k]) <= 1e-5*math.Abs(want[k])) {
				t.Errorf("%s[%d] = %v, want %v", v.Name, k, got[k], want[k])
			}
		}
	}
}

// normalised is the mean square of the normalised projections of x by w, and the
// projections' means and unbiased variances.
func normalised(x []float32, shape []int64, w, scale, bias *tensor.Tensor, epsilon float64) (loss float64, means, variances []float64) {
	n, c, size := int(shape[0]), int(shape[1]), int(shape[2]*shape[3])
	rows, _ := tensor.Data[float32](w)
	s, _ := tensor.Data[float32](scale)
	o, _ := tensor.Data[float32](bias)
	for i := range s {
		var ys []float64
		for k := range n * size {
			y := 0.0
			for j := range c {
				y += float64(rows[i*c+j]) * float64(x[(k/size*c+j)*size+k%size])
			}
			ys = append(ys, y)
		}
		sum, squares := 0.0, 0.0
		for _, y := range ys {
			sum += y
		}
		mean := sum / float64(len(ys))
		for _, y := range ys {
			squares += (y - mean) * (y - mean)
		}
		for _, y := range ys {
			z := float64(s[i])*(y-mean)/math.Sqrt(squares/float64(len(ys))+epsilon) + float64(o[i])
			loss += z * z / float64(len(ys)*len(s))
		}
		means = append(means, mean)
		variances = append(variances, squares/float64(len(ys)-1))
	}
	return loss, slices.Clone(means), variances
}
