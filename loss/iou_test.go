package loss

import (
	"math"
	"strings"
	"testing"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// GIoU, its derivative, and IoU of boxes in every position against torchvision's.
func TestIoUs(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/iou.npz")
	if err != nil {
		t.Fatal(err)
	}
	b := onnx.NewBuilder("iou")
	x := b.Input("x", tensor.Float32, onnx.Shape{2, 8, 4})
	target := b.Input("target", tensor.Float32, x.Shape)
	giou := b.Output("giou", GIoU(b, x, target))
	iou := b.Output("iou", IoU(b, x, target))
	weight := b.Const("", tensor.Of([]int64{2, 8}, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}))
	l := b.ReduceSum(b.Add(b.Mul(giou, weight), iou))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	dX, err := grad.Gradient(g, l, []*onnx.Value{x})
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = append(g.Outputs, dX...)
	out, err := orttest.Load(t, g).Run(t.Context(), []*tensor.Tensor{golden["x"], golden["target"]})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"loss", "iou", "grad"} {
		got, _ := tensor.Data[float32](out[i])
		want, _ := tensor.Data[float32](golden[name])
		if len(got) != len(want) {
			t.Fatalf("%s is %v, want %v", name, out[i].Shape, golden[name].Shape)
		}
		for j := range want {
			if !(math.Abs(float64(got[j]-want[j])) <= 1e-5) {
				t.Errorf("%s at %d: got %v, want %v", name, j, got[j], want[j])
			}
		}
	}
}

// The loss of a batch without any object is finite, and teaches the classes alone.
func TestFCOSWithoutObjects(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("fcos")
	in := func(name string, dtype tensor.DType, shape ...int64) *onnx.Value { return b.Input(name, dtype, shape) }
	d := Detection{
		Logits: in("logits", tensor.Float32, 1, 3, 2), Boxes: in("boxes", tensor.Float32, 1, 3, 4), Quality: in("quality", tensor.Float32, 1, 3),
		Class: in("class", tensor.Int64, 1, 3), TargetBox: in("target", tensor.Float32, 1, 3, 4),
	}
	l, terms := FCOS(b, d)
	b.Output("loss", l)
	b.Output("boxes_loss", terms.Box)
	b.Output("quality_loss", terms.Quality)
	out, err := orttest.Build(t, b).Run(t.Context(), []*tensor.Tensor{
		tensor.Of([]int64{1, 3, 2}, make([]float32, 6)), tensor.Of([]int64{1, 3, 4}, make([]float32, 12)),
		tensor.Of([]int64{1, 3}, make([]float32, 3)), tensor.Of([]int64{1, 3}, []int64{-1, -1, -1}),
		tensor.Of([]int64{1, 3, 4}, []float32{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := 6 * 0.75 * 0.25 * math.Ln2 // six logits of probability ½, each (1−α)·½²·ln 2
	if got := scalar(t, out[0]); math.Abs(got-want) > 1e-6 || scalar(t, out[1]) != 0 || scalar(t, out[2]) != 0 {
		t.Errorf("got %v, boxes %v, quality %v, want %v of the classes", got, scalar(t, out[1]), scalar(t, out[2]), want)
	}
}

func TestFCOSMisfits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		bend func(d *Detection, b *onnx.Builder)
		want string
	}{
		{"classes as floats", func(d *Detection, b *onnx.Builder) { d.Class = b.Input("c", tensor.Float32, onnx.Shape{1, 3}) }, "want int64"},
		{"another number of locations", func(d *Detection, b *onnx.Builder) { d.Quality = b.Input("q", tensor.Float32, onnx.Shape{1, 4}) }, `"q" is [1,4]`},
		{"boxes of three numbers", func(d *Detection, b *onnx.Builder) {
			d.Boxes = b.Input("b3", tensor.Float32, onnx.Shape{1, 3, 3})
			d.TargetBox = b.Input("t3", tensor.Float32, onnx.Shape{1, 3, 3})
		}, "want (…, 4)"},
		{"logits without classes", func(d *Detection, b *onnx.Builder) { d.Logits = b.Input("l", tensor.Float32, onnx.Shape{1, 3}) }, "want (N, A, C)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("fcos")
			d := Detection{
				Logits: b.Input("logits", tensor.Float32, onnx.Shape{1, 3, 2}), Boxes: b.Input("boxes", tensor.Float32, onnx.Shape{1, 3, 4}),
				Quality: b.Input("quality", tensor.Float32, onnx.Shape{1, 3}), Class: b.Input("class", tensor.Int64, onnx.Shape{1, 3}),
				TargetBox: b.Input("target", tensor.Float32, onnx.Shape{1, 3, 4}),
			}
			tt.bend(&d, b)
			FCOS(b, d)
			if err := b.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
