package onnx

import (
	"fmt"
	"slices"

	"trilobite/tensor"
)

func controlRule(op string) shapeRule {
	switch op {
	case "If":
		return inferIf
	case "Loop":
		return inferLoop
	case "Scan":
		return inferScan
	default:
		return nil
	}
}

// inferIf: what both branches agree on.
func inferIf(n *Node, syms *Symbols) error {
	var outs [2][]*Value
	for i, name := range []string{"then_branch", "else_branch"} {
		g, ok := n.Attrs[name].(*Graph)
		if !ok || len(g.Outputs) != len(n.Out) {
			return fmt.Errorf("%s does not give the %d outputs", name, len(n.Out))
		}
		if err := inferGraph(g, syms); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		outs[i] = g.Outputs
	}
	for i := range n.Out {
		a, b := outs[0][i], outs[1][i]
		t := a.DType
		if b.DType != t {
			t = tensor.Invalid
		}
		setOut(n, i, t, commonShape(a.Shape, b.Shape))
	}
	return nil
}

// commonShape keeps the dimensions that a and b share; nil if the ranks differ.
func commonShape(a, b Shape) Shape {
	if a == nil || b == nil || len(a) != len(b) {
		return nil
	}
	s := slices.Clone(a)
	for i := range s {
		if s[i] != b[i] {
			s[i] = Unknown
		}
	}
	return s
}

// inferLoop: inputs trip count, condition, and the carried values; the body takes
// iteration, condition and carried values, and gives condition, carried values and
// what is stacked along a new first axis.
func inferLoop(n *Node, syms *Symbols) error {
	body, ok := n.Attrs["body"].(*Graph)
	carried := len(n.In) - 2
	if !ok || carried < 0 || len(body.Inputs) != carried+2 || len(body.Outputs) != len(n.Out)+1 || carried > len(n.Out) {
		return fmt.Errorf("the body does not fit %d inputs and %d outputs", len(n.In), len(n.Out))
	}
	if body.Inputs[0].Shape == nil {
		body.Inputs[0].Shape = Shape{}
	}
	shapes := make([]Shape, carried)
	for i := range shapes {
		shapes[i] = inShape(n, i+2)
	}
	// A carried value may change its shape from one turn to the next: what the
	// first turn changes is unknown, and if that changes more, everything is.
	for turn := range 3 {
		for i, s := range shapes {
			in := body.Inputs[i+2]
			if in.DType == tensor.Invalid {
				in.DType = inType(n, i+2)
			}
			in.Shape = s
		}
		if err := inferGraph(body, syms); err != nil {
			return fmt.Errorf("body: %w", err)
		}
		settled := true
		for i, s := range shapes {
			common := commonShape(s, body.Outputs[i+1].Shape)
			if turn == 1 && !slices.Equal(common, s) {
				common = nil
			}
			settled = settled && slices.Equal(common, s) && (common == nil) == (s == nil)
			shapes[i] = common
		}
		if settled {
			break
		}
	}
	for i := range n.Out {
		out := body.Outputs[i+1]
		switch {
		case i < carried:
			setOut(n, i, out.DType, shapes[i])
		case out.Shape != nil:
			setOut(n, i, out.DType, append(Shape{Unknown}, out.Shape...))
		default:
			setOut(n, i, out.DType, nil)
		}
	}
	return nil
}

// inferScan: inputs are states, then sequences that the body reads slice by slice;
// outputs are the states, then the body's other outputs stacked along a new axis.
func inferScan(n *Node, syms *Symbols) error {
	body, ok := n.Attrs["body"].(*Graph)
	sequences := n.Int("num_scan_inputs", 0)
	states := int64(len(n.In)) - sequences
	if !ok || sequences < 1 || states < 0 || len(body.Inputs) != len(n.In) || len(body.Outputs) != len(n.Out) || states > int64(len(n.Out)) {
		return fmt.Errorf("the body does not fit %d inputs, %d of them sequences, and %d outputs", len(n.In), sequences, len(n.Out))
	}
	length := Unknown
	for i, in := range body.Inputs {
		if in.DType == tensor.Invalid {
			in.DType = inType(n, i)
		}
		in.Shape = inShape(n, i)
		if k := int64(i) - states; k >= 0 && in.Shape != nil {
			axis, err := axisOf(entry(n.Ints("scan_input_axes"), k), len(in.Shape))
			if err != nil {
				return fmt.Errorf("input %d of shape %v: %w", i, in.Shape, err)
			}
			if length, ok = mergeDim(length, in.Shape[axis]); !ok {
				return fmt.Errorf("input %d of shape %v is not as long as the others", i, in.Shape)
			}
			in.Shape = dropAxes(in.Shape, []int{axis}, false)
		}
	}
	if err := inferGraph(body, syms); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	for i, out := range body.Outputs {
		s, k := out.Shape, int64(i)-states
		if k >= 0 && s != nil {
			axis, err := axisOf(entry(n.Ints("scan_output_axes"), k), len(s)+1)
			if err != nil {
				return fmt.Errorf("output %d of slices %v: %w", i, s, err)
			}
			s = slices.Insert(slices.Clone(s), axis, length)
		}
		setOut(n, i, out.DType, s)
	}
	return nil
}

// entry returns entry k of a list, or 0 where it is short.
func entry(list []int64, k int64) int64 {
	if k < int64(len(list)) {
		return list[k]
	}
	return 0
}
