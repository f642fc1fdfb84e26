package torch

import (
	"fmt"
	"slices"
	"strings"

	"trilobite/onnx"
)

// Assign gives each parameter the tensor of its name. The elements are shared with sd.
//
// Names, shapes and element types must match on both sides; a single error lists every
// parameter without a tensor, tensor without a parameter and mismatch, and nothing is
// assigned then. BatchNorm's counters ("….num_batches_tracked"), which inference does
// not use, need no parameter.
func Assign(params []*onnx.Value, sd *StateDict) error {
	var faults []string
	known := make(map[string]bool, len(params))
	for _, p := range params {
		known[p.Name] = true
		t := sd.Tensors[p.Name]
		switch {
		case t == nil:
			faults = append(faults, "missing "+p.Name)
		case t.DType != p.DType || !slices.Equal(t.Shape, p.Shape):
			faults = append(faults, fmt.Sprintf("%s is %v%v, want %v%v",
				p.Name, t.DType, onnx.Shape(t.Shape), p.DType, p.Shape))
		}
	}
	for _, name := range sd.Names {
		if !known[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			faults = append(faults, "unexpected "+name)
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("state dict does not fit the network: %s", strings.Join(faults, "; "))
	}
	for _, p := range params {
		p.Data = sd.Tensors[p.Name]
	}
	return nil
}
