package segmentation

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/imageio"
	"trilobite/loss"
	"trilobite/modelfile"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/segment"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/internal/resumetest"
)

const side = 32

// squares writes n pictures of noise with a bright square each, and their masks of 0 and
// 255, and returns their folder.
func squares(t *testing.T, n int) string {
	t.Helper()
	root := t.TempDir()
	for i := range n {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		img, mask := imageio.New(side, side), image.NewGray(image.Rect(0, 0, side, side))
		x0, y0, size := 4*r.IntN(5), 4*r.IntN(5), 8+4*r.IntN(2)
		for p := range side * side {
			x, y := p%side, p/side
			inside := x >= x0 && x < x0+size && y >= y0 && y < y0+size
			for c := range 3 {
				img.Pix[3*p+c] = uint8(r.IntN(90))
				if inside {
					img.Pix[3*p+c] += 140
				}
			}
			if inside {
				mask.Pix[p] = 255
			}
		}
		data, err := img.EncodePNG()
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(root, "images", fmt.Sprintf("%02d.png", i)), data)
		putMask(t, filepath.Join(root, "masks", fmt.Sprintf("%02d.png", i)), mask)
	}
	return root
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func putMask(t *testing.T, path string, m *image.Gray) {
	t.Helper()
	var b strings.Builder
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	put(t, path, []byte(b.String()))
}

