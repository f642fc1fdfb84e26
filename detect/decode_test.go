package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/geom"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

func labels(n int) []string {
	return strings.Split("abcdefghij", "")[:n]
}

func output(name string, shape ...int64) ort.ValueInfo {
	return ort.ValueInfo{Name: name, DType: tensor.Float32, Shape: onnx.Shape(shape)}
}

// TestGolden compares decoding and suppression with each project's decoding and
// torchvision's batched_nms (golden/nms.py).
func TestGolden(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/decode.npz")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		decoder    string
		outputs    []string
		background bool
		classes    int
	}{
		{"ssd", []string{"ssd_boxes", "ssd_scores"}, true, 4},
		{"yolox", []string{"yolox_out"}, false, 3},
		{"yolov8", []string{"yolov8_out"}, false, 3},
		{"boxes", []string{"boxes_boxes", "boxes_labels", "boxes_scores"}, false, 3},
		{"boxes", []string{"boxes_rows"}, false, 3},
	}
	for _, tt := range tests {
		t.Run(tt.outputs[0], func(t *testing.T) {
			t.Parallel()
			var infos []ort.ValueInfo
			var out []*tensor.Tensor
			for _, name := range tt.outputs {
				out = append(out, arrays[name])
				infos = append(infos, ort.ValueInfo{Name: name, DType: arrays[name].DType, Shape: arrays[name].Shape})
			}
			build, iou, err := kinds(tt.decoder)
			if err != nil {
				t.Fatal(err)
			}
			decode, err := build(infos, Config{
				Pipeline: pipeline.Spec{Width: 64, Height: 64}, Labels: labels(tt.classes), Background: tt.background,
			})
			if err != nil {
				t.Fatal(err)
			}
			got := suppress(decode(out, 0.3), iou, 1000)
			rows, _ := tensor.Data[float32](arrays[tt.decoder])
			var want []candidate
			for r := rows; len(r) > 0; r = r[6:] {
				want = append(want, candidate{geom.Box{X1: r[2], Y1: r[3], X2: r[4], Y2: r[5]}, int(r[0]), r[1]})
			}
			if len(want) < 10 {
				t.Fatalf("the golden has %d rows", len(want))
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(candidate{}), cmpopts.EquateApprox(1e-5, 1e-4)); diff != "" {
				t.Errorf("candidates (-torchvision +ours):\n%s", diff)
			}
		})
	}
}

// TestAnswered: an ssd answers the same from the columns of the classes that have names.
func TestAnswered(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/decode.npz")
	if err != nil {
		t.Fatal(err)
	}
	scores, boxes := arrays["ssd_scores"], arrays["ssd_boxes"] // a background and four classes
	infos := []ort.ValueInfo{output("boxes", boxes.Shape...), output("scores", scores.Shape...)}
	c := Config{Decoder: "ssd", Pipeline: pipeline.Spec{Width: 64, Height: 64}, Labels: []string{"a", "", "", "d"}, Background: true}
	name, axis, places, ok := Answered(infos, c)
	if name != "scores" || axis != 2 || !cmp.Equal(places, []int64{1, 4}) || !ok {
		t.Fatalf("Answered = %q, %d, %v, %v; want scores, 2, [1 4], true", name, axis, places, ok)
	}
	all, _ := tensor.Data[float32](scores)
	var some []float32
	for row := all; len(row) > 0; row = row[5:] {
		some = append(some, row[1], row[4])
	}
	read := func(s *tensor.Tensor) []candidate {
		infos[1] = output("scores", s.Shape...)
		decode, err := newSSD(infos, c)
		if err != nil {
			t.Fatal(err)
		}
		return decode([]*tensor.Tensor{boxes, s}, 0.3)
	}
	want, got := read(scores), read(tensor.Of([]int64{1, scores.Shape[1], 2}, some))
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(candidate{})); diff != "" || len(want) < 4 {
		t.Errorf("candidates of %d (-whole +part):\n%s", len(want), diff)
	}
	for name, c := range map[string]Config{
		"every class has a name": {Decoder: "ssd", Labels: labels(5)},
		"none has":               {Decoder: "ssd", Labels: make([]string, 5)},
		"another number":         {Decoder: "ssd", Labels: []string{"a", ""}},
		"another decoder":        {Decoder: "fcos", Labels: []string{"a", "", "c", "", "e"}},
	} {
		if _, _, places, ok := Answered([]ort.ValueInfo{output("b", 1, 9, 4), output("s", 1, 9, 5)}, c); ok {
			t.Errorf("%s: %v are kept", name, places)
		}
	}
}

