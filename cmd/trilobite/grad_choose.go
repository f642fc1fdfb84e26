package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"trilobite/onnx"
	"trilobite/step"
)

// bindBatch fixes the first dimension of the model's inputs to size, or, for size 0, gives
// it a name where it has none, so that it can stay open.
func bindBatch(g *onnx.Graph, size int64) error {
	for _, v := range g.Inputs {
		if len(v.Shape) == 0 {
			continue
		}
		name := g.Symbols.Name(v.Shape[0])
		switch {
		case v.Shape[0] == onnx.Unknown:
			v.Shape = slices.Clone(v.Shape)
			v.Shape[0] = g.Symbols.Dim("batch")
			if size > 0 {
				v.Shape[0] = size
			}
		case size > 0 && name != "":
			if err := onnx.Bind(g, map[string]int64{name: size}); err != nil {
				return err
			}
		case size > 0 && v.Shape[0] != size:
			return fmt.Errorf("input %q has the fixed batch %d, --batch %d cannot change it: export the model with a dynamic batch", v.Name, v.Shape[0], size)
		}
	}
	return onnx.Infer(g)
}

// chooseOutput returns the output that the loss is taken of.
func chooseOutput(g *onnx.Graph, name string) (*onnx.Value, error) {
	names := make([]string, len(g.Outputs))
	for i, v := range g.Outputs {
		names[i] = v.Name
	}
	i := slices.Index(names, name)
	switch {
	case name == "" && len(names) == 1:
		i = 0
	case name == "":
		return nil, fmt.Errorf("the model has the outputs %s; choose one with --output", strings.Join(names, ", "))
	case i < 0:
		return nil, fmt.Errorf("--output %q: the model has the outputs %s", name, strings.Join(names, ", "))
	}
	if g.Outputs[i].Node == nil {
		return nil, fmt.Errorf("output %q is not computed: it is an input or a constant", g.Outputs[i].Name)
	}
	return g.Outputs[i], nil
}

// chooseParams returns the initializers to train: all that can be, or those among them
// that the expression matches. It then means what it says: a match that cannot be trained
// is an error unless nothing is lost by leaving it out.
func chooseParams(g *onnx.Graph, output *onnx.Value, expression string) ([]*onnx.Value, error) {
	able := step.Trainable(g, output)
	if expression == "" {
		if len(able) == 0 {
			return nil, fmt.Errorf("no float initializer leads to output %q in a differentiable way: there is nothing to train (numbers of Constant nodes are trained if --trainable matches their names)", output.Name)
		}
		return able, nil
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("--trainable: %w", err)
	}
	var chosen []*onnx.Value
	var refused *onnx.Value
	for _, v := range constants(g) {
		switch {
		case !re.MatchString(v.Name):
		case slices.Contains(able, v):
			chosen = append(chosen, v)
		case v.DType.IsFloat() || step.Inert(g, v):
			if refused == nil || refused.DType.IsFloat() && !v.DType.IsFloat() {
				refused = v
			}
		default:
			return nil, fmt.Errorf("--trainable %q matches %q, which is %s: only float tensors can be trained", expression, v.Name, v.DType)
		}
	}
	switch {
	case len(chosen) > 0:
		return chosen, nil
	case refused == nil && len(able) > 0:
		return nil, fmt.Errorf("--trainable %q matches no initializer; there are, for example, %q", expression, able[0].Name)
	case refused == nil:
		return nil, fmt.Errorf("--trainable %q matches no initializer", expression)
	case !refused.DType.IsFloat():
		return nil, fmt.Errorf("--trainable %q matches %q, which is %s: only float tensors can be trained", expression, refused.Name, refused.DType)
	default:
		return nil, fmt.Errorf("--trainable %q matches %q only, which is a running statistic or does not lead to output %q in a differentiable way", expression, refused.Name, output.Name)
	}
}

// constants lists the model's constants in the order of their use, initializers first.
func constants(g *onnx.Graph) []*onnx.Value {
	seen := map[*onnx.Value]bool{}
	var initializers, others []*onnx.Value
	for _, n := range g.Nodes {
		for _, v := range n.In {
			switch {
			case v == nil || !v.IsConst() || seen[v]:
				continue
			case v.Initializer:
				initializers = append(initializers, v)
			default:
				others = append(others, v)
			}
			seen[v] = true
		}
	}
	return append(initializers, others...)
}
