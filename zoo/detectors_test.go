package zoo

import (
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TestDetectorOf: outputs look like those of a decoder, or of none.
func TestDetectorOf(t *testing.T) {
	t.Parallel()
	value := func(name string, d tensor.DType, shape ...int64) *onnx.Value {
		return &onnx.Value{Name: name, DType: d, Shape: shape}
	}
	from := func(op string, y *onnx.Value) *onnx.Value {
		y.Node = &onnx.Node{Op: op, Out: []*onnx.Value{y}}
		return y
	}
	f := tensor.Float32
	for _, tt := range []struct {
		name, want string
		out        []*onnx.Value
	}{
		{"YOLOv8", "yolov8", []*onnx.Value{value("o", f, 1, 84, 8400)}},
		{"YOLOv8 of any size", "yolov8", []*onnx.Value{value("o", f, 1, 84, -1)}},
		{"YOLOX", "yolox", []*onnx.Value{value("o", f, 1, 84, 8)}},
		{"YOLOX of one class", "yolox", []*onnx.Value{value("o", f, 1, 84, 6)}},
		{"YOLOv10", "boxes", []*onnx.Value{value("o", f, 1, 300, 6)}},
		{"torchvision", "boxes", []*onnx.Value{value("a", f, -1, 4), value("b", tensor.Int64, -1), value("c", f, -1)}},
		{"FCOS of our own", "fcos", []*onnx.Value{value("logits", f, 1, 9, 3), value("boxes", f, 1, 9, 4), value("quality", f, 1, 9)}},
		{"TensorFlow's SSD", "ssd", []*onnx.Value{from("Sigmoid", value("s", f, 1, 9, 91)), value("b", f, 1, 9, 4)}},
		{"TensorFlow's SSD, boxes of rank 4", "ssd", []*onnx.Value{value("b", f, 1, 9, 1, 4), from("Concat", value("s", f, 1, 9, 91))}},
		{"DETR: logits", "", []*onnx.Value{from("Add", value("logits", f, 1, 100, 92)), from("Sigmoid", value("pred_boxes", f, 1, 100, 4))}},
		{"YOLOv5: three boxes a place", "", []*onnx.Value{value("o", f, 1, 252, 85)}},
		{"NanoDet: distributions", "", []*onnx.Value{value("o", f, 1, 2125, 112)}},
		{"YOLOv8 that segments", "", []*onnx.Value{value("o", f, 1, 116, 8400), value("proto", f, 1, 32, 160, 160)}},
		{"YOLOv3: raw maps", "", []*onnx.Value{value("a", f, 1, 255, 13, 13), value("b", f, 1, 255, 26, 26), value("c", f, 1, 255, 52, 52)}},
		{"a classifier", "", []*onnx.Value{value("y", f, 1, 10)}},
	} {
		if got := detectorOf(tt.out, cells(64, 64)); got != tt.want {
			t.Errorf("%s: %v look like %q, want %q", tt.name, tt.out, got, tt.want)
		}
	}
}

// TestUltralytics: the task that Ultralytics writes into a file counts, and one that nothing here
// reads is refused.
func TestUltralytics(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ task, want, err string }{
		{"detect", Detect, ""},
		{"classify", Classify, ""},
		{"segment", "", `Ultralytics' task "segment"`},
		{"", "", ""}, // older files do not say it
	} {
		m, err := ReadMetadata(&onnx.Graph{Meta: map[string]string{"author": "Ultralytics", "task": tt.task, "names": "{0: 'a'}"}})
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v, want %q in it", tt.task, err, tt.err)
			}
			continue
		}
		if err != nil || m.Task != tt.want || len(m.Labels) != 1 || (m.Pipeline != nil) != (tt.task == "classify") {
			t.Errorf("%q: %+v, %v", tt.task, m, err)
		}
	}
}
