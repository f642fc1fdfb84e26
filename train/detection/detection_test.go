package detection

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trilobite"
	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/step"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/internal/resumetest"
	"trilobite/train/transfer"
)

const inputSide = 64

// squares writes n pictures of noise, each with up to two squares, red or green; picture 0
// shows none. Every third one validates.
func squares(t *testing.T, n int, classes ...string) *dataset.Set {
	t.Helper()
	root := t.TempDir()
	set := &dataset.Set{Classes: classes, Ignore: dataset.NoIgnore}
	for i := range n {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		img := imageio.New(inputSide, inputSide)
		for p := range img.Pix {
			img.Pix[p] = uint8(r.IntN(100))
		}
		sample := dataset.Image{File: filepath.Join(root, fmt.Sprintf("%02d.png", i)), Split: dataset.Train, W: inputSide, H: inputSide}
		if i%3 == 2 {
			sample.Split = dataset.Val
		}
		for k := range min(i, 1+r.IntN(2)) {
			size, class := 10+r.IntN(12), r.IntN(len(classes))
			x0, y0 := 32*k+r.IntN(32-size), r.IntN(inputSide-size)
			for y := y0; y < y0+size; y++ {
				for x := x0; x < x0+size; x++ {
					img.Pix[3*(y*inputSide+x)+class] += 150
				}
			}
			box := geom.Rect{X: float64(x0), Y: float64(y0), W: float64(size), H: float64(size)}
			set.Add(&sample, dataset.Object{Class: class, Box: box, Area: box.Area()}, sample.File, 0)
		}
		data, err := img.EncodePNG()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(sample.File, data, 0o600); err != nil {
			t.Fatal(err)
		}
		set.Images = append(set.Images, sample)
	}
	return set
}

