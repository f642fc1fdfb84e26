package detect

import (
	"fmt"

	"trilobite/geom"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
)

// newSSD reads the outputs of TensorFlow's SSDs (COCO-SSD among them), in any order:
//
//	scores  [1, A, C]               per anchor and class, 0 to 1
//	boxes   [1, A, 4] or [1, A, 1, 4]  ymin, xmin, ymax, xmax, decoded, relative: 0 to 1
//
// Source: object_detection/core/box_list.py and post_processing.py of TensorFlow's
// models repository.
func newSSD(out []ort.ValueInfo, c Config) (decoder, error) {
	classes := len(c.Labels) - c.Offset
	columns, first := classes, 0
	if c.Background {
		columns, first = classes+1, 1
	}
	scores, boxes, ok := ssdOutputs(out, int64(columns))
	if !ok {
		return nil, fmt.Errorf("decoder ssd expects scores [1,A,%d] for %d labels and boxes [1,A,4] or [1,A,1,4] in float32, the model has %v",
			columns, classes, out)
	}
	w, h := float32(c.Pipeline.Width), float32(c.Pipeline.Height)
	return func(out []*tensor.Tensor, minScore float32) []candidate {
		s, _ := tensor.Data[float32](out[scores])
		b, _ := tensor.Data[float32](out[boxes])
		anchors := min(len(s)/columns, len(b)/4)
		var found []candidate
		for a := range anchors {
			for class, score := range s[a*columns+first : (a+1)*columns] {
				if score >= minScore {
					y1, x1, y2, x2 := b[4*a], b[4*a+1], b[4*a+2], b[4*a+3]
					found = append(found, candidate{geom.Box{X1: x1 * w, Y1: y1 * h, X2: x2 * w, Y2: y2 * h}, class, score})
				}
			}
		}
		return found
	}, nil
}

// ssdOutputs finds which output is which. With four columns of scores both look the
// same and the name decides.
func ssdOutputs(out []ort.ValueInfo, columns int64) (scores, boxes int, ok bool) {
	if len(out) != 2 || columns < 1 {
		return 0, 0, false
	}
	isScores := func(v ort.ValueInfo) bool { return like(v, 1, -1, columns) }
	isBoxes := func(v ort.ValueInfo) bool { return like(v, 1, -1, 4) || like(v, 1, -1, 1, 4) }
	for i := range out {
		j := 1 - i
		if isScores(out[i]) && isBoxes(out[j]) && sameAnchors(out[i].Shape, out[j].Shape) {
			if isScores(out[j]) && isBoxes(out[i]) && namesBoxes(out[i].Name) {
				continue
			}
			return i, j, true
		}
	}
	return 0, 0, false
}

func sameAnchors(a, b onnx.Shape) bool { return a[1] < 0 || b[1] < 0 || a[1] == b[1] }
