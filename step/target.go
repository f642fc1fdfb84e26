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

// TargetSpec names a loss and, for cross-entropy, the axis of classes: 0 finds it out,
// −1 is the last.
type TargetSpec struct {
	Loss      string
	ClassAxis int
}

// Target adds to g the input "target" and the mean loss of an output of g by it, which it
// returns:
//
//	cross-entropy  logits (N, C, …)     target int64 (N, …), classes; −100 does not count
//	bce            logits of any shape  target probabilities of that shape and type
//	mse            any shape            target of that shape and type
//	smooth-l1      any shape            target of that shape and type; beta 1
//
// Classes may be on another axis, as in (N, H, W, C); the target lacks that one. Where a
// Softmax, or for bce a Sigmoid, gives the output, its input is taken for the logits. What
// of this a user should know is in notes. The output must be float32 or float64. Its
// symbolic dimensions become the target's.
func Target(g *onnx.Graph, output *onnx.Value, s TargetSpec) (value *onnx.Value, notes []string, err error) {
	if output.Shape == nil {
		return nil, nil, fmt.Errorf("%s of output %q: its rank is unknown%s", s.Loss, output.Name, lostAt(output))
	}
	if err := rename(g, map[string]bool{"target": true}, nil); err != nil {
		return nil, nil, err
	}
	t := target{onnx.Extend(g), g, output, nil}
	same := func() *onnx.Value { return t.Input("target", output.DType, slices.Clone(output.Shape)) }
	switch s.Loss {
	case "cross-entropy":
		if value, err = t.crossEntropy(s.ClassAxis); err != nil {
			return nil, nil, fmt.Errorf("cross-entropy of output %q: %w", output.Name, err)
		}
	case "bce":
		value = loss.BCEWithLogits(t.Builder, t.logits("Sigmoid"), same())
	case "mse":
		value = loss.MSE(t.Builder, output, same())
	case "smooth-l1":
		value = loss.SmoothL1(t.Builder, output, same(), 1)
	default:
		return nil, nil, fmt.Errorf("there is no loss %q; it is one of %q", s.Loss, Losses)
	}
	return value, t.notes, t.Err()
}

// lostAt names the first node on the way to v whose result is of unknown rank.
func lostAt(v *onnx.Value) string {
	if v.Node == nil {
		return ""
	}
	for _, in := range v.Node.In {
		if in != nil && in.Shape == nil && in.Node != nil {
			return lostAt(in)
		}
	}
	return fmt.Sprintf(" behind %s", v.Node)
}

// target is Target at work.
type target struct {
	*onnx.Builder

	g      *onnx.Graph
	output *onnx.Value
	notes  []string
}

func (t *target) notef(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// logits are the output, or what the activation that gives it takes.
func (t *target) logits(activation string) *onnx.Value {
	x := before(t.Builder, t.output, activation)
	if x == nil {
		return t.output
	}
	t.notef("output %q is of a %s, whose input is taken for the logits", t.output.Name, activation)
	return x
}

// crossEntropy is the loss by an axis of classes, 0 to find it.
func (t *target) crossEntropy(axis int) (*onnx.Value, error) {
	shape := t.output.Shape
	rank := len(shape)
	if rank < 2 {
		return nil, fmt.Errorf("its shape is %s, want logits [N,C] or [N,C,H,W]", Spell(t.g, shape))
	}
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis >= rank {
		return nil, fmt.Errorf("its shape %s has no axis %d of classes", Spell(t.g, shape), axis)
	}
	x, found := t.output, classAxis(t.output)
	switch {
	case axis == 0 && found == 0:
		axis = 1
		t.notef("nothing tells which axis of output %q %s has the classes; axis 1 is taken (--class-axis)", t.output.Name, Spell(t.g, shape))
	case axis == 0:
		if axis = found; axis != 1 {
			t.notef("axis %d of output %q %s has the classes (--class-axis)", axis, t.output.Name, Spell(t.g, shape))
		}
	}
	if axis == found {
		x = t.logits("Softmax")
	} else if before(t.Builder, x, "Softmax") != nil {
		return nil, fmt.Errorf("it is of a Softmax over another axis than %d of %s, on which the classes are to be", axis, Spell(t.g, shape))
	}
	if shape[axis] == 1 {
		return nil, fmt.Errorf("its shape %s has one class, of which the loss is always 0: --loss bce is of one probability", Spell(t.g, shape))
	}
	if axis != 1 {
		there, _ := channelsTo1(rank, axis)
		x = t.Transpose(x, there...)
	}
	return loss.CrossEntropy(t.Builder, x, t.Input("target", tensor.Int64, slices.Delete(slices.Clone(shape), axis, axis+1)), loss.CrossEntropyAttrs{}), nil
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
