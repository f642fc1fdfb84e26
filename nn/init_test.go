package nn

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/tensor"
)

func TestInitialisers(t *testing.T) {
	t.Parallel()
	shape := []int64{64, 32, 3, 3} // fan-in 288, fan-out 576
	tests := []struct {
		name      string
		by        Initialiser
		deviation float64
		limit     float64 // of the largest; 0: none
	}{
		{"He by the inputs, cut at two deviations", HeNormal, math.Sqrt(2.0 / 288), 2 * math.Sqrt(2.0/288) / 0.8796},
		{"He by the outputs", HeNormalFanOut, math.Sqrt(2.0 / 576), 0},
		{"Glorot, even", GlorotUniform, math.Sqrt(6.0/(288+576)) / math.Sqrt(3), math.Sqrt(6.0 / (288 + 576))},
		{"normal", Normal(0.01), 0.01, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &onnx.Value{Name: "weight", Shape: shape}
			initialise(p, tt.by, 1)
			data, _ := tensor.Data[float32](p.Data)
			sum, squares, most := 0.0, 0.0, 0.0
			for _, x := range data {
				sum += float64(x)
				squares += float64(x) * float64(x)
				most = max(most, math.Abs(float64(x)))
			}
			n := float64(len(data))
			if got := math.Sqrt(squares / n); math.Abs(got/tt.deviation-1) > 0.02 {
				t.Errorf("the deviation is %v, want %v", got, tt.deviation)
			}
			if math.Abs(sum/n) > 4*tt.deviation/math.Sqrt(n) {
				t.Errorf("the mean is %v", sum/n)
			}
			if tt.limit > 0 && !(most <= tt.limit && most > 0.99*tt.limit) {
				t.Errorf("the largest is %v, want just below %v", most, tt.limit)
			}
		})
	}
}

// A focal prior of 1 % is a bias whose sigmoid is 1 %.
func TestFocalPrior(t *testing.T) {
	t.Parallel()
	b := FocalPrior(0.01)([]int64{1}, nil)[0]
	if got := 1 / (1 + math.Exp(-float64(b))); math.Abs(got-0.01) > 1e-8 {
		t.Errorf("the prior is %v", got)
	}
}

// Values depend on seed and name: not on order, nor on which other parameters there are.
func TestInitialiseBySeedAndName(t *testing.T) {
	t.Parallel()
	params := func() []*onnx.Value {
		return []*onnx.Value{
			{Name: "a.weight", Shape: onnx.Shape{4, 3, 3, 3}}, {Name: "b.weight", Shape: onnx.Shape{4, 3, 3, 3}},
			{Name: "n.weight", Shape: onnx.Shape{2}}, {Name: "n.bias", Shape: onnx.Shape{2}},
			{Name: "n.running_mean", Shape: onnx.Shape{2}}, {Name: "n.running_var", Shape: onnx.Shape{2}},
		}
	}
	one, turned, other := params(), params(), params()
	Initialise(one, 7)
	Initialise([]*onnx.Value{turned[1], turned[0]}, 7)
	Initialise(other, 8)
	data := func(p *onnx.Value) []float32 { d, _ := tensor.Data[float32](p.Data); return d }
	if diff := cmp.Diff(data(one[0]), data(turned[0])); diff != "" {
		t.Errorf("another order, other values:\n%s", diff)
	}
	if cmp.Equal(data(one[0]), data(one[1])) || cmp.Equal(data(one[0]), data(other[0])) {
		t.Error("another name or another seed, the same values")
	}
	for i, want := range []float32{1, 0, 0, 1} {
		if got := data(one[2+i]); got[0] != want || got[1] != want {
			t.Errorf("%s starts as %v, want %v", one[2+i].Name, got, want)
		}
	}
}
