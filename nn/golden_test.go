package nn

import (
	"fmt"
	"hash/crc32"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// noise is noise() of golden/formula.py: exact in any language.
func noise(n int, seed uint32) []float32 {
	out := make([]float32, n)
	for i := range out {
		h := uint32(i) + seed
		h = (h ^ h>>16) * 0x7FEB352D
		h = (h ^ h>>15) * 0x846CA68B
		h ^= h >> 16
		out[i] = float32(h>>8)*(1.0/(1<<23)) - 1
	}
	return out
}

// fill gives the parameters the weights of weights() in golden/formula.py.
func fill(params []*onnx.Value) {
	for _, p := range params {
		n := int(tensor.Size(p.Shape))
		x := noise(n, crc32.ChecksumIEEE([]byte(p.Name)))
		scale, shift := float32(0.25), float32(0)
		switch {
		case strings.HasSuffix(p.Name, "running_var"):
			shift = 1.5
		case strings.HasSuffix(p.Name, ".weight") && len(p.Shape) == 1:
			shift = 1
		case strings.HasSuffix(p.Name, ".weight"):
			scale = float32(math.Sqrt(3 / float64(n/int(p.Shape[0]))))
		}
		for i, v := range x {
			v *= scale // rounds before the shift, as NumPy does
			x[i] = v + shift
		}
		p.Data = tensor.Of(p.Shape, x)
	}
}

// simplify folds every BatchNorm into its Conv.
func simplify(t *testing.T, g *onnx.Graph) {
	t.Helper()
	if err := onnx.Simplify(g); err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" {
			t.Errorf("%s is left", n.Name)
		}
	}
}

// infer runs the graph on x and returns its outputs by name.
func infer(t *testing.T, g *onnx.Graph, x *tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	m := orttest.Load(t, g)
	out, err := m.Run(t.Context(), []*tensor.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]*tensor.Tensor{}
	for i, info := range m.Outputs() {
		named[info.Name] = out[i]
	}
	return named
}

func near(t *testing.T, what string, got, want *tensor.Tensor, tolerance float64) {
	t.Helper()
	g, _ := tensor.Data[float32](got)
	w, _ := tensor.Data[float32](want)
	if len(g) != len(w) || len(w) == 0 {
		t.Fatalf("%s: got shape %v, want %v", what, got.Shape, want.Shape)
	}
	worst := 0.0
	for i := range w {
		worst = max(worst, math.Abs(float64(g[i]-w[i])))
	}
	t.Logf("%s: off by %.2g", what, worst)
	if !(worst <= tolerance) {
		t.Errorf("%s: off by %g, at most %g", what, worst, tolerance)
	}
}

// channelMeans reduces (1, C, H, W) to (C).
func channelMeans(x *tensor.Tensor) *tensor.Tensor {
	data, _ := tensor.Data[float32](x)
	out := make([]float32, x.Shape[1])
	area := len(data) / len(out)
	for c := range out {
		sum := 0.0
		for _, v := range data[c*area : (c+1)*area] {
			sum += float64(v)
		}
		out[c] = float32(sum / float64(area))
	}
	return tensor.Vector(out...)
}

// checkGolden compares a network that has weights by formula with its PyTorch reference
// in testdata/NAME.npz: logits and the channels' means of each tap, as built and after
// Simplify, and the number of learned elements.
func checkGolden(t *testing.T, name string, build func(ClassifierOptions) (*Network, error), learned int64, o ClassifierOptions) {
	t.Helper()
	want, err := tensor.ReadNPZ(filepath.Join("testdata", name+".npz"))
	if err != nil {
		t.Fatal(err)
	}
	o.Probabilities = true
	net, err := build(o)
	if err != nil {
		t.Fatal(err)
	}
	count := int64(0)
	for _, p := range net.Params {
		if !strings.Contains(p.Name, ".running_") {
			count += p.Data.Len()
		}
	}
	if count != learned {
		t.Errorf("%d learned elements, want %d", count, learned)
	}
	fill(net.Params)
	in := net.Graph.Inputs[0]
	if net.Graph.Symbols.Name(in.Shape[0]) != "N" {
		t.Errorf("input %v has no symbolic batch", in.Shape)
	}
	shape := append([]int64{1}, in.Shape[1:]...)
	x := tensor.Of(shape, noise(int(tensor.Size(shape)), 1))
	for _, tap := range net.Taps {
		net.Graph.Outputs = append(net.Graph.Outputs, tap.Value)
		if s := tap.Value.Shape; s[1] != tap.Channels || s[2] != (x.Shape[2]+tap.Stride-1)/tap.Stride {
			t.Errorf("stride %d, %d channels is %v", tap.Stride, tap.Channels, s)
		}
	}
	got := infer(t, net.Graph, x)
	near(t, "logits", got["logits"], want["logits"], 1e-4)
	for _, tap := range net.Taps[1:] { // the references start at stride 4
		stride := fmt.Sprintf("stride%d", tap.Stride)
		shape, _ := tensor.Data[int64](want[fmt.Sprintf("shape%d", tap.Stride)])
		if diff := cmp.Diff(shape, got[tap.Value.Name].Shape[1:]); diff != "" || shape[0] != tap.Channels {
			t.Errorf("%s (-want +got):\n%s", stride, diff)
		}
		near(t, stride, channelMeans(got[tap.Value.Name]), want[stride], 1e-4)
	}
	simplify(t, net.Graph)
	near(t, "logits, simplified", infer(t, net.Graph, x)["logits"], want["logits"], 1e-4)
	sum := 0.0
	probs, _ := tensor.Data[float32](got["probabilities"])
	for _, p := range probs {
		sum += float64(p)
	}
	if math.Abs(sum-1) > 1e-5 {
		t.Errorf("probabilities add up to %v", sum)
	}
}
