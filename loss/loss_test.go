package loss

import (
	"math"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

type lossFunc func(b *onnx.Builder, x, target *onnx.Value) *onnx.Value

func crossEntropy(a CrossEntropyAttrs) lossFunc {
	return func(b *onnx.Builder, x, target *onnx.Value) *onnx.Value { return CrossEntropy(b, x, target, a) }
}

func smoothL1(beta float64) lossFunc {
	return func(b *onnx.Builder, x, target *onnx.Value) *onnx.Value { return SmoothL1(b, x, target, beta) }
}

func focal(a FocalAttrs) lossFunc {
	return func(b *onnx.Builder, x, target *onnx.Value) *onnx.Value { return Focal(b, x, target, a) }
}

// batched is a shape whose first axis is the symbol N.
func batched(b *onnx.Builder, shape []int64) onnx.Shape {
	return append(onnx.Shape{b.Dim("N")}, shape[1:]...)
}

// run builds a loss with a symbolic batch and returns its value for x and target.
func run(t *testing.T, f lossFunc, x, target *tensor.Tensor) (float64, error) {
	t.Helper()
	b := onnx.NewBuilder("loss")
	y := f(b, b.Input("x", x.DType, batched(b, x.Shape)), b.Input("target", target.DType, batched(b, target.Shape)))
	if b.Err() == nil && (len(y.Shape) != 0 || y.DType != x.DType) {
		t.Errorf("the loss is %s%v, want a scalar %s", y.DType, y.Shape, x.DType)
	}
	b.Output("loss", y)
	out, err := orttest.Build(t, b).Run(t.Context(), []*tensor.Tensor{x, target})
	if err != nil {
		return 0, err
	}
	return scalar(t, out[0]), nil
}

func scalar(t *testing.T, x *tensor.Tensor) float64 {
	t.Helper()
	if v, ok := tensor.Data[float32](x); ok && len(v) == 1 {
		return float64(v[0])
	}
	v, ok := tensor.Data[float64](x)
	if !ok || len(v) != 1 {
		t.Fatalf("%s%v is no loss", x.DType, x.Shape)
	}
	return v[0]
}

func TestGolden(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/losses.npz")
	if err != nil {
		t.Fatal(err)
	}
	w := []float32{0.5, 2, 1, 0, 3.25}
	tests := []struct {
		name string
		loss lossFunc
	}{
		{"classes", crossEntropy(CrossEntropyAttrs{})},
		{"far", crossEntropy(CrossEntropyAttrs{})},
		{"default_ignore", crossEntropy(CrossEntropyAttrs{})},
		{"weights", crossEntropy(CrossEntropyAttrs{Weights: w})},
		{"smooth", crossEntropy(CrossEntropyAttrs{LabelSmoothing: 0.1})},
		{"all_attrs", crossEntropy(CrossEntropyAttrs{IgnoreIndex: new(int64(2)), Weights: w, LabelSmoothing: 0.2})},
		{"pixels", crossEntropy(CrossEntropyAttrs{IgnoreIndex: new(int64(255))})},
		{"pixels_all_attrs", crossEntropy(CrossEntropyAttrs{IgnoreIndex: new(int64(255)), Weights: w, LabelSmoothing: 0.1})},
		{"double", crossEntropy(CrossEntropyAttrs{Weights: w, LabelSmoothing: 0.1})},
		{"bce", BCEWithLogits},
		{"bce_hard", BCEWithLogits},
		{"bce_far", BCEWithLogits},
		{"mse", MSE},
		{"smooth_l1", smoothL1(1)},
		{"smooth_l1_beta", smoothL1(0.11)},
		{"smooth_l1_ties", smoothL1(1)},
		{"focal", focal(FocalAttrs{Gamma: 2, Alpha: 0.25})},
		{"focal_soft", focal(FocalAttrs{Gamma: 1.5})},
		{"focal_far", focal(FocalAttrs{Gamma: 2, Alpha: 0.75})},
		{"focal_flat", focal(FocalAttrs{Alpha: 0.25})},
	}
	if len(golden) != 4*len(tests) {
		t.Errorf("%d arrays for %d cases of 4", len(golden), len(tests))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := run(t, tt.loss, golden[tt.name+".x"], golden[tt.name+".target"])
			if err != nil {
				t.Fatal(err)
			}
			want := scalar(t, golden[tt.name+".loss"])
			t.Logf("off by %.2g", got-want)
			if !(math.Abs(got-want) <= 1e-6*max(1, math.Abs(want))) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestCrossEntropyTargets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		target  []int64
		attrs   CrossEntropyAttrs
		want    float64
		refused bool
	}{
		{name: "every target ignored is a loss of 0", target: []int64{-100, -100}},
		{name: "every weight 0 is a loss of 0", target: []int64{0, 0}, attrs: CrossEntropyAttrs{Weights: []float32{0, 1}}},
		{name: "class 0 can be ignored", target: []int64{0, 1}, attrs: CrossEntropyAttrs{IgnoreIndex: new(int64(0))}, want: math.Ln2},
		{name: "beyond the last class", target: []int64{0, 2}, refused: true},
		{name: "negative is not counted from the end", target: []int64{0, -1}, refused: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := tensor.Of([]int64{2, 2}, []float32{9, -9, 3, 3})
			got, err := run(t, crossEntropy(tt.attrs), x, tensor.Vector(tt.target...))
			if (err != nil) != tt.refused {
				t.Fatalf("got error %v, refused is %v", err, tt.refused)
			}
			if math.Abs(got-tt.want) > 1e-6 {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	const f32, i64 = tensor.Float32, tensor.Int64
	tests := []struct {
		name         string
		loss         lossFunc
		x, target    onnx.Shape
		dtype, tType tensor.DType
		want         string
	}{
		{"integer logits", crossEntropy(CrossEntropyAttrs{}), onnx.Shape{2, 3}, onnx.Shape{2}, i64, i64, "want float32"},
		{"float classes", crossEntropy(CrossEntropyAttrs{}), onnx.Shape{2, 3}, onnx.Shape{2}, f32, f32, "want int64"},
		{"logits without classes", crossEntropy(CrossEntropyAttrs{}), onnx.Shape{2}, onnx.Shape{2}, f32, i64, "(N, C"},
		{"target of another size", crossEntropy(CrossEntropyAttrs{}), onnx.Shape{2, 3, 4, 4}, onnx.Shape{2, 4, 5}, f32, i64, "not [2,4,5]"},
		{"unknown classes", crossEntropy(CrossEntropyAttrs{}), onnx.Shape{2, -1}, onnx.Shape{2}, f32, i64, "not known"},
		{"a weight too few", crossEntropy(CrossEntropyAttrs{Weights: []float32{1, 1}}), onnx.Shape{2, 3}, onnx.Shape{2}, f32, i64, "2 weights for 3"},
		{"negative weight", crossEntropy(CrossEntropyAttrs{Weights: []float32{1, -1}}), onnx.Shape{2, 2}, onnx.Shape{2}, f32, i64, "class 1"},
		{"smoothing in percent", crossEntropy(CrossEntropyAttrs{LabelSmoothing: 10}), onnx.Shape{2, 3}, onnx.Shape{2}, f32, i64, "smoothing is 10"},
		{"target of another shape", MSE, onnx.Shape{2, 3}, onnx.Shape{3, 2}, f32, f32, "not alike"},
		{"target of another type", BCEWithLogits, onnx.Shape{2}, onnx.Shape{2}, f32, i64, "not alike"},
		{"gamma without a derivative", focal(FocalAttrs{Gamma: 0.5}), onnx.Shape{2}, onnx.Shape{2}, f32, f32, "gamma is 0.5"},
		{"alpha in percent", focal(FocalAttrs{Alpha: 25}), onnx.Shape{2}, onnx.Shape{2}, f32, f32, "alpha is 25"},
		{"beta of 0", smoothL1(0), onnx.Shape{2}, onnx.Shape{2}, f32, f32, "beta is 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("loss")
			tt.loss(b, b.Input("x", tt.dtype, tt.x), b.Input("target", tt.tType, tt.target))
			if err := b.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one about %q", err, tt.want)
			}
		})
	}
}
