package grad

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// TestGradientRefuses checks what has no derivative, or none known here, and that a
// refusal leaves the graph as it was.
func TestGradientRefuses(t *testing.T) {
	t.Parallel()
	type ends struct {
		loss *onnx.Value
		wrt  values
	}
	x := func(b builder) *onnx.Value { return b.Input("x", tensor.Float32, onnx.Shape{2, 3}) }
	tests := []struct {
		name  string
		build func(b builder) ends
		want  string
	}{
		{"an operator without a rule, by name", func(b builder) ends {
			v := x(b)
			return ends{b.ReduceSum(drawn(b, v)), values{v}}
		}, `Bernoulli "Bernoulli_1": no gradient rule`},
		{"masks of ONNX Runtime's own", func(b builder) ends {
			v := x(b)
			y, _ := b.Dropout(v, 0.5, b.Const("on", tensor.Scalar(true)))
			return ends{b.ReduceSum(y), values{v}}
		}, `Dropout "Dropout_1", in training mode: set its ratio to 0, or multiply by a mask that is an input made from a seed: no gradient rule`},
		{"a graph in a node reads it", func(b builder) ends {
			v, cond := x(b), b.Input("cond", tensor.Bool, onnx.Shape{})
			yes, no := b.Body("yes"), b.Body("no")
			yes.Output("y1", yes.Neg(v))
			no.Output("y2", no.Abs(v))
			y, _ := yes.Graph()
			n, _ := no.Graph()
			return ends{b.ReduceSum(b.Op("If", values{cond}, map[string]any{"then_branch": y, "else_branch": n}, 1)[0]), values{v}}
		}, `If "If_1": no gradient rule`},
		{"an operator that nobody knows", func(b builder) ends {
			v := x(b)
			b.Output("known", b.Neg(v))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			y := &onnx.Value{Name: "y"}
			y.Node = &onnx.Node{Name: "mystery", Op: "Mystery", Domain: "org.example", In: values{v}, Out: values{y}}
			g.Nodes, g.Domains = append(g.Nodes, y.Node), map[string]int64{"org.example": 1}
			return ends{b.ReduceSum(b.Reshape(b.Cast(y, tensor.Float32), 6)), values{v}}
		}, `Mystery "mystery": no gradient rule`},
		{"a loop that carries it", func(b builder) ends {
			v := x(b)
			body := b.Body("body")
			body.Input("i", tensor.Int64, onnx.Shape{})
			on := body.Input("on", tensor.Bool, onnx.Shape{})
			carried := body.Input("carried", tensor.Float32, onnx.Shape{2, 3})
			body.Output("still", body.Identity(on))
			body.Output("twice", body.Add(carried, carried))
			g, _ := body.Graph()
			return ends{b.ReduceSum(b.Op("Loop", values{b.Int(3), nil, v}, map[string]any{"body": g}, 1)[0]), values{v}}
		}, `Loop "Loop_1": no gradient rule`},
		{"a loss of several elements", func(b builder) ends {
			v := x(b)
			return ends{b.Neg(v), values{v}}
		}, `loss "Neg_1_out" has shape [2,3], want one element`},
		{"a loss that counts", func(b builder) ends {
			v := x(b)
			return ends{b.Size(v), values{v}}
		}, "is int64, want a float type"},
		{"an integer parameter", func(b builder) ends {
			k := b.Input("k", tensor.Int64, onnx.Shape{})
			return ends{b.ReduceSum(x(b)), values{k}}
		}, `"k" is int64`},
		{"a loss from elsewhere", func(b builder) ends {
			v := x(b)
			b.Neg(v)
			return ends{onnx.NewBuilder("other").Input("x", tensor.Float32, onnx.Shape{}), values{v}}
		}, "the loss is no value of the graph"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			e := tt.build(b)
			b.Output("same", e.wrt[0])
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			before := len(g.Nodes)
			_, err = Gradient(g, e.loss, e.wrt)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %s", err, tt.want)
			}
			if strings.HasSuffix(tt.want, "no gradient rule") != errors.Is(err, ErrNoRule) {
				t.Errorf("errors.Is(%v, ErrNoRule) = %v", err, errors.Is(err, ErrNoRule))
			}
			if len(g.Nodes) != before {
				t.Errorf("%d nodes were left behind", len(g.Nodes)-before)
			}
		})
	}
}

// drawn is an operator without a rule.
func drawn(b builder, x *onnx.Value) *onnx.Value { return b.Op("Bernoulli", values{x}, nil, 1)[0] }

