package detect

import (
	"fmt"

	"trilobite/ort"
	"trilobite/tensor"
)

// newYOLOv8 reads YOLOv8 and later as Ultralytics exports them to ONNX without
// suppression in the graph:
//
//	output0  [1, 4+C, A]  rows cx, cy, w, h in pixels of the input, then class scores 0 to 1
//
// Source: Detect._inference in ultralytics/nn/modules/head.py.
func newYOLOv8(out []ort.ValueInfo, c Config) (decoder, error) {
	classes := len(c.Labels) - c.Offset
	if len(out) != 1 || classes < 1 || !like(out[0], 1, int64(4+classes), -1) {
		return nil, fmt.Errorf("decoder yolov8 expects one float32 output [1,%d,A] for %d labels, the model has %v", 4+classes, classes, out)
	}
	return func(out []*tensor.Tensor, minScore float32) []candidate {
		d, _ := tensor.Data[float32](out[0])
		anchors := len(d) / (4 + classes)
		row := func(i int) []float32 { return d[i*anchors : (i+1)*anchors] }
		cx, cy, w, h := row(0), row(1), row(2), row(3)
		var found []candidate
		for class := range classes {
			for a, score := range row(4 + class) {
				if score >= minScore {
					found = append(found, candidate{centred(cx[a], cy[a], w[a], h[a]), class, score})
				}
			}
		}
		return found
	}, nil
}