// TestFCOSGolden compares with the answer of torchvision's whole FCOS (golden/fcos.py).
func TestFCOSGolden(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/fcos.npz")
	if err != nil {
		t.Fatal(err)
	}
	var infos []ort.ValueInfo
	var out []*tensor.Tensor
	for _, name := range []string{"logits", "boxes", "quality"} {
		out = append(out, arrays[name])
		infos = append(infos, output(name, arrays[name].Shape...))
	}
	build, iou, err := kinds("fcos")
	if err != nil {
		t.Fatal(err)
	}
	decode, err := build(infos, Config{Pipeline: pipeline.Spec{Width: 96, Height: 64}, Labels: labels(3)})
	if err != nil {
		t.Fatal(err)
	}
	got := suppress(decode(out, 0.2), iou, DefaultMax) // score_thresh and detections_per_img
	rows, _ := tensor.Data[float32](arrays["rows"])
	var want []candidate
	for r := rows; len(r) > 0; r = r[6:] {
		want = append(want, candidate{geom.Box{X1: r[2], Y1: r[3], X2: r[4], Y2: r[5]}, int(r[0]), r[1]})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(candidate{}), cmpopts.EquateApprox(1e-5, 1e-4)); diff != "" {
		t.Errorf("candidates (-torchvision +ours):\n%s", diff)
	}
}

