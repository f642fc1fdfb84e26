package nn

import (
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/convert/torch"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

var lites = []struct {
	name   string
	build  func(ClassifierOptions) (*Network, error)
	params int64 // learned elements, from the reference's own count
}{
	{"efficientnet_lite0", EfficientNetLite0, 4652008},
	{"efficientnet_lite1", EfficientNetLite1, 5416680},
	{"efficientnet_lite2", EfficientNetLite2, 6092072},
}

// noise is noise() of golden/efficientnet.py: exact in any language.
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

// fill gives the parameters the weights of weights() in golden/efficientnet.py.
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

func TestEfficientNetLite(t *testing.T) {
	t.Parallel()
	for _, tt := range lites {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, err := tensor.ReadNPZ(filepath.Join("testdata", tt.name+".npz"))
			if err != nil {
				t.Fatal(err)
			}
			net, err := tt.build(ClassifierOptions{Probabilities: true})
			if err != nil {
				t.Fatal(err)
			}
			learned := int64(0)
			for _, p := range net.Params {
				if !strings.Contains(p.Name, ".running_") {
					learned += p.Data.Len()
				}
			}
			if learned != tt.params {
				t.Errorf("%d learned elements, want %d", learned, tt.params)
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
			}
			got := infer(t, net.Graph, x)
			near(t, "logits", got["logits"], want["logits"], 1e-4)
			for _, tap := range net.Taps {
				name := fmt.Sprintf("stride%d", tap.Stride)
				shape, _ := tensor.Data[int64](want[fmt.Sprintf("shape%d", tap.Stride)])
				if diff := cmp.Diff(shape, got[name].Shape[1:]); diff != "" || shape[0] != tap.Channels {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				near(t, name, channelMeans(got[name]), want[name], 1e-4)
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
		})
	}
}

func TestEfficientNetLite0ImageNet(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/efficientnet_lite0_imagenet.npz")
	if err != nil {
		t.Fatal(err)
	}
	sd, err := torch.Read("../.deps/efficientnet-lite0/efficientnet-lite0-57934424.pth")
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]*tensor.Tensor{
		"noise":   tensor.Of([]int64{1, 3, 224, 224}, noise(3*224*224, 1)),
		"chelsea": cropped(t, "../.deps/samples/chelsea.png", image.Rect(113, 38, 337, 262)),
	}
	for name, x := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net, err := EfficientNetLite0(ClassifierOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := torch.Assign(net.Params, sd); err != nil {
				t.Fatal(err)
			}
			near(t, "logits", infer(t, net.Graph, x)["logits"], want[name], 1e-4)
			simplify(t, net.Graph)
			near(t, "logits, simplified", infer(t, net.Graph, x)["logits"], want[name], 1e-4)
		})
	}
}

// cropped returns a part of a photo as the network's input: (x − 127) / 128, NCHW.
func cropped(t *testing.T, path string, r image.Rectangle) *tensor.Tensor {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	area := r.Dx() * r.Dy()
	x := make([]float32, 3*area)
	for i := range area {
		red, green, blue, _ := img.At(r.Min.X+i%r.Dx(), r.Min.Y+i/r.Dx()).RGBA()
		for c, v := range []uint32{red, green, blue} {
			x[c*area+i] = (float32(v>>8) - 127) / 128
		}
	}
	return tensor.Of([]int64{1, 3, int64(r.Dy()), int64(r.Dx())}, x)
}

func TestEfficientNetLiteOptions(t *testing.T) {
	t.Parallel()
	net, err := EfficientNetLite0(ClassifierOptions{Classes: 5, Height: 288, Width: 384})
	if err != nil {
		t.Fatal(err)
	}
	if got := net.Graph.Outputs[0].Shape; got[1] != 5 {
		t.Errorf("logits are %v, want 5 classes", got)
	}
	for _, tap := range net.Taps {
		got := tap.Value.Shape
		if got[1] != tap.Channels || got[2] != 288/tap.Stride || got[3] != 384/tap.Stride {
			t.Errorf("stride %d is %v", tap.Stride, got)
		}
	}
	if _, err := EfficientNetLite0(ClassifierOptions{Height: -1}); err == nil || !strings.Contains(err.Error(), "_conv_stem") {
		t.Errorf("unknown height: got error %v, want one that names the stem", err)
	}
}
