package tfjs

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// model builds a Model from "name = Op(inputs) {attributes}" lines.
func model(t testing.TB, lines ...string) *Model {
	t.Helper()
	m := &Model{Weights: map[string]*tensor.Tensor{}}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " = ")
		op, rest, _ := strings.Cut(rest, "(")
		in, attrs, _ := strings.Cut(rest, ")")
		n := &Node{Name: name, Op: op, In: strings.Fields(in), Attrs: Attrs{}}
		if attrs != "" {
			var raw map[string]json.RawMessage
			if err := json.Unmarshal([]byte(attrs), &raw); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			var err error
			if n.Attrs, err = parseAttrs(raw); err != nil {
				t.Fatal(err)
			}
		}
		m.Nodes = append(m.Nodes, n)
	}
	return m
}

func TestConvertErrors(t *testing.T) {
	t.Parallel()
	x := "x = Placeholder()"
	tests := []struct {
		name  string
		lines []string
		out   string
		want  string
	}{
		{"an unknown operation names its node", []string{x, "y = NonsenseV9(x)"}, "y", `NonsenseV9 "y": the operation is not supported`},
		{"a loop names a way out", []string{x, "m = Merge(x n)", "n = NextIteration(m)", "y = Relu(m)"}, "y", "part of a loop"},
		{"a node that feeds itself", []string{x, "y = Relu(y)"}, "y", "part of a loop"},
		{"identities in a circle", []string{x, "a = Identity(b)", "b = Identity(a)", "y = Relu(a)"}, "y", "loop"},
		{"an output that is not there", []string{x}, "z", `no node "z"`},
		{"a second output that is not there", []string{x, "y = Relu(x)"}, "y:1", "no such output"},
		{"an input that is not there", []string{x, "y = Relu(z)"}, "y", `no node "z"`},
		{"an operation without inputs", []string{x, "y = Relu()"}, "y", "input 0 is missing"},
		{"a constant without weights", []string{x, "c = Const()", "y = Add(x c)"}, "y", "no such weight"},
		{"a second placeholder", []string{x, "z = Placeholder()", "y = Add(x z)"}, "y", "not among the inputs"},
		{"weights that are computed", []string{x, `y = Conv2D(x x)`}, "y", "not a constant kernel"},
		{"a stride per image", []string{x, "k = Const()", `y = MaxPool(x) {"ksize":{"list":{"i":[2,1,1,1]}}}`}, "y", "ksize [2 1 1 1]"},
		{"channels first", []string{x, `y = MaxPool(x) {"data_format":{"s":"TkNIVw=="}}`}, "y", "NCHW"},
		{"atrous without its end", []string{x, "two = Const()", "four = Const()", "z = SpaceToBatchND(x two four)", "y = Relu(z)"}, "y", "SpaceToBatchND"},
		{"a shape that does not fit", []string{x, "two = Const()", "y = Reshape(x two)"}, "y", "Reshape"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := model(t, tt.lines...)
			m.Weights["k"] = tensor.Of([]int64{1, 1, 4, 2}, make([]float32, 8))
			m.Weights["two"] = tensor.Vector[int32](2, 2)
			m.Weights["four"] = tensor.Of([]int64{2, 2}, []int32{0, 0, 0, 0})
			_, err := Convert(m, Options{Inputs: []Input{{Name: "x", Shape: []int64{1, 6, 6, 4}}}, Outputs: []Output{{Name: tt.out}}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestConvertInputs(t *testing.T) {
	t.Parallel()
	m := model(t,
		`x = Placeholder() {"dtype":{"type":1},"shape":{"shape":{"dim":[{"size":-1},{"size":6}]}}}`,
		"a = Relu(x)", "b = Identity(a ^x)", "y = Sigmoid(b:0)", "z = Tanh(b)")
	tests := []struct {
		name string
		o    Options
		want string // inputs and their shapes, nodes, outputs
	}{
		{"placeholders and unread tensors by default", Options{}, "x:0[-2,6] Relu Sigmoid Tanh y:0 z:0"},
		{"a tensor inside", Options{Inputs: []Input{{Name: "a", As: "in", Shape: []int64{3}}}}, "in[3] Sigmoid Tanh y:0 z:0"},
		{"an identity", Options{Inputs: []Input{{Name: "b:0", Shape: []int64{}}}, Outputs: []Output{{Name: "y", As: "out"}}}, "b:0[] Sigmoid out"},
		{"an input that is an output", Options{Inputs: []Input{{Name: "a", Shape: []int64{1}}}, Outputs: []Output{{Name: "b", As: "out"}}}, "a:0[1] Identity out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, err := Convert(m, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(g); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestOutputLayout(t *testing.T) {
	t.Parallel()
	m := model(t, "x = Placeholder()", "y = Relu(x)")
	for _, tt := range []struct {
		nchw bool
		want string
	}{
		{false, "x:0[2,4,6,5] Relu Transpose y:0"},
		{true, "x:0[2,4,6,5] Relu y:0"},
	} {
		g, err := Convert(m, Options{Inputs: []Input{{Name: "x", Shape: []int64{2, 6, 5, 4}}}, Outputs: []Output{{Name: "y", NCHW: tt.nchw}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := outline(g); got != tt.want {
			t.Errorf("NCHW %v: got %s, want %s", tt.nchw, got, tt.want)
		}
	}
}

// outline is a graph in a line.
func outline(g *onnx.Graph) string {
	var s []string
	for _, v := range g.Inputs {
		s = append(s, fmt.Sprint(v.Name, v.Shape))
	}
	for _, n := range g.Nodes {
		s = append(s, n.Op)
	}
	for _, v := range g.Outputs {
		s = append(s, v.Name)
	}
	return strings.Join(s, " ")
}

// Layouts of whole graphs: what is written where layouts meet.
func TestLayouts(t *testing.T) {
	t.Parallel()
	perm := tensor.Vector[int32]
	tests := []struct {
		name  string
		lines []string
		want  string
	}{
		{"an image stays as it is", []string{"a = Relu(x)", "b = Add(a x)", "y = Transpose(b nchw)"}, "x:0[2,4,6,5] Relu Add y:0"},
		{"a change of layout is free", []string{"a = Transpose(x nchw)", "b = Relu(a)", "c = Transpose(b nhwc)", "y = Transpose(c nchw)"}, "x:0[2,4,6,5] Relu y:0"},
		{"one transpose serves two readers", []string{"a = Relu(x)", "b = Reshape(a rows)", "c = Reshape(a rows)", "y = Add(b c)"}, "x:0[2,4,6,5] Relu Transpose Reshape Reshape Add y:0"}, //nolint:dupword // two nodes
		{"a mean over pixels needs none", []string{"a = Mean(x hw)", "y = Relu(a)"}, "x:0[2,4,6,5] GlobalAveragePool Flatten Relu y:0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := model(t, append([]string{"x = Placeholder()", "nchw = Const()", "nhwc = Const()", "rows = Const()", "hw = Const()"}, tt.lines...)...)
			m.Weights["nchw"], m.Weights["nhwc"], m.Weights["rows"], m.Weights["hw"] = perm(0, 3, 1, 2), perm(0, 2, 3, 1), perm(-1, 4), perm(1, 2)
			g, err := Convert(m, Options{Inputs: []Input{{Name: "x", Shape: []int64{2, 6, 5, 4}}}, Outputs: []Output{{Name: "y"}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(g); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
