package zoo

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// detectorOf returns the decoder that a graph's outputs look like, were they a detector's:
// by their number, shapes and types, as package detect documents them; "" where they are like
// none's. cells is how many places the grids of strides 8, 16 and 32 have together, 0 if the
// size is open.
func detectorOf(outputs []*onnx.Value, cells int64) string {
	float := func(y *onnx.Value, rank int) bool { return y.DType == tensor.Float32 && len(y.Shape) == rank }
	has := func(fits func(*onnx.Value) bool) bool { return slices.ContainsFunc(outputs, fits) }
	switch len(outputs) {
	case 1:
		if float(outputs[0], 3) {
			return oneDetector(outputs[0].Shape[1], outputs[0].Shape[2], cells)
		}
	case 2:
		for i, other := range []int{1, 0} {
			if isCorners(outputs[i]) && float(outputs[other], 3) && !isLogits(outputs[other]) {
				return "ssd"
			}
		}
	case 3:
		if has(func(y *onnx.Value) bool { return y.Name == "quality" }) {
			return "fcos"
		}
	}
	if has(func(y *onnx.Value) bool { return y.DType == tensor.Int64 && len(y.Shape) == 1 }) && has(func(y *onnx.Value) bool { return float(y, 1) }) {
		return "boxes"
	}
	return ""
}

// oneDetector tells the decoder of one output [N, a, b].
func oneDetector(a, b, cells int64) string {
	switch {
	case a == cells && b > 5 && a > b:
		return "yolox"
	case b == 6:
		return "boxes"
	case a > 4 && (b > a || b < 0):
		return "yolov8"
	}
	return ""
}

// isCorners reports whether an output is boxes [N, A, 4] or [N, A, 1, 4].
func isCorners(y *onnx.Value) bool {
	s := y.Shape
	return y.DType == tensor.Float32 && (len(s) == 3 || len(s) == 4 && s[2] == 1) && (s[len(s)-1] == 4 || s[len(s)-1] < 0)
}

// isLogits reports whether an output comes right from a layer, as DETR's logits do.
func isLogits(y *onnx.Value) bool {
	n := endsIn(y)
	return n != nil && slices.Contains([]string{"Conv", "Gemm", "MatMul", "Add"}, n.Op)
}

// DetectorForms says in words which outputs of a detector are read, by decoder.
const DetectorForms = "one [1,4+C,A] (yolov8); one [1,A,5+C] of the A places of strides 8, 16 and 32, boxes as offsets (yolox); " +
	"one [1,K,6], or boxes [K,4], int64 classes [K] and scores [K] (boxes); scores [1,A,C] of 0 to 1 and boxes [1,A,4] (ssd)"

// cells counts the places of YOLOX's three grids for an input of a size.
func cells(width, height int) int64 {
	n := 0
	for _, stride := range []int{8, 16, 32} {
		n += (width / stride) * (height / stride)
	}
	return int64(n)
}
