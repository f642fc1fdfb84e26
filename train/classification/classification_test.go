package classification

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trilobite"
	"trilobite/dataset"
	"trilobite/dataset/folders"
	"trilobite/imageio"
	"trilobite/nn/nntest"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/internal/resumetest"
)

// colours writes n pictures for each of the classes red, green and blue.
func colours(t *testing.T, n int) string {
	t.Helper()
	root := t.TempDir()
	for c, name := range []string{"blue", "green", "red"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			img := imageio.New(24, 20)
			for p := range img.Pix {
				img.Pix[p] = uint8(10*i + p%7)
				if p%3 == 2-c {
					img.Pix[p] += 130
				}
			}
			data, err := img.EncodePNG()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name, fmt.Sprintf("%d.png", i)), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// tiny is a network of two blocks that sees colours, with three classes.
func tiny(t *testing.T) Data {
	t.Helper()
	return Data{Network: nntest.Blocks(t, 8, 6, 3), Spec: pipeline.Spec{Width: 8, Height: 8, Filter: imageio.Bilinear, Mean: []float32{127}, Std: []float32{64}}}
}

func runTiny(ctx context.Context, t *testing.T, root string, p Params, o train.Options) (*Model, error) {
	t.Helper()
	d := tiny(t)
	set, err := folders.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	d.Set = set.HoldOut(0.2, p.Seed)
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	return Train(ctx, rt, d, p, o)
}

func TestTrain(t *testing.T) {
	t.Parallel()
	for _, p := range []Params{{}, {Unfreeze: "1", Epochs: 6, Seed: 2}, {Unfreeze: `_blocks\.0\.conv`, Epochs: 2}} {
		t.Run("unfreeze "+p.Unfreeze, func(t *testing.T) {
			t.Parallel()
			m, err := runTiny(t.Context(), t, colours(t, 10), p, train.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if m.Best.Metrics["accuracy"] < 0.9 {
				t.Errorf("accuracy %v on held-out pictures, want 0.9", m.Best.Metrics["accuracy"])
			}
			trained := 2
			if p.Unfreeze != "" {
				trained = 4
			}
			if len(m.Weights) != trained || m.Graph.Outputs[0].Name != "logits" {
				t.Errorf("%d constants were trained, want %d; output %q", len(m.Weights), trained, m.Graph.Outputs[0].Name)
			}
		})
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	root := colours(t, 6)
	resumetest.Run(t, func(ctx context.Context, o train.Options) (*onnx.Graph, error) {
		m, err := runTiny(ctx, t, root, Params{Unfreeze: "1", Epochs: 2, Seed: 4}, o)
		if err != nil {
			return nil, err
		}
		return m.Graph, nil
	})
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	root := colours(t, 4)
	var dropped []string
	o := train.Options{Dropped: func(_ bool, _ int, err error) { dropped = append(dropped, string(trilobite.CodeOf(err))) }}
	if err := os.WriteFile(filepath.Join(root, "red", "broken.jpg"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runTiny(t.Context(), t, root, Params{}, o); err != nil || !slices.Equal(dropped, []string{string(trilobite.InvalidImage)}) {
		t.Errorf("one broken picture: %v, dropped %q", err, dropped)
	}
	for i := range 4 {
		if err := os.WriteFile(filepath.Join(root, "red", fmt.Sprintf("%d.png", i)), []byte("no picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := runTiny(t.Context(), t, root, Params{}, train.Options{}); trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), `"red"`) {
		t.Errorf("a class that is all broken: %v", err)
	}
}

func TestUnfreeze(t *testing.T) {
	t.Parallel()
	root := colours(t, 2)
	for text, want := range map[string]string{"3": "has 2", "0": "has 2", "(": "regular expression", "nothing": "No parameter matches"} {
		if _, err := runTiny(t.Context(), t, root, Params{Unfreeze: text}, train.Options{}); trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("--unfreeze %s: %v, want %q", text, err, want)
		}
	}
}

func TestAugmentIsSeeded(t *testing.T) {
	t.Parallel()
	set, err := folders.Read(colours(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	d := tiny(t)
	d.Set = set
	p, err := newPhotos(d, dataset.Train, usual(), targetOf(Params{}, 3))
	if err != nil {
		t.Fatal(err)
	}
	get := func(variant uint64) []float32 {
		s, err := p.Sample(context.Background(), 0, variant)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := tensor.Data[float32](s.Inputs[0])
		return d
	}
	if !slices.Equal(get(5), get(5)) || slices.Equal(get(5), get(6)) {
		t.Error("a version does not follow from its seed alone")
	}
}
