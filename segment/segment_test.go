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