// tiny is a network of one block, a backbone, and a head that enlarges its scores.
func tiny(t *testing.T, classes int64) *nn.Network {
	t.Helper()
	b := onnx.NewBuilder("tiny")
	m := nn.NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, side, side})
	s := m.Sub("backbone._blocks.0")
	x = b.Relu(s.BatchNorm("bn", s.Conv("conv", x, 8, nn.ConvAttrs{Kernel: 3, Stride: 2}), nn.BatchNormAttrs{}))
	h := m.Sub("head")
	x = b.Relu(h.BatchNorm("bn", h.Conv("conv", x, 12, nn.ConvAttrs{Kernel: 3, Stride: 2}), nn.BatchNormAttrs{}))
	x = h.Conv("classify", x, classes, nn.ConvAttrs{Bias: true})
	b.Output("logits", b.ResizeTo(x, []int64{side, side}, onnx.ResizeAttrs{Mode: "linear", Coordinates: "half_pixel", Axes: []int64{2, 3}}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	net := &nn.Network{Graph: g, Params: m.Params()}
	nn.Initialise(net.Params, 3)
	return net
}

func spec() pipeline.Spec {
	return pipeline.Spec{Width: side, Height: side, Filter: imageio.Bilinear, Mean: []float32{127}, Std: []float32{64}}
}

func learn(ctx context.Context, t *testing.T, root string, p Params, o train.Options) (*Model, *dataset.Set, error) {
	t.Helper()
	set, err := masks.Read(root, "")
	if err != nil {
		t.Fatal(err)
	}
	set, pixels, err := Prepare(t.Context(), set, 2)
	if err != nil {
		return nil, set, err
	}
	set = set.HoldOut(0.2, p.Seed)
	m, err := Train(ctx, runtime(t), Data{Set: set, Pixels: pixels, Network: tiny(t, int64(len(set.Classes))), Spec: spec()}, p, o)
	return m, set, err
}

func runtime(t *testing.T) *ort.Runtime {
	t.Helper()
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func TestTrain(t *testing.T) {
	t.Parallel()
	root := squares(t, 20)
	for _, p := range []Params{
		{Epochs: 40},
		{Epochs: 30, Unfreeze: "1", Dice: 1, Balance: 0.2, Seed: 2},
	} {
		t.Run(fmt.Sprintf("unfreeze %q", p.Unfreeze), func(t *testing.T) {
			t.Parallel()
			m, set, err := learn(t.Context(), t, root, p, train.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if iou := m.Best.Metrics["IoU foreground"]; iou < 0.9 {
				t.Errorf("IoU of the squares %v, want 0.9 or more", iou)
			}
			_, moved := m.Weights["backbone._blocks.0.conv.weight"]
			if moved != (p.Unfreeze != "") {
				t.Errorf("the backbone was trained: %v, with --unfreeze %q", moved, p.Unfreeze)
			}
			if _, ok := m.Weights["backbone._blocks.0.bn.running_mean"]; ok {
				t.Error("the backbone's statistics moved")
			}
			servesAsMeasured(t, m, set)
		})
	}
}

// servesAsMeasured segments the validation pictures as `trilobite segment` does, and
// wants the figures of the training's last evaluation to the bit.
func servesAsMeasured(t *testing.T, m *Model, set *dataset.Set) {
	t.Helper()
	data, err := onnx.Marshal(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := runtime(t).LoadBytes(t.Context(), data, ort.Options{Name: "tiny"})
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	s, err := segment.New(loaded, segment.Config{Pipeline: spec(), Decoder: "mask", Labels: set.Classes})
	if err != nil {
		t.Fatal(err)
	}
	j := newJudge(set)
	for _, i := range set.Part(dataset.Val) {
		file, err := os.ReadFile(set.Images[i].File)
		if err != nil {
			t.Fatal(err)
		}
		img, err := imageio.Decode(t.Context(), file, imageio.Options{MinSide: spec().MinSide()})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Segment(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		want, err := masks.Load(set, &set.Images[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := j.confusion.AddMasks(want.Pix, got.Class, set.Ignore); err != nil {
			t.Fatal(err)
		}
	}
	if got := j.Metrics(); !reflect.DeepEqual(got, m.Best.Metrics) {
		t.Errorf("served %v, in training %v", got, m.Best.Metrics)
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	root := squares(t, 8)
	resumetest.Run(t, func(ctx context.Context, o train.Options) (*onnx.Graph, error) {
		m, _, err := learn(ctx, t, root, Params{Epochs: 2, Unfreeze: "1", Seed: 4}, o)
		if err != nil {
			return nil, err
		}
		return m.Graph, nil
	})
}

// TestBadSamples: what cannot be used is dropped and named, the rest is trained on.
func TestBadSamples(t *testing.T) {
	t.Parallel()
	root := squares(t, 10)
	putMask(t, filepath.Join(root, "masks", "00.png"), image.NewGray(image.Rect(0, 0, 16, side)))
	odd := image.NewGray(image.Rect(0, 0, side, side))
	odd.Pix[5] = 9
	putMask(t, filepath.Join(root, "masks", "01.png"), odd)
	if err := os.Remove(filepath.Join(root, "masks", "02.png")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "classes.txt"), []byte("0 background\n255 square\n"))
	_, set, err := learn(t.Context(), t, root, Params{Epochs: 1}, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(set.Images); n != 7 {
		t.Errorf("%d pictures were used, want 7", n)
	}
	var dropped []string
	for _, d := range set.Dropped {
		dropped = append(dropped, d.String())
	}
	for _, want := range []string{"00.png: the mask has 16×32 pixels", "01.png: value 9 at 5, 0", "02.png: there is no mask"} {
		if !slices.ContainsFunc(dropped, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("nothing says %q:\n%s", want, strings.Join(dropped, "\n"))
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	root := squares(t, 4)
	one := squares(t, 4)
	put(t, filepath.Join(one, "classes.txt"), []byte("0 background\n255 square\n"))
	for i := range 4 {
		putMask(t, filepath.Join(one, "masks", fmt.Sprintf("%02d.png", i)), image.NewGray(image.Rect(0, 0, side, side)))
	}
	tests := []struct {
		name, root string
		p          Params
		want       string
	}{
		{"one class", one, Params{}, "one class, background"},
		{"blocks that are not there", root, Params{Unfreeze: "2"}, "has 1"},
		{"a pattern that matches nothing", root, Params{Unfreeze: "layer9"}, "No parameter matches"},
		{"a pattern that is none", root, Params{Unfreeze: "("}, "regular expression"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := learn(t.Context(), t, tt.root, tt.p, train.Options{}); trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestBalance(t *testing.T) {
	t.Parallel()
	if loss.Balance([]int64{1, 2}, 0) != nil {
		t.Error("power 0 weighs")
	}
	got := loss.Balance([]int64{900, 100, 0}, 0.5)
	// shares 0.9 and 0.1: powers 1.0541 and 3.1623, their mean 1.26491
	for i, want := range []float64{0.83333, 2.5, 2.5} {
		if math.Abs(float64(got[i])-want) > 1e-4 {
			t.Errorf("class %d weighs %v, want %v", i, got[i], want)
		}
	}
}

// TestNetworks builds each with the weights of a classifier.
func TestNetworks(t *testing.T) {
	t.Parallel()
	c, err := nn.Classifiers()["mobilenet_v2"](nn.ClassifierOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.Initialise(5)
	for _, name := range Networks() {
		net, err := NewNetwork(Params{Network: name}, "mobilenet_v2", c, 3, pipeline.Spec{Width: 96, Height: 64})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if net.Params[0].Data != c.Params[0].Data {
			t.Errorf("%s: the backbone has other weights", name)
		}
	}
	if _, err := NewNetwork(Params{Network: "deeplab"}, "mobilenet_v2", c, 3, spec()); err == nil || !strings.Contains(err.Error(), DeepLab) {
		t.Errorf("an unknown network: %v", err)
	}
}

// TestModelFile: a file that is written, and trained as it is, has the network that is
// trained without one.
func TestModelFile(t *testing.T) {
	t.Parallel()
	c, err := nn.Classifiers()["efficientnet_lite0"](nn.ClassifierOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{DeepLab, UNet} {
		text, err := modelfile.Init(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := modelfile.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Build(3)
		if err != nil {
			t.Fatal(err)
		}
		want, err := NewNetwork(Params{Network: name}, "efficientnet_lite0", c, 3, f.Preprocessing)
		if err != nil {
			t.Fatal(err)
		}
		shapes := func(n *nn.Network) []string {
			var all []string
			for _, v := range n.Params {
				all = append(all, fmt.Sprint(v.Name, v.Shape))
			}
			return all
		}
		if d := cmp.Diff(shapes(want), shapes(got)); d != "" {
			t.Errorf("%s: parameters without a file, and with one:\n%s", name, d)
		}
		if p := NewParams(); f.Training.BalancePower() != p.Balance || f.Training.Dice != p.Dice || f.Training.Versions != versions ||
			!reflect.DeepEqual(f.Augmentation, usual) || f.Training.Stages[0].LR != peak || f.Training.Batch != batch {
			t.Errorf("%s: the file trains otherwise: %+v, %+v", name, f.Training, f.Augmentation)
		}
	}
}
