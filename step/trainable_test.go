package step

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/tensor"
)

func TestTrainable(t *testing.T) {
	t.Parallel()
	weight := func(name string, shape []int64, from ...string) *onnx.Value {
		data := tensor.Of(shape, make([]float32, tensor.Size(shape)))
		return &onnx.Value{Name: name, DType: tensor.Float32, Shape: shape, Data: data, Initializer: true, FoldedFrom: from}
	}
	for name, c := range map[string]struct {
		v    *onnx.Value
		want bool
	}{
		"a weight":                         {weight("fc.weight", []int64{3}), true},
		"a scalar parameter":               {weight("scale", []int64{}), true},
		"a weight that was transposed":     {weight("val_3", []int64{3}, "fc.weight"), true},
		"a parameter that was expanded":    {weight("expand", []int64{3}, "class_token", "val_1"), true},
		"a number of the code":             {weight("val_3", []int64{}), false},
		"a number that was cast":           {weight("beta_cast", []int64{}, "beta"), false},
		"ones that the code made":          {weight("val_8", []int64{3}, "val_0", "val_7"), false},
		"a number from a shape":            {weight("val_8", []int64{1}, "getitem", "val_2"), false},
		"running statistics":               {weight("bn.running_mean", []int64{3}), false},
		"a mask of an attention":           {&onnx.Value{Name: "mask", DType: tensor.Float32, Shape: onnx.Shape{3}, Data: tensor.Vector(0, float32(math.Inf(-1)), 0), Initializer: true}, false},
		"zeros of a parameter's shape":     {weight("zeros_like", []int64{3}, "fc.weight"), false},
		"Keras' moving variance":           {weight("_torch_params.bn/moving_variance", []int64{3}), false},
		"a vector of the code, not folded": {weight("val_8", []int64{3}), true},
		"a mask, by the parameters' names": {weight("val_56", []int64{3}, "transpose", "val_40"), false},
		"a buffer, by the names":           {weight("kernel", []int64{3}, "val_0"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			y := b.Output("y", b.Mul(b.Input("x", tensor.Float32, onnx.Shape{2, 3}), c.v))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(name, "by the") {
				g.Registered = map[string]bool{"fc.weight": true, "kernel": true}
			}
			if got := slices.Contains(Trainable(g, y), c.v); got != c.want {
				t.Errorf("trainable: %v, want %v", got, c.want)
			}
		})
	}
}

// TestTrainableInBranch has a weight that only a branch reads: it counts, so that
// Build says which node cannot be differentiated, and does not leave it out.
func TestTrainableInBranch(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("g")
	x := b.Input("x", tensor.Float32, onnx.Shape{2, 3})
	w := &onnx.Value{Name: "w", DType: tensor.Float32, Shape: onnx.Shape{3}, Data: tensor.Of([]int64{3}, make([]float32, 3)), Initializer: true}
	yes, no := b.Body("yes"), b.Body("no")
	yes.Output("a", yes.Mul(x, w))
	no.Output("b", no.Neg(x))
	then, _ := yes.Graph()
	other, _ := no.Graph()
	y := b.Output("y", b.Op("If", []*onnx.Value{b.Input("cond", tensor.Bool, onnx.Shape{})}, map[string]any{"then_branch": then, "else_branch": other}, 1)[0])
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if got := Trainable(g, y); !slices.Equal(got, []*onnx.Value{w}) {
		t.Errorf("trainable: %v, want w", got)
	}
}

func TestApart(t *testing.T) {
	t.Parallel()
	weight := func(name string, from ...string) *onnx.Value { return &onnx.Value{Name: name, FoldedFrom: from} }
	g := &onnx.Graph{Registered: map[string]bool{"p": true, "w": true, "g": true}}
	got := Apart(g, []*onnx.Value{weight("p"), weight("reciprocal", "p", "val_1", "p"), weight("mul", "w", "g"), weight("fc")})
	if d := cmp.Diff(map[string][]string{"p": {"p", "reciprocal"}}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
