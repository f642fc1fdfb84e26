package onnx

import (
	"errors"
	"fmt"

	"trilobite/tensor"
)

// An upgradeRule rewrites a node to the meaning it has from a version on. The node
// keeps its outputs; nodes that must come before it are appended through u.b.
type upgradeRule struct {
	version int64
	apply   func(u *upgrader, n *Node) error
}

// upgradesOf returns the rules of an operator, oldest first.
func upgradesOf(op string) []upgradeRule {
	switch op {
	case "Squeeze", "Unsqueeze", "ReduceSum":
		return []upgradeRule{{13, attrToInput("axes", 1)}}
	case "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
		"ReduceMin", "ReduceProd", "ReduceSumSquare":
		return []upgradeRule{{18, attrToInput("axes", 1)}}
	case "Split":
		return []upgradeRule{{13, attrToInput("split", 1)}, {18, splitOutputs}}
	case "Softmax", "LogSoftmax", "Hardmax":
		return []upgradeRule{{13, softmaxAxis}}
	case "Dropout":
		return []upgradeRule{{12, dropoutRatio}}
	case "BatchNormalization":
		return []upgradeRule{{14, batchNormTraining}}
	case "GroupNormalization":
		return []upgradeRule{{21, groupNormPerChannel}}
	case "Resize":
		return []upgradeRule{{13, resizeInputs}}
	case "RoiAlign":
		return []upgradeRule{{16, roiAlignCoordinates}}
	case "GridSample":
		return []upgradeRule{{20, gridSampleMode}}
	case "DFT":
		return []upgradeRule{{20, dftAxis}}
	default:
		return nil
	}
}

// attrToInput turns a list attribute into an int64 vector input. Without the
// attribute the input is omitted, and so it is for an empty list, which says the same.
func attrToInput(name string, input int) func(*upgrader, *Node) error {
	return func(u *upgrader, n *Node) error {
		if n.Input(input) != nil {
			return fmt.Errorf("%d inputs, at most %d are known", len(n.In), input)
		}
		v, ok := n.Attrs[name].([]int64)
		if _, there := n.Attrs[name]; there && !ok {
			return fmt.Errorf("attribute %q is a %T", name, n.Attrs[name])
		}
		delete(n.Attrs, name)
		if len(v) > 0 {
			n.setInput(input, u.b.Ints(v...))
		}
		return nil
	}
}

// splitOutputs says in an attribute that Split without sizes makes equal parts.
func splitOutputs(_ *upgrader, n *Node) error {
	if n.Input(1) == nil {
		n.Attrs["num_outputs"] = int64(len(n.Out))
	}
	return nil
}

// softmaxAxis: before version 13 the operator worked on a matrix, the axes before
// axis and the others, and axis was 1 by default. From 13 on it works along one axis.
func softmaxAxis(u *upgrader, n *Node) error {
	x, axis := n.Input(0), n.Int("axis", 1)
	if x == nil {
		return errors.New("input 0 is missing")
	}
	if x.Shape != nil {
		i, err := axisOf(axis, len(x.Shape))
		if err != nil {
			return err
		}
		if along, ok := singleAxis(x.Shape, i); ok {
			n.Attrs["axis"] = int64(along)
			return nil
		}
	} else if axis == -1 {
		n.Attrs["axis"] = int64(-1)
		return nil
	}
	b := u.b
	var shape *Value
	if x.Shape.Static() {
		shape = b.Ints(x.Shape...)
	} else {
		shape = b.Shape(x)
	}
	y := b.op(n.Op, map[string]any{"axis": int64(-1)}, b.Flatten(x, axis))
	n.Op, n.In, n.Attrs = "Reshape", []*Value{y, shape}, map[string]any{"allowzero": int64(1)}
	return nil
}

// singleAxis returns the one axis from the given one on whose size is not 1; the given
// one if all sizes are 1.
func singleAxis(s Shape, from int) (int, bool) {
	along, found := from, false
	for i := from; i < len(s); i++ {
		if s[i] == 1 {
			continue
		}
		if found {
			return 0, false
		}
		along, found = i, true
	}
	return along, true
}

