package onnx

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// TestLoadEncodings reads the arrays of golden/onnx_files.py in each way of storing them.
func TestLoadEncodings(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/files.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"raw", "typed", "external"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			g, err := Load("testdata/files/" + file + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for _, n := range g.Nodes {
				got, w := n.In[0], want[n.In[0].Name]
				if got.Name == "string" {
					w = tensor.Vector("", "naïve")
				} else {
					seen++
				}
				if !cmp.Equal(got.Data.Raw(), w.Raw()) || fmt.Sprint(got.Data.Shape) != fmt.Sprint(w.Shape) {
					t.Errorf("%s: got %v %v, want %v %v", got.Name, got.Data.Shape, got.Data.Raw(), w.Shape, w.Raw())
				}
				if name := got.Data.DType.String(); name != got.Name && got.Name != "empty" {
					t.Errorf("%s is of type %s", got.Name, name)
				}
			}
			if seen != len(want) {
				t.Errorf("%d arrays, want %d", seen, len(want))
			}
		})
	}
}

func TestLoadEverything(t *testing.T) {
	t.Parallel()
	g, err := Load("testdata/files/everything.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Inputs) != 1 {
		t.Errorf("%d inputs; w has data and is none", len(g.Inputs))
	}
	if got, want := g.Inputs[0].Shape, (Shape{-2, 3, Unknown, Unknown}); !cmp.Equal(got, want) {
		t.Errorf("x is %v, want %v", got, want)
	}
	if d := cmp.Diff(Symbols{"batch", "rows"}, g.Symbols); d != "" {
		t.Errorf("symbols %s", d)
	}
	if d := cmp.Diff(map[string]string{"author": "golden", "labels": "x,y"}, g.Meta); d != "" {
		t.Errorf("metadata %s", d)
	}
	if d := cmp.Diff(map[string]int64{"com.example": 3}, g.Domains); d != "" {
		t.Errorf("domains %s", d)
	}
	strange := g.Nodes[1]
	if strange.Domain != "com.example" || strange.In[1] != nil || strange.Out[0] != nil || !strange.In[2].IsConst() {
		t.Errorf("node %+v", strange)
	}
	table, ok := strange.Attrs["table"].(*tensor.Tensor)
	if !ok || table.DType != tensor.Int64 || table.Len() != 3 {
		t.Errorf("attribute table is %v", strange.Attrs["table"])
	}
	if s := strange.Str("label", ""); s != "l" {
		t.Errorf("attribute label is %q", s)
	}
	y := g.Outputs[0]
	if want := (Shape{-2, 3, -3, 4}); !cmp.Equal(y.Shape, want) {
		t.Errorf("y is %v, want %v: what the file says of odd and y", y.Shape, want)
	}
	if clip := g.Nodes[2]; len(clip.In) != 1 {
		t.Errorf("Clip has %d inputs, the omitted ones at the end count", len(clip.In))
	}
	if g.Nodes[0].Name != "xw" || g.Doc != "a graph" {
		t.Errorf("node %q without a name, doc %q", g.Nodes[0].Name, g.Doc)
	}
}

// model returns y = Relu(x) of operator set 22.
func model() *onnxpb.ModelProto {
	vi := func(name string) *onnxpb.ValueInfoProto {
		return &onnxpb.ValueInfoProto{Name: &name, Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
			TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(1)},
		}}}
	}
	return &onnxpb.ModelProto{
		IrVersion:   proto.Int64(10),
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(22)}},
		Graph: &onnxpb.GraphProto{
			Name: proto.String("g"), Input: []*onnxpb.ValueInfoProto{vi("x")}, Output: []*onnxpb.ValueInfoProto{vi("y")},
			Node: []*onnxpb.NodeProto{{OpType: proto.String("Relu"), Name: proto.String("r"), Input: []string{"x"}, Output: []string{"y"}}},
		},
	}
}

// function makes the node call a function y = Relu(a), changed by change.
func function(name string, change func(*onnxpb.FunctionProto)) func(*onnxpb.ModelProto) {
	return func(m *onnxpb.ModelProto) {
		f := &onnxpb.FunctionProto{
			Name: &name, Domain: proto.String("local"), Input: []string{"a"}, Output: []string{"b"},
			Node: []*onnxpb.NodeProto{{OpType: proto.String("Relu"), Name: proto.String("n"), Input: []string{"a"}, Output: []string{"b"}}},
		}
		change(f)
		m.Functions = []*onnxpb.FunctionProto{f}
		m.Graph.Node[0].OpType, m.Graph.Node[0].Domain = &name, f.Domain
	}
}

