package step

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trilobite/loss"
	"trilobite/onnx"
	"trilobite/tensor"
)

// Losses are the names that Target knows.
var Losses = []string{"cross-entropy", "bce", "mse", "smooth-l1"}

// Target adds to g the input "target" and the mean loss of an output of g by it, which it
// returns:
//
//	cross-entropy  logits (N, C, …)     target int64 (N, …), classes; −100 does not count
//	bce            logits of any shape  target probabilities of that shape and type; if a
//	               Sigmoid gives the output, its input is taken for the logits
//	mse            any shape            target of that shape and type
//	smooth-l1      any shape            target of that shape and type; beta 1
//
// The output must be float32 or float64. Its symbolic dimensions become the target's.
func Target(g *onnx.Graph, output *onnx.Value, name string) (*onnx.Value, error) {
	shape, dtype := slices.Clone(output.Shape), output.DType
	if shape == nil {
		return nil, fmt.Errorf("%s of output %q: its rank is unknown", name, output.Name)
	}
	if name == "cross-entropy" {
		if len(shape) < 2 {
			return nil, fmt.Errorf("cross-entropy of output %q: its shape is %s, want logits [N,C] or [N,C,H,W]", output.Name, Spell(g, shape))
		}
		shape, dtype = slices.Delete(shape, 1, 2), tensor.Int64
	}
	if err := rename(g, map[string]bool{"target": true}, nil); err != nil {
		return nil, err
	}
	b := onnx.Extend(g)
	target := b.Input("target", dtype, shape)
	var value *onnx.Value
	switch name {
	case "cross-entropy":
		value = loss.CrossEntropy(b, output, target, loss.CrossEntropyAttrs{})
	case "bce":
		if n := output.Node; n != nil && n.Op == "Sigmoid" && n.Domain == "" {
			output = n.In[0]
		}
		value = loss.BCEWithLogits(b, output, target)
	case "mse":
		value = loss.MSE(b, output, target)
	case "smooth-l1":
		value = loss.SmoothL1(b, output, target, 1)
	default:
		return nil, fmt.Errorf("there is no loss %q; it is one of %q", name, Losses)
	}
	return value, b.Err()
}

// Spell writes a shape with the names of its symbols: [batch,3,224,224].
func Spell(g *onnx.Graph, s onnx.Shape) string {
	if s == nil {
		return s.String()
	}
	sizes := make([]string, len(s))
	for i, d := range s {
		switch name := g.Symbols.Name(d); {
		case name != "":
			sizes[i] = name
		case d < 0:
			sizes[i] = "?"
		default:
			sizes[i] = strconv.FormatInt(d, 10)
		}
	}
	return "[" + strings.Join(sizes, ",") + "]"
}