// dropoutRatio moves the ratio to an input; without a training input nothing is
// dropped, as ever in an inference model.
func dropoutRatio(u *upgrader, n *Node) error {
	ratio := n.Float("ratio", 0.5)
	delete(n.Attrs, "ratio")
	n.setInput(1, u.b.Scalar(tensor.Float32, float64(ratio)))
	return nil
}

// batchNormTraining: up to version 9 the number of outputs told training from
// inference, and there were five: Y, the two running statistics and two saved ones,
// which later versions do not give.
func batchNormTraining(u *upgrader, n *Node) error {
	for len(n.Out) > 0 && n.Out[len(n.Out)-1] == nil {
		n.Out = n.Out[:len(n.Out)-1]
	}
	if len(n.Out) <= 1 {
		return nil
	}
	for _, v := range n.Out[min(3, len(n.Out)):] {
		if v != nil && u.used[v] {
			return fmt.Errorf("output %q, a saved statistic, is no longer computed", v.Name)
		}
	}
	n.Out = n.Out[:min(3, len(n.Out))]
	n.Attrs["training_mode"] = int64(1)
	return nil
}

// groupNormPerChannel: up to version 18 scale and bias had an entry per group, now
// they have one per channel, so each is repeated for the channels of its group.
func groupNormPerChannel(u *upgrader, n *Node) error {
	x, groups := n.Input(0), n.Int("num_groups", 0)
	if x == nil || n.Input(1) == nil || n.Input(2) == nil || groups < 1 {
		return fmt.Errorf("%d inputs and %d groups", len(n.In), groups)
	}
	b := u.b
	var each *Value // [1, channels per group]
	if len(x.Shape) > 1 && x.Shape[1] >= 0 {
		each = b.Ints(1, x.Shape[1]/groups)
	} else {
		channels := b.op("Shape", map[string]any{"start": int64(1), "end": int64(2)}, x)
		each = b.Concat(0, b.Ints(1), b.Div(channels, b.Ints(groups)))
	}
	for i := 1; i <= 2; i++ {
		n.In[i] = b.Reshape(b.ExpandTo(b.Reshape(n.In[i], groups, 1), each), -1)
	}
	return nil
}

// resizeInputs: version 11 gave unused inputs as empty tensors and knew the
// coordinates tf_half_pixel_for_nn.
func resizeInputs(_ *upgrader, n *Node) error {
	for i := 1; i < len(n.In); i++ {
		if v := n.In[i]; v != nil && len(v.Shape) == 1 && v.Shape[0] == 0 {
			n.In[i] = nil
		}
	}
	if n.Str("coordinate_transformation_mode", "") != "tf_crop_and_resize" && n.Input(1) != nil {
		n.In[1] = nil
	}
	if n.Input(3) != nil {
		n.In[2] = nil
	}
	if n.Str("coordinate_transformation_mode", "") != "tf_half_pixel_for_nn" {
		return nil
	}
	// floor((y + 0.5)/scale) is (y + 0.5)/scale − 0.5 rounded, halves up.
	if n.Str("mode", "nearest") != "nearest" || n.Str("nearest_mode", "round_prefer_floor") != "floor" {
		return errors.New("coordinates tf_half_pixel_for_nn have a later equivalent only with nearest_mode floor")
	}
	n.Attrs["coordinate_transformation_mode"] = "half_pixel"
	n.Attrs["nearest_mode"] = "round_prefer_ceil"
	return nil
}

// roiAlignCoordinates: before version 16 boxes were not moved by half a pixel.
func roiAlignCoordinates(_ *upgrader, n *Node) error {
	n.Attrs["coordinate_transformation_mode"] = "output_half_pixel"
	return nil
}

// gridSampleMode: version 20 renamed the modes.
func gridSampleMode(_ *upgrader, n *Node) error {
	switch n.Str("mode", "bilinear") {
	case "bilinear":
		n.Attrs["mode"] = "linear"
	case "bicubic":
		n.Attrs["mode"] = "cubic"
	}
	return nil
}

// dftAxis moves the axis, 1 by default, to an input; the new default is -2.
func dftAxis(u *upgrader, n *Node) error {
	axis := n.Int("axis", 1)
	delete(n.Attrs, "axis")
	n.setInput(2, u.b.Int(axis))
	return nil
}