// rawless returns a float32 tensor without its elements.
func rawless(name string, dims ...int64) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: &name, DataType: proto.Int32(1), Dims: dims}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(m *onnxpb.ModelProto)
		want   string
	}{
		{"no graph", func(m *onnxpb.ModelProto) { m.Graph = nil }, "it has no graph"},
		{"no operator set", func(m *onnxpb.ModelProto) { m.OpsetImport = nil }, "names no version"},
		{"too old", func(m *onnxpb.ModelProto) { m.OpsetImport[0].Version = proto.Int64(9) }, "operator set 9 is too old, 11 to 22 are read"},
		{"too new", func(m *onnxpb.ModelProto) { m.OpsetImport[0].Version = proto.Int64(23) }, "operator set 23 is too new, 11 to 22 are read"},
		{"unknown operator", func(m *onnxpb.ModelProto) { m.Graph.Node[0].OpType = proto.String("Upsample") }, `Upsample "r": operator set 22 has no such operator`},
		{"unknown input", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[0] = "z" }, `Relu "r": input 0, "z", is not computed before`},
		{"a cycle", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[0] = "y" }, `Relu "r": input 0, "y", is not computed before`},
		{"missing input", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[0] = "" }, `Relu "r"`},
		{"name taken", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Output[0] = "x" }, `Relu "r": output "x": the name is taken`},
		{"input twice", func(m *onnxpb.ModelProto) { m.Graph.Input = append(m.Graph.Input, m.GetGraph().GetInput()[0]) }, `input "x" is declared twice`},
		{"output not computed", func(m *onnxpb.ModelProto) { m.Graph.Output[0].Name = proto.String("z") }, `output "z" is not computed`},
		{"no output", func(m *onnxpb.ModelProto) { m.Graph.Output = nil }, `graph "g" has no output`},
		{"a sequence", func(m *onnxpb.ModelProto) {
			m.Graph.Input[0].Type.Value = &onnxpb.TypeProto_SequenceType{}
		}, `input "x": only tensors are supported`},
		{"input without type", func(m *onnxpb.ModelProto) { m.Graph.Input[0].Type = nil }, `input "x" has no element type`},
		{"unsupported type", func(m *onnxpb.ModelProto) { m.Graph.Input[0].Type.GetTensorType().ElemType = proto.Int32(17) }, `input "x": element type FLOAT8E4M3FN`},
		{"unknown attribute", func(m *onnxpb.ModelProto) {
			m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("alpha"), F: proto.Float32(1)}}
		}, `Relu "r": attribute "alpha" is not known`},
		{"attribute twice", func(m *onnxpb.ModelProto) {
			a := &onnxpb.AttributeProto{Name: proto.String("alpha"), F: proto.Float32(1)}
			m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{a, a}
		}, `Relu "r": attribute "alpha" is given twice`},
		{"a function of another operator set", function("F", func(f *onnxpb.FunctionProto) {
			f.OpsetImport = []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(18)}}
		}), "function local.F is of operator set 18 and the model of 22"},
		{"a function without its output", function("F", func(f *onnxpb.FunctionProto) { f.Output[0] = "q" }), `F "r": the function does not compute its output "q"`},
		{"a function of fewer inputs", function("F", func(f *onnxpb.FunctionProto) { f.Input = nil }), `F "r": 1 inputs and 1 outputs, the function has 0 and 1`},
		{"a function that uses what is around it", function("F", func(f *onnxpb.FunctionProto) { f.Node[0].Input[0] = "x" }), `F "r": in function local.F: Relu "r#1/n": input 0, "x", is not computed`},
		{"a function that calls itself", function("F", func(f *onnxpb.FunctionProto) {
			f.Node[0].OpType, f.Node[0].Domain = f.Name, f.Domain
		}), "calls are nested more than 10 deep"},
		{"functions that call each other a hundred times over", function("F", func(f *onnxpb.FunctionProto) {
			n := f.GetNode()[0]
			n.OpType, n.Domain = f.Name, f.Domain
			for i := range 100 {
				f.Node = append(f.Node, &onnxpb.NodeProto{OpType: n.OpType, Domain: n.Domain, Input: n.GetInput(), Output: []string{fmt.Sprint("o", i)}})
			}
		}), "nested more than"},
		{"a function twice", func(m *onnxpb.ModelProto) {
			function("F", func(*onnxpb.FunctionProto) {})(m)
			m.Functions = append(m.Functions, m.GetFunctions()[0])
		}, "function local.F is defined twice"},
		{"an attribute of no function", func(m *onnxpb.ModelProto) {
			m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("alpha"), RefAttrName: proto.String("a")}}
		}, `Relu "r": attribute "alpha": refers to an attribute of a function, outside`},
		{"a sparse initializer", func(m *onnxpb.ModelProto) {
			m.Graph.SparseInitializer = []*onnxpb.SparseTensorProto{{Values: rawless("s")}}
		}, `initializer "s" is sparse`},
		{"too few bytes", func(m *onnxpb.ModelProto) {
			w := rawless("w", 1<<40)
			w.RawData = make([]byte, 8)
			m.Graph.Initializer = []*onnxpb.TensorProto{w}
		}, `initializer "w": 8 bytes, but float32[1099511627776] has 4398046511104`},
		{"too few elements", func(m *onnxpb.ModelProto) { m.Graph.Initializer = []*onnxpb.TensorProto{rawless("w", 3, 1<<30)} }, `initializer "w": 0 elements`},
		{"a size that overflows", func(m *onnxpb.ModelProto) {
			m.Graph.Initializer = []*onnxpb.TensorProto{rawless("w", 1<<32, 1<<32)}
		}, `initializer "w": shape [4294967296,4294967296] is too large`},
		{"a negative size", func(m *onnxpb.ModelProto) { m.Graph.Initializer = []*onnxpb.TensorProto{rawless("w", -1)} }, `initializer "w": shape [-1] has a negative`},
		{"an element out of range", func(m *onnxpb.ModelProto) {
			w := rawless("w", 1)
			w.DataType, w.Int32Data = proto.Int32(2), []int32{256}
			m.Graph.Initializer = []*onnxpb.TensorProto{w}
		}, `initializer "w": an element is out of the range of uint8`},
		{"a long name", func(m *onnxpb.ModelProto) { m.Graph.Input[0].Name = proto.String(strings.Repeat("n", 5000)) }, "has a name of 5000 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := model()
			tt.change(m)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(data, "")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestParseFunctionHandsOn: a function may give its input, or one result twice.
func TestParseFunctionHandsOn(t *testing.T) {
	t.Parallel()
	m := model()
	function("F", func(f *onnxpb.FunctionProto) { f.Output = []string{"a", "b", "b"} })(m)
	m.Graph.Node[0].Output = []string{"same", "y", "again"}
	m.Graph.Node = append(m.Graph.Node, &onnxpb.NodeProto{
		OpType: proto.String("Sum"), Name: proto.String("s"), Input: []string{"same", "again"}, Output: []string{"z"},
	})
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range g.Nodes {
		got = append(got, text(n)+" -> "+n.Out[0].Name)
	}
	want := []string{"Relu(x) -> y", "Identity(x) -> same", "Identity(y) -> again", "Sum(same, again) -> z"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestExternalErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	models := filepath.Join(dir, "models")
	for name, size := range map[string]int{"secret": 100, "models/short": 4, "models/data": 16} {
		if err := os.MkdirAll(models, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(models, "link")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir string
		keys      []string // location, offset, length
		want      string
	}{
		{"a path upwards", models, []string{"../secret"}, `location "../secret" is not a file below`},
		{"an absolute path", models, []string{filepath.Join(dir, "secret")}, "is not a file below"},
		{"no path", models, nil, `location "" is not a file below`},
		{"a link upwards", models, []string{"link"}, "link below the model's folder: path escapes"},
		{"a folder", models, []string{"."}, "not a regular file"},
		{"no such file", models, []string{"none"}, "there is no file none below the model's folder"},
		{"a short file", models, []string{"short"}, "short has 4 bytes, not 8 from 0 on"},
		{"an offset past the end", models, []string{"data", "9223372036854775807"}, "data has 16 bytes"},
		{"a negative offset", models, []string{"data", "-8"}, "offset -8"},
		{"an offset in words", models, []string{"data", "one"}, `offset "one" is no number`},
		{"another length", models, []string{"data", "0", "16"}, "16 bytes, but the tensor has 8"},
		{"no folder", "", []string{"data"}, "without the model's folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := rawless("w", 2)
			w.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
			for i, v := range tt.keys {
				w.ExternalData = append(w.ExternalData, &onnxpb.StringStringEntryProto{Key: proto.String([]string{"location", "offset", "length"}[i]), Value: proto.String(v)})
			}
			m := model()
			m.Graph.Initializer = []*onnxpb.TensorProto{w}
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(data, tt.dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `initializer "w": external data`) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestExternalOverlap: many tensors over one file would take more memory than the
// file's size; the same range twice is one tensor.
func TestExternalOverlap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), make([]byte, 16), 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func(offsets ...string) error {
		m := model()
		for i, o := range offsets {
			w := rawless(fmt.Sprint("w", i), 2)
			w.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
			w.ExternalData = []*onnxpb.StringStringEntryProto{
				{Key: proto.String("location"), Value: proto.String("data")}, {Key: proto.String("offset"), Value: &o},
			}
			m.Graph.Initializer = append(m.Graph.Initializer, w)
		}
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(data, dir)
		return err
	}
	if err := parse("0", "8", "0", "8", "8"); err != nil {
		t.Error(err)
	}
	if err := parse("0", "4", "8"); err == nil || !strings.Contains(err.Error(), "tensors overlap in data") {
		t.Errorf("got %v", err)
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	// An empty message in a list of field 1 (node) of field 7 (graph) is two bytes.
	nodes := strings.Repeat("\x0a\x00", maxMessages+1)
	data := append([]byte{0x3a}, uvarint(len(nodes))...)
	data = append(data, nodes...)
	if _, err := Parse(data, ""); err == nil || !strings.Contains(err.Error(), "too large a model") {
		t.Errorf("a model of 4 million nodes: got %v", err)
	}
	deep := model()
	for range 20 {
		outer := model()
		outer.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("body"), G: deep.GetGraph()}}
		deep = outer
	}
	data, err := proto.Marshal(deep)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(data, ""); err == nil || !strings.Contains(err.Error(), "nested more than") {
		t.Errorf("20 bodies within each other: got %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: got %v", err)
	}
}

func uvarint(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
