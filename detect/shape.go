package detect

import (
	"strings"

	"trilobite/ort"
	"trilobite/tensor"
)

// like reports whether an output is float32 and its shape can be the given one, where
// -1 is any size. What the model leaves open fits.
func like(v ort.ValueInfo, shape ...int64) bool {
	if v.DType != tensor.Float32 || len(v.Shape) != len(shape) {
		return false
	}
	for i, want := range shape {
		if d := v.Shape[i]; d >= 0 && want >= 0 && d != want {
			return false
		}
	}
	return true
}

func namesBoxes(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "box") || strings.Contains(name, "loc")
}