func TestDecoderFits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		decoder string
		out     []ort.ValueInfo
		want    string // of the error; empty: fits
	}{
		{"ssd as TensorFlow orders it", "ssd", []ort.ValueInfo{output("b", 1, 9, 4), output("s", 1, 9, 3)}, ""},
		{"ssd the other way, boxes of rank 4", "ssd", []ort.ValueInfo{output("s", 1, 9, 3), output("b", 1, 9, 1, 4)}, ""},
		{"ssd with open dimensions", "ssd", []ort.ValueInfo{output("s", -1, -1, -1), output("b", -1, -1, 4)}, ""},
		{"ssd with a background nobody spoke of", "ssd", []ort.ValueInfo{output("s", 1, 9, 4), output("b", 1, 9, 4)}, "scores [1,A,3] for 3 labels"},
		{"ssd of two numbers of anchors", "ssd", []ort.ValueInfo{output("s", 1, 9, 3), output("b", 1, 8, 4)}, "expects scores"},
		{"ssd of one output", "ssd", []ort.ValueInfo{output("s", 1, 9, 3)}, "the model has [s float32 [1,9,3]]"},
		{"ssd with masks", "ssd", []ort.ValueInfo{output("s", 1, 9, 3), output("b", 1, 9, 4), output("m", 1, 9)}, "expects scores"},
		{"yolox", "yolox", []ort.ValueInfo{output("o", 1, 84, 8)}, ""},
		{"yolox P6", "yolox", []ort.ValueInfo{output("o", 1, 85, 8)}, ""},
		{"yolox of another size", "yolox", []ort.ValueInfo{output("o", 1, 8400, 8)}, "[1,84,8] (or [1,85,8] with stride 64) for 3 labels at 64×64"},
		{"yolox of 80 classes", "yolox", []ort.ValueInfo{output("o", 1, 84, 85)}, "for 3 labels"},
		{"yolov8", "yolov8", []ort.ValueInfo{output("o", 1, 7, 84)}, ""},
		{"fcos in any order", "fcos", []ort.ValueInfo{output("boxes", 1, 9, 4), output("quality", 1, 9), output("logits", 1, 9, 3)}, ""},
		{"fcos without quality", "fcos", []ort.ValueInfo{output("boxes", 1, 9, 4), output("logits", 1, 9, 3)}, "quality [1,A]"},
		{"fcos of other names", "fcos", []ort.ValueInfo{output("b", 1, 9, 4), output("q", 1, 9), output("l", 1, 9, 3)}, "outputs logits [1,A,3] for 3 labels"},
		{"boxes of torchvision, with masks", "boxes", []ort.ValueInfo{output("m", -1, 1, 9, 9), output("b", -1, 4), {Name: "l", DType: tensor.Int64, Shape: onnx.Shape{-1}}, output("s", -1)}, ""},
		{"boxes of Ultralytics", "boxes", []ort.ValueInfo{output("o", 1, 300, 6)}, ""},
		{"boxes without labels", "boxes", []ort.ValueInfo{output("b", -1, 4), output("s", -1)}, "labels [K] int64"},
		{"yolov8 transposed", "yolov8", []ort.ValueInfo{output("o", 1, 84, 7)}, "[1,7,A]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			build, _, err := kinds(tt.decoder)
			if err != nil {
				t.Fatal(err)
			}
			_, err = build(tt.out, Config{Pipeline: pipeline.Spec{Width: 64, Height: 64}, Labels: labels(3)})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestFourClasses: scores and boxes then look the same.
func TestFourClasses(t *testing.T) {
	t.Parallel()
	for _, swap := range []bool{false, true} {
		out := []ort.ValueInfo{output("scores", 1, 9, 4), output("Boxes", 1, 9, 4)}
		if swap {
			out[0], out[1] = out[1], out[0]
		}
		scores, boxes, ok := ssdOutputs(out, 4)
		if !ok || out[scores].Name != "scores" || out[boxes].Name != "Boxes" {
			t.Errorf("of %v scores are %d, boxes %d, %v", out, scores, boxes, ok)
		}
	}
}

func TestSuppress(t *testing.T) {
	t.Parallel()
	a, b := geom.Box{X2: 10, Y2: 10}, geom.Box{X1: 1, X2: 11, Y2: 10}
	tests := []struct {
		name string
		in   []candidate
		most int
		want []candidate
	}{
		{"the better of two that overlap", []candidate{{a, 0, 0.5}, {b, 0, 0.6}}, 9, []candidate{{b, 0, 0.6}}},
		{"classes do not suppress each other", []candidate{{a, 0, 0.5}, {b, 1, 0.6}}, 9, []candidate{{b, 1, 0.6}, {a, 0, 0.5}}},
		{"the best of all classes", []candidate{{a, 0, 0.5}, {b, 1, 0.6}, {a, 2, 0.9}}, 2, []candidate{{a, 2, 0.9}, {b, 1, 0.6}}},
		{"equal scores go by class", []candidate{{a, 1, 0.5}, {b, 0, 0.5}}, 9, []candidate{{b, 0, 0.5}, {a, 1, 0.5}}},
		{"nothing", nil, 9, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := suppress(tt.in, 0.6, tt.most)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(candidate{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("suppress (-want +got):\n%s", diff)
			}
		})
	}
}

// BenchmarkDecodeSSD reads outputs of COCO-SSD's size, 1917 anchors of 90 classes with
// 60 scores above the limit.
func BenchmarkDecodeSSD(b *testing.B) {
	names := make([]string, 90)
	decode, err := newSSD([]ort.ValueInfo{output("s", 1, 1917, 90), output("b", 1, 1917, 1, 4)},
		Config{Pipeline: pipeline.Spec{Width: 300, Height: 300}, Labels: names})
	if err != nil {
		b.Fatal(err)
	}
	scores, boxes := make([]float32, 1917*90), make([]float32, 1917*4)
	for i := range 60 {
		scores[i*2875] = 0.5
	}
	out := []*tensor.Tensor{tensor.Of([]int64{1, 1917, 90}, scores), tensor.Of([]int64{1, 1917, 1, 4}, boxes)}
	for b.Loop() {
		suppress(decode(out, 0.3), 0.6, 100)
	}
}
