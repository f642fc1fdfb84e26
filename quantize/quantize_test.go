package quantize

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// TestStatic quantises a small network of every kind of layer and join and compares its
// answers with those in floats; the weights' and activations' steps bound the difference.
func TestStatic(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	draw := func(size float64, shape ...int64) *tensor.Tensor {
		d := make([]float32, tensor.Size(shape))
		for i := range d {
			d[i] = float32(size * (2*r.Float64() - 1))
		}
		return tensor.Of(shape, d)
	}
	b := onnx.NewBuilder("net")
	x := b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 3, 16, 16})
	conv := func(x *onnx.Value, in, out, group int64) *onnx.Value {
		return b.Conv(x, b.Const("", draw(0.5, out, in/group, 3, 3)), b.Const("", draw(0.3, out)), onnx.ConvAttrs{Pads: []int64{1, 1, 1, 1}, Group: group})
	}
	y := b.Relu(conv(x, 3, 8, 1))
	z := b.ClipTo(conv(y, 8, 8, 8), 0, 6)
	z = b.Relu(b.Add(y, z))
	z = b.MaxPool(b.Concat(1, z, b.Sigmoid(y)), onnx.PoolAttrs{Kernel: []int64{2, 2}, Strides: []int64{2, 2}})
	z = b.Flatten(b.GlobalAveragePool(b.HardSwish(conv(z, 16, 12, 1))), 1)
	b.Output("scores", b.Gemm(z, b.Const("", draw(0.5, 5, 12)), b.Const("", draw(0.3, 5)), onnx.GemmAttrs{TransB: true}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	var pictures []*tensor.Tensor
	for range 8 {
		pictures = append(pictures, draw(2, 1, 3, 16, 16))
	}
	ranges, err := Calibrate(t.Context(), rt, g, func(yield func(*tensor.Tensor, error) bool) {
		for _, p := range pictures {
			if !yield(p, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	q, err := Static(g, ranges)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range q.Nodes {
		if n.Op == "Relu" || n.Op == "Clip" {
			t.Errorf("%s is left", n)
		}
		if n.Op == "Conv" && (n.In[0].Node.Op != "DequantizeLinear" || n.In[1].Node.Op != "DequantizeLinear" || n.In[2].Node.Op != "DequantizeLinear") {
			t.Errorf("%s reads floats", n)
		}
	}
	if len(g.Nodes) != 14 {
		t.Errorf("the graph itself has %d nodes now", len(g.Nodes))
	}
	before, after := orttest.Load(t, g), orttest.Load(t, q)
	for _, p := range pictures {
		a, err := before.Run(t.Context(), []*tensor.Tensor{p})
		if err != nil {
			t.Fatal(err)
		}
		c, err := after.Run(t.Context(), []*tensor.Tensor{p})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := tensor.Data[float32](a[0])
		got, _ := tensor.Data[float32](c[0])
		for i := range want {
			if !(math.Abs(float64(got[i]-want[i])) < 0.05) {
				t.Errorf("score %d is %v, in floats %v", i, got[i], want[i])
			}
		}
	}
	delete(ranges, Activations(g)[2])
	if _, err := Static(g, ranges); err == nil || !strings.Contains(err.Error(), "no range of") {
		t.Errorf("got %v, want the value without a range", err)
	}
}

func TestQuantum(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		r     Range
		scale float64
		zero  uint8
	}{
		{"behind a Relu", Range{0, 5.1}, 0.02, 0},
		{"both signs", Range{-1, 1.55}, 0.01, 100},
		{"0 is always in it", Range{2, 5.1}, 0.02, 0},
		{"negative alone", Range{-2.55, -1}, 0.01, 255},
		{"nothing but 0", Range{0, 0}, 1, 0},
	}
	for _, tt := range tests {
		if scale, zero := quantum(tt.r); math.Abs(float64(scale)-tt.scale) > 1e-6 || zero != tt.zero {
			t.Errorf("%s: scale %v, zero %d; want %v, %d", tt.name, scale, zero, tt.scale, tt.zero)
		}
	}
}

// TestChannels: each channel has its scale, a bias that is large beside its weights fits
// in an int32, and a channel of zeros stays zeros.
func TestChannels(t *testing.T) {
	t.Parallel()
	q, scales := channels([]float32{1.27, -0.635, 0, 0, 1e-9, 0}, []int64{3, 2}, 0, []float32{0, 0, 1000}, 0.01)
	if q[0] != 127 || q[1] != -64 && q[1] != -63 || q[2] != 0 || q[3] != 0 || scales[1] != 1 {
		t.Errorf("weights %v, scales %v", q, scales)
	}
	if units := 1000 / (0.01 * float64(scales[2])); units > math.MaxInt32 {
		t.Errorf("the bias is %v units", units)
	}
	if _, scales = channels([]float32{1, 2, 3, 4, 5, 6}, []int64{2, 3}, 1, nil, 1); len(scales) != 3 || scales[2]*127 != 6 {
		t.Errorf("scales of the second axis are %v", scales)
	}
}

// TestStaticResizeStays: a quantised Resize speaks of all axes, and does so still when the file
// is imported again, which simplifies it: ONNX Runtime 1.32 does not load it otherwise.
func TestStaticResizeStays(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("net")
	conv := func(x *onnx.Value) *onnx.Value {
		w := make([]float32, 3*3)
		for i := range w {
			w[i] = float32(i%4) - 1.5
		}
		return b.Relu(b.Conv(x, b.Const("", tensor.Of([]int64{3, 3, 1, 1}, w)), nil, onnx.ConvAttrs{}))
	}
	x := conv(b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 3, 4, 4}))
	x = b.ResizeTo(x, []int64{8, 8}, onnx.ResizeAttrs{Mode: "linear", Coordinates: "half_pixel", Axes: []int64{2, 3}})
	b.Output("y", conv(conv(x)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	ranges := map[string]Range{}
	for _, name := range Activations(g) {
		ranges[name] = Range{-1, 5}
	}
	q, err := Static(g, ranges)
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Simplify(q); err != nil {
		t.Fatal(err)
	}
	orttest.Load(t, q)
	for _, n := range q.Nodes {
		if n.Op == "Resize" && n.Attrs["axes"] != nil {
			t.Errorf("%s speaks of axes %v", n, n.Attrs["axes"])
		}
	}
}
