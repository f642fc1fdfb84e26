package zoo

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// detectorOf returns the decoder that a graph's outputs look like, were they a detector's:
// by their number, shapes and types, as package detect documents them. cells is how many
// places the grids of strides 8, 16 and 32 have together, 0 if the size is open.
func detectorOf(outputs []*onnx.Value, cells int64) string {
	shape := func(y *onnx.Value) onnx.Shape { return y.Shape }
	float := func(y *onnx.Value, rank int) bool { return y.DType == tensor.Float32 && len(shape(y)) == rank }
	has := func(fits func(*onnx.Value) bool) bool { return slices.ContainsFunc(outputs, fits) }
	if len(outputs) == 1 && float(outputs[0], 3) {
		anchors, row := shape(outputs[0])[1], shape(outputs[0])[2]
		switch {
		case anchors == cells && row > 5 && anchors > row:
			return "yolox"
		case row == 6:
			return "boxes"
		}
		return "yolov8"
	}
	switch {
	case has(func(y *onnx.Value) bool { return y.DType == tensor.Int64 && len(y.Shape) == 1 }) && has(func(y *onnx.Value) bool { return float(y, 1) }):
		return "boxes"
	case len(outputs) == 3 && has(func(y *onnx.Value) bool { return y.Name == "quality" }):
		return "fcos"
	case len(outputs) == 2 && has(func(y *onnx.Value) bool { return float(y, 3) }):
		return "ssd"
	}
	return "yolov8"
}

// cells counts the places of YOLOX's three grids for an input of a size.
func cells(width, height int) int64 {
	n := 0
	for _, stride := range []int{8, 16, 32} {
		n += (width / stride) * (height / stride)
	}
	return int64(n)
}
