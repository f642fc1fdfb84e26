package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"trilobite/onnx"
	"trilobite/step"
	"trilobite/tensor"
)

// stepFile describes a training step that was written.
type stepFile struct {
	File       string      `json:"file"`
	Parameters int         `json:"parameters"` // tensors
	Elements   int64       `json:"elements"`   // in them
	Nodes      int         `json:"nodes"`
	Inputs     []stepValue `json:"inputs"`
	Outputs    []stepValue `json:"outputs"`
}

type stepValue struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Shape    []any  `json:"shape"` // sizes, and names of symbols
	Optional bool   `json:"optional,omitempty"`

	text string
}

func describe(path string, s *step.Step, params map[string]*tensor.Tensor) *stepFile {
	f := &stepFile{File: path, Parameters: len(params), Nodes: len(s.Graph.Nodes)}
	for _, t := range params {
		f.Elements += t.Len()
	}
	values := func(list []*onnx.Value) []stepValue {
		out := make([]stepValue, len(list))
		for i, v := range list {
			out[i] = stepValue{Name: v.Name, Type: v.DType.String(), Shape: []any{}, Optional: s.Graph.Defaults[v.Name] != nil, text: step.Spell(s.Graph, v.Shape)}
			for _, d := range v.Shape {
				if name := s.Graph.Symbols.Name(d); name != "" {
					out[i].Shape = append(out[i].Shape, name)
				} else {
					out[i].Shape = append(out[i].Shape, d)
				}
			}
		}
		return out
	}
	f.Inputs, f.Outputs = values(s.Graph.Inputs), values(s.Graph.Outputs)
	return f
}

// print writes JSON, or a summary with the first values of each kind.
func (f *stepFile) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(f)
	}
	fmt.Fprintf(w, "%s: %d parameters of %d elements, %d nodes\n", f.File, f.Parameters, f.Elements, f.Nodes)
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	const shown = 8
	for _, group := range []struct {
		what   string
		values []stepValue
	}{{"input", f.Inputs}, {"output", f.Outputs}} {
		for i, v := range group.values {
			if i == shown && len(group.values) > shown+1 {
				fmt.Fprintf(t, "%s\t… and %d more\n", group.what, len(group.values)-shown)
				break
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", group.what, v.Name, v.Type, v.text)
		}
	}
	return t.Flush()
}
