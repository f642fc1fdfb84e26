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
	known := make(map[string]bool, len(params))
	for _, p := range params {
		known[p.Name] = true
	}
	var unexpected []string
	for _, name := range sd.Names {
		if !known[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			unexpected = append(unexpected, "unexpected "+name)
		}
	}
	return assign(params, "", sd, unexpected)
}

// AssignUnder gives each parameter whose name begins with prefix the tensor of the rest of
// its name: a backbone's published weights within a network for another task, with prefix
// "backbone.". The other parameters stay as they are, and tensors without a parameter,
// those of layers that the network does not use, are left out. What is missing or does not
// match is an error as in Assign; so is a prefix that no parameter has.
func AssignUnder(params []*onnx.Value, prefix string, sd *StateDict) error {
	var under []*onnx.Value
	for _, p := range params {
		if strings.HasPrefix(p.Name, prefix) {
			under = append(under, p)
		}
	}
	if len(under) == 0 {
		return fmt.Errorf("the network has no parameter under %q", prefix)
	}
	return assign(under, prefix, sd, nil)
}

// assign gives parameters the tensors of their names without prefix, unless there are
// faults.
func assign(params []*onnx.Value, prefix string, sd *StateDict, unexpected []string) error {
	var faults []string
	for _, p := range params {
		t := sd.Tensors[strings.TrimPrefix(p.Name, prefix)]
		switch {
		case t == nil:
			faults = append(faults, "missing "+p.Name)
		case t.DType != p.DType || !slices.Equal(t.Shape, p.Shape):
			faults = append(faults, fmt.Sprintf("%s is %v%v, want %v%v",
				p.Name, t.DType, onnx.Shape(t.Shape), p.DType, p.Shape))
		}
	}
	faults = append(faults, unexpected...)
	if len(faults) > 0 {
		return fmt.Errorf("state dict does not fit the network: %s", strings.Join(faults, "; "))
	}
	for _, p := range params {
		p.Data = sd.Tensors[strings.TrimPrefix(p.Name, prefix)]
	}
	return nil
}