// TestGradientFormsNothingFrozen counts the operators that a frozen weight saves.
func TestGradientFormsNothingFrozen(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("frozen")
	x := b.Input("x", tensor.Float32, onnx.Shape{4, 3})
	w1 := b.Input("w1", tensor.Float32, onnx.Shape{3, 5})
	w2 := b.Input("w2", tensor.Float32, onnx.Shape{5, 2})
	loss := b.Output("loss", b.ReduceMean(b.MatMul(drawn(b, b.MatMul(x, w1)), w2)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	forward := len(g.Nodes)
	if _, err := Gradient(g, loss, values{w2}); err != nil { // Bernoulli, without a rule, lies before
		t.Fatal(err)
	}
	var got []string
	for _, n := range g.Nodes[forward:] {
		got = append(got, n.Op)
	}
	want := []string{"Expand", "Unsqueeze", "Size", "Size", "Div", "Cast", "Div", "Expand", "Transpose", "MatMul"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("operators (-want +got):\n%s", d)
	}
}

// TestGradientIsZero checks the values that the loss does not depend on, or only in
// jumps: their derivative is zeros, not an error.
func TestGradientIsZero(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("zero")
	x := b.Input("x", tensor.Float32, onnx.Shape{2})
	apart := b.Input("apart", tensor.Float32, onnx.Shape{3})
	y := b.Add(b.Round(x), b.Cast(b.Greater(x, b.Scalar(tensor.Float32, 0)), tensor.Float32))
	loss := b.Output("loss", b.ReduceSum(y))
	b.Output("other", b.Neg(apart))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	dX, err := Gradient(g, loss, values{x, apart})
	if err != nil {
		t.Fatal(err)
	}
	b = onnx.Extend(g)
	b.Output("dx", dX[0])
	b.Output("dapart", dX[1])
	out, err := orttest.Build(t, b).Run(t.Context(), []*tensor.Tensor{tensor.Vector[float32](1, 2), tensor.Vector[float32](1, 2, 3)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "dx", out[2], tensor.Vector[float32](0, 0))
	equal(t, "dapart", out[3], tensor.Vector[float32](0, 0, 0))
}

// TestGradientKeepsTheBatchFree differentiates a small network of a symbolic batch by
// constants, and runs it with two sizes. In the mean every sample counts 1/N, so a
// batch repeated twice has the derivatives of the batch.
func TestGradientKeepsTheBatchFree(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("free")
	x := b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 2})
	w := b.Const("w", tensor.Of([]int64{2, 3}, []float32{0.1, -0.2, 0.3, 0.5, 0.4, -0.6}))
	bias := b.Const("b", tensor.Vector[float32](0.1, 0.2, -0.3))
	y := b.Softmax(b.Relu(b.Add(b.MatMul(x, w), bias)), 1)
	y = b.Reshape(b.Unsqueeze(b.Concat(1, y, b.Sigmoid(x)), 2), -1, 5)
	loss := b.Output("loss", b.ReduceMean(b.Mul(y, y)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	dX, err := Gradient(g, loss, values{w, bias})
	if err != nil {
		t.Fatal(err)
	}
	b = onnx.Extend(g)
	b.Output("dw", dX[0])
	b.Output("db", dX[1])
	m := orttest.Build(t, b)
	once, err := m.Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{2, 2}, []float32{1, 2, -1, 3})})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := m.Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{4, 2}, []float32{1, 2, -1, 3, 1, 2, -1, 3})})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range twice {
		equal(t, "output", v, once[i])
	}
}

// TestGradientFindsStretchedAxes adds values of unknown sizes: which of them the sum
// repeated, and whose derivative adds up, shows when the graph runs.
func TestGradientFindsStretchedAxes(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("open")
	u := b.Input("u", tensor.Float32, onnx.Shape{onnx.Unknown, 2})
	v := b.Input("v", tensor.Float32, onnx.Shape{onnx.Unknown, 2})
	loss := b.Output("loss", b.ReduceSum(b.Add(u, v)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	dX, err := Gradient(g, loss, values{u, v})
	if err != nil {
		t.Fatal(err)
	}
	b = onnx.Extend(g)
	b.Output("du", dX[0])
	b.Output("dv", dX[1])
	m := orttest.Build(t, b)
	three, one := tensor.Of([]int64{3, 2}, make([]float32, 6)), tensor.Of([]int64{1, 2}, make([]float32, 2))
	ones, threes := tensor.Of([]int64{3, 2}, []float32{1, 1, 1, 1, 1, 1}), tensor.Of([]int64{1, 2}, []float32{3, 3})
	for name, c := range map[string][4]*tensor.Tensor{
		"neither": {three, three, ones, ones},
		"first":   {one, three, threes, ones},
		"second":  {three, one, ones, threes},
	} {
		out, err := m.Run(t.Context(), c[:2])
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name+" du", out[1], c[2])
		equal(t, name+" dv", out[2], c[3])
	}
}
