package onnx

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

// everyType holds one constant of each element type, with extreme values.
func everyType() map[string]*tensor.Tensor {
	return map[string]*tensor.Tensor{
		"float32": tensor.Vector(float32(1.5), float32(math.Inf(-1)), -0.25),
		"float64": tensor.Of([]int64{1, 2}, []float64{math.MaxFloat64, math.SmallestNonzeroFloat64}),
		"int8":    tensor.Vector[int8](-128, 127), "int16": tensor.Vector[int16](-32768, 1),
		"int32": tensor.Scalar[int32](-1 << 31), "int64": tensor.Vector[int64](math.MinInt64, math.MaxInt64),
		"uint8": tensor.Vector[uint8](0, 255), "uint16": tensor.Vector[uint16](65535),
		"uint32": tensor.Vector[uint32](1<<32 - 1), "uint64": tensor.Vector[uint64](math.MaxUint64),
		"bool": tensor.Vector(true, false), "string": tensor.Vector("", "naïve\x00\xff"),
		"float16": tensor.NewBits(tensor.Float16, []int64{2}, []uint16{0x3c00, 0xfbff}), "bfloat16": tensor.NewBits(tensor.BFloat16, nil, []uint16{0x3f80}),
		"empty": tensor.Of([]int64{2, 0, 3}, []float32{}),
	}
}

// TestSaveTypes writes and reads a graph whose nodes use a constant of each type.
func TestSaveTypes(t *testing.T) {
	t.Parallel()
	b := NewBuilder("types")
	consts := everyType()
	for name, c := range consts {
		b.Output(name+"_y", b.Identity(b.Const(name, c)))
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	data, err := Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	g, err = Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		v := n.In[0]
		want := consts[v.Name]
		if v.Data.DType != want.DType || !cmp.Equal(v.Data.Raw(), want.Raw()) || !cmp.Equal(append([]int64{}, want.Shape...), v.Data.Shape) {
			t.Errorf("%s: got %v%v %v, want %v%v %v", v.Name, v.Data.DType, v.Data.Shape, v.Data.Raw(), want.DType, want.Shape, want.Raw())
		}
	}
	if len(g.Nodes) != len(consts) {
		t.Errorf("%d nodes, want %d", len(g.Nodes), len(consts))
	}
}

func fillFloats(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(i) / 8
	}
	return s
}

func TestSaveExternal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{b.Dim("N"), 16, Unknown})
	w := b.Const("w", tensor.Of([]int64{64, 16, 1}, fillFloats(1024)))
	w2 := b.Const("w2", tensor.Of([]int64{64, 64, 1}, fillFloats(4096)))
	bias := b.Const("bias", tensor.Of([]int64{64}, fillFloats(64)))
	b.Output("y", b.Conv(b.Conv(x, w, bias, ConvAttrs{}), w2, nil, ConvAttrs{}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.onnx-0123456789abcdef.data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := SaveExternal(path, g); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Marshal(got); err != nil || string(again) != string(want) {
		t.Errorf("the graph is not what was saved, %v", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Errorf("files %v, %v; want the model and one data file", files, err)
	}
	hidden, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(hidden) != 0 {
		t.Errorf("files %v are left, %v", hidden, err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Size() > 2000 {
		t.Errorf("the model has %v bytes, %v", st.Size(), err)
	}
}

func TestSaveLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := &Graph{Nodes: []*Node{{Name: "n", Op: "Relu", Attrs: map[string]any{"a": 1}}}}
	for _, save := range []func(string, *Graph) error{Save, SaveExternal} {
		if err := save(path, bad); err == nil || !strings.Contains(err.Error(), `Relu "n": attribute "a": a int cannot be written`) {
			t.Errorf("got %v", err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
			t.Errorf("the file is %q, %v", data, err)
		}
	}
}

// TestSaveNames: two bodies may have constants of one name, and a constant may be
// called like a value that is computed elsewhere.
func TestSaveNames(t *testing.T) {
	t.Parallel()
	branch := func(c float32) *Graph {
		b := NewBuilder("branch")
		b.Output("same", b.Neg(b.Const("c", tensor.Scalar(c))))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	b := NewBuilder("net")
	flag := b.Input("c", tensor.Bool, Shape{})
	y := b.Op("If", []*Value{flag}, map[string]any{"then_branch": branch(1), "else_branch": branch(2)}, 1)[0]
	y.DType = tensor.Float32
	b.Output("y", b.Add(y, b.Const("same", tensor.Scalar[float32](3))))
	b.Output("four", b.Const("k", tensor.Scalar[float32](4)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	data, err := Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = Parse(data, ""); err != nil {
		t.Fatal(err)
	}
	values := map[string]float32{}
	for _, n := range g.Nodes {
		for _, body := range n.bodies() {
			v := body.Nodes[0].In[0]
			values[v.Name] = v.Data.Raw().([]float32)[0]
		}
		if v := n.Input(1); v != nil && v.IsConst() {
			values[v.Name] = v.Data.Raw().([]float32)[0]
		}
	}
	want := map[string]float32{"c_1": 2, "c_2": 1, "same_1": 3}
	if d := cmp.Diff(want, values); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestFileOpset(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	x := b.Input("x", tensor.Float32, Shape{1, 2, 6, 6})
	rois, batch := b.Input("rois", tensor.Float32, Shape{3, 4}), b.Input("batch", tensor.Int64, Shape{3})
	b.Output("y", b.RoiAlign(x, rois, batch, 2, 2, 1, 2))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if v := fileOpset(g); v != 21 {
		t.Errorf("RoiAlign is written for operator set %d; ONNX Runtime has 21", v)
	}
}