// tiny is a detector on three random convolutions.
func tiny(t *testing.T, set *dataset.Set) Data {
	t.Helper()
	b := onnx.NewBuilder("tiny")
	m := nn.NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, inputSide, inputSide})
	for i, channels := range []int64{8, 16, 24} {
		x = b.Relu(m.Conv(fmt.Sprintf("conv%d", i), x, channels, nn.ConvAttrs{Kernel: 3, Stride: 2, Bias: true}))
	}
	b.Output("features", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	nn.Initialise(m.Params(), 1)
	net, err := nn.FCOS(nn.DetectorOptions{
		Backbone: nn.BackboneOptions{Graph: g}, Strides: []int64{4, 8}, Classes: int64(len(set.Classes)),
		Height: inputSide, Width: inputSide, Neck: nn.PyramidOptions{Channels: 16}, Convs: 1, Norm: "batch",
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]*tensor.Tensor{}
	for _, p := range net.Params {
		if !transfer.Head(p.Name) {
			kept[p.Name] = p.Data
		}
	}
	net.Initialise(1)
	for _, p := range net.Params {
		if w := kept[p.Name]; w != nil {
			p.Data = w
		}
	}
	return Data{Set: set, Network: net, Spec: pipeline.Spec{
		Width: inputSide, Height: inputSide, Filter: imageio.Bilinear, Mean: []float32{100}, Std: []float32{64},
	}}
}

func runtimeOf(t *testing.T) *ort.Runtime {
	t.Helper()
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// TestTrain: squares are found, of two classes and of one, and the model that is served
// does as well as the one that was judged.
func TestTrain(t *testing.T) {
	t.Parallel()
	for _, classes := range [][]string{{"red", "green"}, {"red"}} {
		t.Run(fmt.Sprintf("%d classes", len(classes)), func(t *testing.T) {
			t.Parallel()
			d, rt := tiny(t, squares(t, 48, classes...)), runtimeOf(t)
			m, err := Train(t.Context(), rt, d, Params{Epochs: 40}, train.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Best.Metrics["AP50"]; got < 0.8 {
				t.Errorf("AP50 %.3f, want 0.8; all: %v", got, m.Best.Metrics)
			}
			part := d
			part.Set = &dataset.Set{Classes: classes}
			for _, i := range d.Set.Part(dataset.Val) {
				part.Set.Images = append(part.Set.Images, d.Set.Images[i])
			}
			e, err := Evaluate(t.Context(), rt, part, m.Graph, ort.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range []string{"AP", "AP50"} {
				if got, want := float64(e.Figures[i].Value), m.Best.Metrics[name]; e.Figures[i].Name != name || math.Abs(got-want) > 1e-3 {
					t.Errorf("served, %s %v; judged %v", e.Figures[i].Name, got, want)
				}
			}
			if len(e.Classes) != len(classes) || e.Images != 16 {
				t.Errorf("%d classes on %d pictures", len(e.Classes), e.Images)
			}
		})
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	set, rt := squares(t, 12, "red"), runtimeOf(t)
	resumetest.Run(t, func(ctx context.Context, o train.Options) (*onnx.Graph, error) {
		m, err := Train(ctx, rt, tiny(t, set), Params{Epochs: 4, Seed: 5}, o)
		if err != nil {
			return nil, err
		}
		return m.Graph, nil
	})
}

// TestUnfreeze trains the random backbone too.
func TestUnfreeze(t *testing.T) {
	t.Parallel()
	set, rt := squares(t, 12, "red"), runtimeOf(t)
	m, err := Train(t.Context(), rt, tiny(t, set), Params{Epochs: 1, Unfreeze: "conv2"}, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"backbone.conv2.weight": true, "backbone.conv1.weight": false} {
		if _, got := m.Weights[name]; got != want {
			t.Errorf("%s trained: %v, want %v", name, got, want)
		}
	}
	if _, err := Train(t.Context(), rt, tiny(t, set), Params{Unfreeze: "nothing"}, train.Options{}); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
}

// TestTargets: what cannot be learned from teaches nothing, and spoils nothing else.
func TestTargets(t *testing.T) {
	t.Parallel()
	good := geom.Rect{X: 10, Y: 10, W: 20, H: 20}
	tests := []struct {
		name    string
		objects []dataset.Object
		want    bool // some location learns
	}{
		{"a picture without boxes", nil, false},
		{"a box", []dataset.Object{{Box: good}}, true},
		{"a box without area", []dataset.Object{{Box: geom.Rect{X: 10, Y: 10, H: 5}}}, false},
		{"a box outside", []dataset.Object{{Box: geom.Rect{X: 70, Y: 70, W: 20, H: 20}}}, false},
		{"a crowd", []dataset.Object{{Box: good, Crowd: true}}, false},
		{"a good one beside a bad one", []dataset.Object{{Box: geom.Rect{X: 70, Y: 70, W: 2, H: 2}}, {Box: good}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set := squares(t, 1, "red")
			set.Images[0].Objects = tt.objects
			p, err := newPhotos(tiny(t, set), []int{0}, mirrored, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			for v := range p.Variants() {
				s, err := p.Sample(t.Context(), 0, uint64(v))
				if err != nil {
					t.Fatal(err)
				}
				class, _ := tensor.Data[int64](s.Targets[0])
				if got := slices.Contains(class, 0); got != tt.want || len(class) != 16*16+8*8 {
					t.Errorf("version %d: %d locations, one learns: %v, want %v", v, len(class), got, tt.want)
				}
			}
		})
	}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	set := squares(t, 12, "red")
	if err := os.WriteFile(set.Images[3].File, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	var dropped []int
	o := train.Options{Dropped: func(_ bool, i int, _ error) { dropped = append(dropped, i) }}
	if _, err := Train(t.Context(), runtimeOf(t), tiny(t, set), Params{Epochs: 1}, o); err != nil || !slices.Equal(dropped, []int{2}) {
		t.Errorf("a broken picture: %v, dropped %v, want the third of the training part", err, dropped)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	set := squares(t, 6, "red")
	if err := Check(set); err != nil {
		t.Errorf("one class: %v", err)
	}
	for i := range set.Images {
		set.Images[i].Objects = nil
	}
	set.Dropf("a.xml", 7, "the box has no area")
	if err := Check(set); trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), "a.xml:7") {
		t.Errorf("no boxes: %v, want what was dropped", err)
	}
}

// TestRecipe: the stages, the augmentation and the number of versions are the caller's.
func TestRecipe(t *testing.T) {
	t.Parallel()
	d := tiny(t, squares(t, 12, "red"))
	d.Augment, d.Versions = augment.Plan{HorizontalFlip: 0.5, Scale: []float64{0.8, 1.5}}, 3
	stage := train.Stage{Epochs: 2, Rule: optim.NewAdamW(), Schedule: func(int64) optim.Schedule { return optim.Constant(1e-3) }}
	d.Recipe = &train.Recipe{Batch: 4, BatchNorm: step.Train, Stages: []train.Stage{stage}}
	m, err := Train(t.Context(), runtimeOf(t), d, Params{Epochs: 9}, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Steps != 2*2 {
		t.Errorf("%d steps, want 2 epochs of 2", m.Steps)
	}
	for _, name := range []string{"backbone.conv0.weight", "fpn.inner_blocks.0.0.weight"} {
		if m.Weights[name] == nil {
			t.Errorf("%s was not trained", name)
		}
	}
}
