package segment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// colours loads a model of three classes whose scores are the channels themselves, or
// the index of the strongest.
func colours(t *testing.T, argMax bool) *ort.Model {
	t.Helper()
	b := onnx.NewBuilder("colours")
	x := b.Input("x", tensor.Float32, onnx.Shape{1, 3, 1, 2})
	y := b.Relu(x)
	if argMax {
		y = b.Op("ArgMax", []*onnx.Value{y}, map[string]any{"axis": int64(1), "keepdims": int64(0)}, 1)[0]
	}
	b.Output("y", y)
	return orttest.Build(t, b)
}

func TestSegment(t *testing.T) {
	t.Parallel()
	img := imageio.New(2, 1)
	copy(img.Pix, []uint8{0, 0, 200, 200, 5, 0}) // blue, then red
	img.FullW, img.FullH = 20, 10                // shrunk on load
	for name, argMax := range map[string]bool{"scores": false, "indices": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := New(colours(t, argMax), Config{
				Pipeline: pipeline.Spec{Width: 2, Height: 1}, Decoder: "mask", Labels: []string{"red", "green", "blue"},
			})
			if err != nil {
				t.Fatal(err)
			}
			m, err := s.Segment(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			if m.W != 20 || m.H != 10 || len(m.Class) != 200 {
				t.Fatalf("mask of %d×%d, %d pixels; want the full size", m.W, m.H, len(m.Class))
			}
			want := []Part{{Class: 0, Name: "red", Pixels: 100, Share: 0.5}, {Class: 2, Name: "blue", Pixels: 100, Share: 0.5}}
			if diff := cmp.Diff(want, m.Parts(), cmpopts.IgnoreFields(Part{}, "Confidence")); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			if argMax != (m.Confidence == nil) {
				t.Errorf("confidence for %d pixels", len(m.Confidence))
			}
			for _, p := range []struct {
				x, y float32
				want uint8
			}{{0, 0, 2}, {8.9, 5, 2}, {11, 5, 0}, {20, 10, 0}, {-3, -3, 2}} {
				if got := m.At(p.x, p.y); got != p.want {
					t.Errorf("At(%v, %v) = %d, want %d", p.x, p.y, got, p.want)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	m := colours(t, false)
	good := Config{Pipeline: pipeline.Spec{Width: 2, Height: 1}, Decoder: "mask", Labels: []string{"a", "b", "c"}}
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"another number of labels", func(c *Config) { c.Labels = c.Labels[:2] }, "float32 [1,2,H,W] or int64 [1,H,W], for 2 labels"},
		{"more classes than a byte holds", func(c *Config) { c.Labels = make([]string, 300) }, "256 at most"},
		{"another decoder", func(c *Config) { c.Decoder = "softmax" }, `"softmax"`},
		{"a mask of a part", func(c *Config) { c.Pipeline.Resize = pipeline.CentreCrop }, "centre-crop"},
		{"another size", func(c *Config) { c.Pipeline.Width = 3 }, "[1 3 1 3]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good
			tt.edit(&c)
			_, err := New(m, c)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "colours") {
				t.Errorf("New: %v, want model colours and %q", err, tt.want)
			}
		})
	}
}

func TestIndexWithoutLabel(t *testing.T) {
	t.Parallel()
	for _, class := range []int64{-1, 3} {
		spec, mapping := mappingTo(t, pipeline.Spec{Width: 1, Height: 1}, 1, 1)
		_, err := decode(tensor.Of([]int64{1, 1, 1}, []int64{class}), []string{"a", "b", "c"}, spec, mapping, true)
		if err == nil {
			t.Errorf("class %d of three decodes", class)
		}
	}
}

// TestTiles: a model that looks at each pixel by itself says the same of an image in tiles,
// also of one that steps have turned and cropped.
func TestTiles(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("colours")
	b.Output("y", b.Relu(b.Input("x", tensor.Float32, onnx.Shape{1, 3, 40, 40})))
	model := orttest.Build(t, b)
	img := imageio.New(150, 110)
	for i := range 150 * 110 {
		img.Pix[3*i+(i%150/13+i/150/17)%3] = uint8(100 + i%150)
	}
	for name, steps := range map[string]string{
		"as it is": "", "turned and cropped": "  - crop: {box: [10, 5, 140, 105]}\n  - orient: {turn: 270}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := func(text string) *Mask {
				p, err := pipeline.Parse("f.yaml", []byte(text), pipeline.Spec{Width: 40, Height: 40, Filter: imageio.BilinearHalfPixel})
				if err != nil {
					t.Fatal(err)
				}
				s, err := New(model, Config{Pipeline: p, Decoder: "mask", Labels: []string{"red", "green", "blue"}})
				if err != nil {
					t.Fatal(err)
				}
				m, err := s.Segment(t.Context(), img)
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			m := ask("steps:\n" + steps + "  - tile: {width: 40, height: 40, overlap: 8}\n")
			if m.W != 150 || m.H != 110 || len(m.Confidence) != len(m.Class) {
				t.Fatalf("a mask of %d×%d pixels, %d sure", m.W, m.H, len(m.Confidence))
			}
			for i, c := range m.Class {
				x, y := i%150, i/150
				want := uint8((x/13 + y/17) % 3)
				if steps != "" && (x < 10 || x >= 140 || y < 5 || y >= 105) {
					want = 0 // cropped away
				}
				if c != want {
					t.Fatalf("class %d at %d, %d, want %d", c, x, y, want)
				}
			}
		})
	}
}
