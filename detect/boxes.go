package detect

import (
	"fmt"

	"trilobite/geom"
	"trilobite/ort"
	"trilobite/tensor"
)

// newBoxes reads models that suppress by themselves, in one of two forms:
//
//	boxes [K, 4]  labels [K]  scores [K]   xyxy in pixels of the input, int64, 0 to 1
//	found [1, K, 6]                        rows x1, y1, x2, y2, score, class
//
// The first is torchvision's detectors as torch.onnx.export writes them, whatever its names;
// other outputs, of masks and keypoints, are not read, and classes count from 1. The second
// is Ultralytics' end-to-end form (YOLOv10, YOLO26, exports with nms=True).
// Source: torchvision's models/detection/generalized_rcnn.py; v10Detect.postprocess of
// ultralytics/nn/modules/head.py.
func newBoxes(out []ort.ValueInfo, _ Config) (decoder, error) {
	if len(out) == 1 && like(out[0], 1, -1, 6) {
		return rows, nil
	}
	boxes, labels, scores := -1, -1, -1
	for i, v := range out {
		switch {
		case boxes < 0 && like(v, -1, 4):
			boxes = i
		case labels < 0 && v.DType == tensor.Int64 && len(v.Shape) == 1:
			labels = i
		case scores < 0 && like(v, -1):
			scores = i
		}
	}
	if boxes < 0 || labels < 0 || scores < 0 {
		return nil, fmt.Errorf("decoder boxes expects boxes [K,4] float32, labels [K] int64 and scores [K] float32, or one float32 output [1,K,6], the model has %v", out)
	}
	return func(out []*tensor.Tensor, minScore float32) []candidate {
		b, _ := tensor.Data[float32](out[boxes])
		l, _ := tensor.Data[int64](out[labels])
		s, _ := tensor.Data[float32](out[scores])
		var found []candidate
		for i := range min(len(b)/4, len(l), len(s)) {
			found = add(found, b[4*i:], s[i], float64(l[i]), minScore)
		}
		return found
	}, nil
}

// rows reads the form of one output.
func rows(out []*tensor.Tensor, minScore float32) []candidate {
	d, _ := tensor.Data[float32](out[0])
	var found []candidate
	for ; len(d) >= 6; d = d[6:] {
		found = add(found, d, d[4], float64(d[5]), minScore)
	}
	return found
}

// maxClass bounds what a model may call a class.
const maxClass = 1 << 20

// add appends an object whose score suffices and whose class is one.
func add(found []candidate, b []float32, score float32, class float64, minScore float32) []candidate {
	if !(score >= minScore) || !(class >= 0 && class <= maxClass) {
		return found
	}
	return append(found, candidate{geom.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]}, int(class), score})
}
