package onnx

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// goldenCase is a small graph of golden/onnx_infer.py.
type goldenCase struct {
	Name   string
	Values map[string]goldenValue // inputs and constants
	Nodes  []struct {
		Op      string
		In, Out []string
		Attrs   map[string]json.RawMessage
	}
	Want map[string]goldenValue
}

// goldenValue is a type and a shape, and the elements of a constant.
type goldenValue struct {
	DType tensor.DType
	Shape []any // sizes, names, "?"
	Data  []json.Number
}

func readGolden(t *testing.T, name string) []goldenCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// shape returns the dimensions, in symbols of g.
func (v goldenValue) shape(g *Graph) Shape {
	if v.Shape == nil {
		return nil
	}
	s := make(Shape, len(v.Shape))
	for i, d := range v.Shape {
		switch d := d.(type) {
		case float64:
			s[i] = int64(d)
		case string:
			s[i] = Unknown
			if d != "?" {
				s[i] = g.Symbols.Dim(d)
			}
		}
	}
	return s
}

// tensor returns the elements; halves are given as their bits.
func (v goldenValue) tensor(t *testing.T) *tensor.Tensor {
	t.Helper()
	shape := v.shape(nil)
	ints, fs := make([]int64, len(v.Data)), make([]float64, len(v.Data))
	for i, n := range v.Data {
		ints[i], _ = n.Int64()
		fs[i], _ = n.Float64()
	}
	if v.DType == tensor.Float16 {
		return tensor.NewBits(v.DType, shape, mapSlice(ints, func(x int64) uint16 { return uint16(x) }))
	}
	if r, ok := fromFloats(v.DType, shape, fs); ok {
		return r
	}
	r, ok := fromInt64s(v.DType, shape, ints)
	if !ok {
		t.Fatalf("type %v", v.DType)
	}
	return r
}

// graph builds the case, and the values by name.
func (c goldenCase) graph(t *testing.T) (*Graph, map[string]*Value) {
	t.Helper()
	g := &Graph{Name: c.Name}
	values := map[string]*Value{}
	for name, v := range c.Values {
		if v.Data != nil {
			values[name] = constant(name, v.tensor(t))
			continue
		}
		values[name] = &Value{Name: name, DType: v.DType, Shape: v.shape(g)}
		g.Inputs = append(g.Inputs, values[name])
	}
	for _, gn := range c.Nodes {
		n := &Node{Name: gn.Op, Op: gn.Op, Attrs: map[string]any{}}
		for name, raw := range gn.Attrs {
			n.Attrs[name] = goldenAttr(t, raw)
		}
		for _, name := range gn.In {
			n.In = append(n.In, values[name]) // "" is nil
		}
		for _, name := range gn.Out {
			values[name] = &Value{Name: name, Node: n}
			n.Out = append(n.Out, values[name])
			g.Outputs = append(g.Outputs, values[name])
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g, values
}

func goldenAttr(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	var i int64
	var s string
	var list []int64
	var v goldenValue
	switch {
	case json.Unmarshal(raw, &i) == nil:
		return i
	case json.Unmarshal(raw, &s) == nil:
		return s
	case json.Unmarshal(raw, &list) == nil:
		return list
	case json.Unmarshal(raw, &v) == nil:
		return v.tensor(t)
	}
	t.Fatalf("attribute %s", raw)
	return nil
}

// TestInferGolden compares with onnx.shape_inference. Where onnx knows a dimension,
// so must we; where it does not, we may know more.
func TestInferGolden(t *testing.T) {
	t.Parallel()
	for _, c := range readGolden(t, "infer.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			g, values := c.graph(t)
			if err := Infer(g); err != nil {
				t.Fatal(err)
			}
			for name, want := range c.Want {
				got, shape := values[name], want.shape(g)
				if got.DType != want.DType {
					t.Errorf("%s is of type %v, want %v", name, got.DType, want.DType)
				}
				for i := range min(len(shape), len(got.Shape)) {
					if shape[i] == Unknown {
						shape[i] = got.Shape[i]
					}
				}
				if d := cmp.Diff(shape, got.Shape); d != "" && shape != nil {
					t.Errorf("%s (-want +got):\n%s", name, d)
				}
			}
		})
	}
}

// TestFoldGolden compares evaluate with onnx's reference evaluator.
func TestFoldGolden(t *testing.T) {
	t.Parallel()
	for _, c := range readGolden(t, "fold.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			g, _ := c.graph(t)
			n := g.Nodes[0]
			in := make([]*tensor.Tensor, len(n.In))
			for i, v := range n.In {
				if v != nil {
					in[i] = v.Data
				}
			}
			out, ok := evaluate(n, in)
			if !ok {
				t.Fatal("not evaluated")
			}
			for i, v := range n.Out {
				want := c.Want[v.Name].tensor(t)
				if out[i].DType != want.DType {
					t.Errorf("output %d is of type %v, want %v", i, out[i].DType, want.DType)
				}
				if d := cmp.Diff(append([]int64{}, want.Shape...), append([]int64{}, out[i].Shape...)); d != "" {
					t.Errorf("shape of output %d (-want +got):\n%s", i, d)
				}
				if d := cmp.Diff(want.Raw(), out[i].Raw(), cmp.Comparer(func(a, b float32) bool {
					return math.Abs(float64(a)-float64(b)) <= 1e-6*math.Abs(float64(a))
				})); d != "" {
					t.Errorf("output %d (-want +got):\n%s", i, d)
				}
			}
		})
	}
}
