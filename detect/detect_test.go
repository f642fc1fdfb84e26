package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// brightness loads an SSD of one anchor in the right half of the image and one across
// its left edge; the scores of both are the means of the three channels.
func brightness(t *testing.T) *ort.Model {
	t.Helper()
	b := onnx.NewBuilder("brightness")
	x := b.Input("x", tensor.Float32, onnx.Shape{1, 3, 4, 4})
	mean := b.Reshape(b.GlobalAveragePool(x), 1, 1, 3)
	b.Output("scores", b.Concat(1, mean, b.Mul(mean, b.Scalar(tensor.Float32, 0.5))))
	zero := b.Mul(b.ReduceMeanKeep(mean, 2), b.Scalar(tensor.Float32, 0)) // [1, 1, 1]
	boxes := b.Const("anchors", tensor.Of([]int64{1, 2, 4}, []float32{0, 0.5, 1, 1, 0, -0.5, 0.5, 0.25}))
	b.Output("boxes", b.Add(zero, boxes))
	return orttest.Build(t, b)
}

func TestDetect(t *testing.T) {
	t.Parallel()
	img := imageio.New(8, 8)
	for i := 0; i < len(img.Pix); i += 3 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2] = 204, 102, 51 // 0.8, 0.4, 0.2
	}
	img.FullW, img.FullH = 800, 400 // shrunk on load
	right, left := geom.Box{X1: 400, X2: 800, Y2: 400}, geom.Box{X2: 200, Y2: 200}
	tests := []struct {
		name     string
		labels   []string
		offset   int
		minScore float32
		most     int
		want     []trilobite.Detection
	}{
		{"boxes in the full image, cut at its edge", []string{"r", "g", "b"}, 0, 0.35, 0, []trilobite.Detection{
			{Class: 0, Name: "r", Score: 0.8, Box: right, Model: "brightness"},
			{Class: 0, Name: "r", Score: 0.4, Box: left, Model: "brightness"},
			{Class: 1, Name: "g", Score: 0.4, Box: right, Model: "brightness"},
		}},
		{"the best one", []string{"r", "g", "b"}, 0, 0, 1, []trilobite.Detection{{Class: 0, Name: "r", Score: 0.8, Box: right, Model: "brightness"}}},
		{"a class without a name", []string{"", "g", "b"}, 0, 0.35, 0, []trilobite.Detection{{Class: 1, Name: "g", Score: 0.4, Box: right, Model: "brightness"}}},
		{"labels that begin with a background", []string{"nothing", "r", "g", "b"}, 1, 0.5, 0, []trilobite.Detection{{Class: 1, Name: "r", Score: 0.8, Box: right, Model: "brightness"}}},
		{"nothing that good", []string{"r", "g", "b"}, 0, 0.9, 0, nil},
	}
	m := brightness(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := New(m, Config{
				Pipeline: pipeline.Spec{Width: 4, Height: 4, Std: []float32{255}}, Decoder: "ssd",
				Labels: tt.labels, Offset: tt.offset, Max: tt.most,
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Detect(t.Context(), img, tt.minScore)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-5, 0), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Detect (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	m := brightness(t)
	good := Config{Pipeline: pipeline.Spec{Width: 4, Height: 4}, Decoder: "ssd", Labels: labels(3)}
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"a decoder of another kind", func(c *Config) { c.Decoder = "yolov8" }, "decoder yolov8 expects one float32 output [1,7,A] for 3 labels, the model has [scores float32 [1,2,3] boxes float32 [1,2,4]]"},
		{"an unknown decoder", func(c *Config) { c.Decoder = "detr" }, `decoder "detr": not one of`},
		{"another number of labels", func(c *Config) { c.Labels = labels(5) }, "scores [1,A,5]"},
		{"another size", func(c *Config) { c.Pipeline.Width = 8 }, "[1 3 4 8]"},
		{"an IoU in percent", func(c *Config) { c.IoU = 60 }, "IoU 60"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good
			tt.edit(&c)
			_, err := New(m, c)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "brightness") {
				t.Errorf("New: %v, want model brightness and %q", err, tt.want)
			}
		})
	}
}
