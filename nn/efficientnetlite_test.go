package nn

import (
	"image"
	"image/png"
	"os"
	"strings"
	"testing"

	"trilobite/convert/torch"
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

func TestEfficientNetLite(t *testing.T) {
	t.Parallel()
	for _, tt := range lites {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, tt.name, tt.build, tt.params, ClassifierOptions{})
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
