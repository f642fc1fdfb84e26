package export

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/tensor"
)

func stepped(t *testing.T, steps string) pipeline.Spec {
	t.Helper()
	s, err := pipeline.Parse("f.yaml", []byte("steps:\n"+steps), pipeline.Spec{Width: 32, Height: 24, Filter: imageio.Bilinear})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPreprocess compares what a graph sees with what package pipeline makes of the same
// picture, in levels of 255.
func TestPreprocess(t *testing.T) {
	t.Parallel()
	mean, std := []float32{123.675, 116.28, 103.53}, []float32{58.395, 57.12, 57.375}
	tests := []struct {
		name string
		spec pipeline.Spec
		most float64 // levels
	}{
		{"stretched", pipeline.Spec{Width: 32, Height: 24, Filter: imageio.Bilinear, Mean: mean, Std: std}, 1},
		{"stretched, as Keras wants it", pipeline.Spec{Width: 32, Height: 24, Filter: imageio.Bilinear, Mean: []float32{123.68, 116.779, 103.939}, Order: pipeline.BGR}, 1},
		{"channels last, one number for all", pipeline.Spec{Width: 24, Height: 24, Filter: imageio.BilinearHalfPixel, Layout: pipeline.NHWC, Mean: []float32{127.5}, Std: []float32{127.5}}, 1},
		{"TensorFlow 1's resize", pipeline.Spec{Width: 24, Height: 24, Filter: imageio.BilinearTF}, 1},
		{"the centre", pipeline.Spec{Width: 24, Height: 24, Resize: pipeline.CentreCrop, Crop: 0.875, Filter: imageio.Bicubic, Mean: mean, Std: std}, 1.01},
		{"letterbox", pipeline.Spec{Width: 40, Height: 40, Resize: pipeline.Letterbox, Fill: 114, Filter: imageio.Bilinear, Std: []float32{255}}, 1},
		{"turned and cropped", stepped(t, "  - orient: {turn: 90, flip: horizontal}\n  - crop: {box: [1, 2, 15, 14]}\n  - orient: {turn: 270}\n"), 1},
		{"turned about", stepped(t, "  - orient: {turn: 180}\n  - crop: {centre: [15, 12]}\n"), 1},
		{"colours", stepped(t, "  - brightness: 0.1\n  - contrast: 1.4\n  - saturation: 1.7\n"), 2},
		{"grey", stepped(t, "  - gamma: 0.7\n  - greyscale\n"), 2},
		{"letterbox in a corner", pipeline.Spec{Width: 40, Height: 40, Resize: pipeline.Letterbox, Fill: 114, Align: pipeline.Corner, Filter: imageio.Bilinear}, 1},
	}
	for _, tt := range tests {
		for _, size := range [][2]int{{96, 64}, {64, 128}, {16, 16}} {
			t.Run(fmt.Sprintf("%s, %d×%d", tt.name, size[0], size[1]), func(t *testing.T) {
				t.Parallel()
				img := picture(size[0], size[1])
				b := onnx.NewBuilder("net")
				shape := tt.spec.Shape()
				b.Output("seen", b.Identity(b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), shape[1], shape[2], shape[3]})))
				g, err := b.Graph()
				if err != nil {
					t.Fatal(err)
				}
				if err := Preprocess(g, tt.spec); err != nil {
					t.Fatal(err)
				}
				out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{tensor.Of([]int64{1, int64(img.H), int64(img.W), 3}, img.Pix)})
				if err != nil {
					t.Fatal(err)
				}
				want, _, err := tt.spec.Apply(img)
				if err != nil {
					t.Fatal(err)
				}
				got, _ := tensor.Data[float32](out[0])
				w, _ := tensor.Data[float32](want)
				scale := 1.0
				if len(tt.spec.Std) > 0 {
					scale = float64(tt.spec.Std[0])
				}
				worst := 0.0
				for i := range w {
					if x, y := i%tt.spec.Width, i/tt.spec.Width%tt.spec.Height; tt.spec.Resize == pipeline.CentreCrop &&
						min(x, y, tt.spec.Width-1-x, tt.spec.Height-1-y) < 4 {
						continue // where the filter would see beyond the edge
					}
					worst = max(worst, math.Abs(float64(got[i]-w[i]))*scale)
				}
				t.Logf("off by %.3f levels", worst)
				if len(got) != len(w) || !(worst <= tt.most*1.03) {
					t.Errorf("off by %.3f levels, at most %v", worst, tt.most)
				}
			})
		}
	}
	if err := Preprocess(onnx.Clone(mustGraph(t)), stepped(t, "  - greyscale\n  - clahe\n")); err == nil || !strings.Contains(err.Error(), "step clahe (line 3)") {
		t.Errorf("a step that ONNX lacks: %v", err)
	}
	if err := Preprocess(onnx.Clone(mustGraph(t)), pipeline.Spec{Width: 8, Height: 8, Filter: imageio.Lanczos}); err == nil {
		t.Error("a filter that ONNX lacks is taken")
	}
}

func mustGraph(t *testing.T) *onnx.Graph {
	t.Helper()
	b := onnx.NewBuilder("net")
	b.Output("y", b.Relu(b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 3, 8, 8})))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// picture has smooth colours and some noise.
func picture(w, h int) *imageio.Image {
	r := rand.New(rand.NewPCG(1, 2))
	img := imageio.New(w, h)
	for i := range img.Pix {
		x, y := float64(i/3%w)/float64(w), float64(i/3/w)/float64(h)
		img.Pix[i] = uint8(100 + 90*math.Sin(5*x+float64(i%3))*math.Cos(4*y) + 20*r.Float64())
	}
	return img
}
