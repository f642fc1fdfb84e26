package step

import (
	"math"
	"slices"
	"strings"
	"testing"

	"trilobite/loss"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// Whole trainings against PyTorch: losses, parameters, running statistics, averages.
func TestBuild(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/steps.npz")
	if err != nil {
		t.Fatal(err)
	}
	const lr = 1. / 32
	tests := []struct {
		name string
		lr   float32
		spec Spec
		only string // prefix of what is trained
		mode int64  // training_mode of the network as it comes
	}{
		{name: "train", lr: lr, spec: Spec{BatchNorm: Train, Rule: optim.NewAdamW()}},
		{name: "train", lr: lr, spec: Spec{Rule: optim.NewAdamW()}, mode: 1},
		{name: "frozen", lr: 2 * lr, spec: Spec{Rule: optim.SGD{Momentum: 0.9}}},
		{name: "frozen", lr: 2 * lr, spec: Spec{BatchNorm: Frozen, Rule: optim.SGD{Momentum: 0.9}}, mode: 1},
		{name: "clipped", lr: lr, spec: Spec{BatchNorm: Train, Rule: optim.NewAdamW(), ClipNorm: 0.25, EMA: 0.8}},
		{name: "micro", lr: lr, spec: Spec{BatchNorm: Train, Rule: optim.NewAdamW(), ClipNorm: 0.5, Accumulate: 2}},
		{name: "last", lr: 4 * lr, spec: Spec{BatchNorm: Train, Rule: optim.SGD{}}, only: "fc."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, value, params := network(t, golden, tt.mode)
			tt.spec.Loss = value
			for _, p := range params {
				if strings.HasPrefix(p.Name, tt.only) && !strings.Contains(p.Name, "running") {
					tt.spec.Params = append(tt.spec.Params, p)
				}
			}
			s, err := Build(g, tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			losses, state := train(t, s, golden, tt.lr)
			want, _ := tensor.Data[float64](golden[tt.name+".loss"])
			for i, w := range want {
				if !(math.Abs(losses[i]-w) <= 1e-5*max(1, math.Abs(w))) {
					t.Errorf("step %d: loss %v, want %v", i+1, losses[i], w)
				}
			}
			for name, v := range state {
				want, ok := golden[tt.name+"."+name]
				if !ok && (strings.HasSuffix(name, ".m") || strings.HasSuffix(name, ".v") || strings.HasSuffix(name, ".momentum") || strings.HasSuffix(name, ".sum")) {
					continue // package optim compares these
				}
				if !ok {
					t.Fatalf("slot %s is not in the golden file", name)
				}
				equal(t, name, v, want)
			}
			for _, p := range params {
				key := tt.name + "." + p.Name
				if state[p.Name] == nil && !slices.Equal(orttest.Numbers(golden[key]), orttest.Numbers(golden["init."+p.Name])) {
					t.Errorf("%s is trained by PyTorch and not here", p.Name)
				}
			}
		})
	}
}

// network is that of golden/step.py with a symbolic batch, up to its loss.
func network(t *testing.T, golden map[string]*tensor.Tensor, mode int64) (*onnx.Graph, *onnx.Value, []*onnx.Value) {
	t.Helper()
	b := onnx.NewBuilder("net")
	var params []*onnx.Value
	param := func(name string) *onnx.Value {
		for _, p := range params {
			if p.Name == name {
				return p
			}
		}
		init := orttest.Numbers(golden["init."+name]) // a copy: tests share the file
		p := b.Const(name, orttest.OfType(tensor.Float32, golden["init."+name].Shape, init))
		params = append(params, p)
		return p
	}
	n := b.Dim("N")
	x, y := b.Input("x", tensor.Float32, onnx.Shape{n, 3, 5, 5}), b.Input("y", tensor.Int64, onnx.Shape{n})
	norm := func(x *onnx.Value) *onnx.Value {
		in := []*onnx.Value{x, param("bn.weight"), param("bn.bias"), param("bn.running_mean"), param("bn.running_var")}
		return b.Relu(b.Op("BatchNormalization", in, map[string]any{"momentum": float32(0.7), "training_mode": mode}, 1)[0])
	}
	conv := onnx.ConvAttrs{Pads: []int64{1, 1, 1, 1}}
	h := norm(b.Conv(x, param("conv1.weight"), nil, conv))
	h = norm(b.Conv(h, param("conv2.weight"), nil, conv))
	logits := b.Gemm(b.ReduceMean(h, 2, 3), param("fc.weight"), param("fc.bias"), onnx.GemmAttrs{TransB: true})
	value := b.Output("loss", loss.CrossEntropy(b, logits, y, loss.CrossEntropyAttrs{}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, value, params
}

// train runs all batches of the golden file through a step and returns the losses and
// the slots after the last.
func train(t *testing.T, s *Step, golden map[string]*tensor.Tensor, lr float32) ([]float64, map[string]*tensor.Tensor) {
	t.Helper()
	m := orttest.Load(t, s.Graph)
	state := map[string]*tensor.Tensor{}
	for _, slot := range s.Slots {
		state[slot.In] = slot.Init
	}
	var losses []float64
	for k := range int(golden["x"].Shape[0]) {
		given := map[string]*tensor.Tensor{
			"x": row[float32](golden["x"], k), "y": row[int64](golden["y"], k),
			"lr": tensor.Scalar(lr), "step": tensor.Scalar(int64(k + 1)),
		}
		out := run(t, m, given, state)
		losses = append(losses, orttest.Numbers(out[s.Loss])[0])
		for _, slot := range s.Slots {
			state[slot.In] = out[slot.Out]
		}
	}
	return losses, state
}

// run gives a model its inputs by name and returns its outputs so.
func run(t *testing.T, m *ort.Model, given ...map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	var in []*tensor.Tensor
	for _, v := range m.Inputs() {
		for _, from := range given {
			if x := from[v.Name]; x != nil {
				in = append(in, x)
				break
			}
		}
	}
	list, err := m.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*tensor.Tensor{}
	for i, v := range m.Outputs() {
		out[v.Name] = list[i]
	}
	return out
}

// equal compares to 1e-5 of the larger of 1 and the number.
func equal(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	orttest.Near(t, what, got, want, 1e-5, 1)
}

// row is entry k of the first axis.
func row[T tensor.Elem](v *tensor.Tensor, k int) *tensor.Tensor {
	d, _ := tensor.Data[T](v)
	size := int(tensor.Size(v.Shape[1:]))
	return tensor.Of(v.Shape[1:], d[k*size:(k+1)*size])
}
