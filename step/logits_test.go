package step

import (
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TestClassAxis: classes are where the network has its channels.
func TestClassAxis(t *testing.T) {
	t.Parallel()
	conv := func(b *onnx.Builder, x *onnx.Value) *onnx.Value { // (2, 5, 8, 6)
		return b.Conv(x, b.Const("w", tensor.Of([]int64{5, 3, 1, 1}, make([]float32, 15))), nil, onnx.ConvAttrs{})
	}
	softmax := func(b *onnx.Builder, x *onnx.Value, axis int64) *onnx.Value {
		return b.Op("Softmax", []*onnx.Value{x}, map[string]any{"axis": axis}, 1)[0]
	}
	tests := []struct {
		name   string
		build  func(b *onnx.Builder, x *onnx.Value) *onnx.Value
		asked  int
		target string
		notes  []string
		err    string
	}{
		{"channels first", conv, 0, "[2,8,6]", nil, ""},
		{"channels last with a bias", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Add(b.Transpose(conv(b, x), 0, 2, 3, 1), b.Const("b", tensor.Vector(make([]float32, 5)...)))
		}, 0, "[2,8,6]", []string{"axis 3"}, ""},
		{"asked for", conv, -1, "[2,5,8]", nil, ""},
		{"a Softmax over channels last, turned", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Transpose(softmax(b, b.Transpose(conv(b, x), 0, 2, 3, 1), -1), 0, 3, 1, 2)
		}, 0, "[2,8,6]", []string{"of a Softmax"}, ""},
		{"a Softmax over rows that are a map", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			rows := b.Reshape(b.Transpose(conv(b, x), 0, 2, 3, 1), 2, 48, 5)
			return b.Reshape(softmax(b, rows, 2), 2, 8, 6, 5)
		}, 0, "[2,8,6]", []string{"axis 3", "of a Softmax"}, ""},
		{"a product with a matrix", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.MatMul(x, b.Const("w", tensor.Of([]int64{6, 4}, make([]float32, 24))))
		}, 0, "[2,3,8]", []string{"axis 3"}, ""},
		{"nothing tells", func(_ *onnx.Builder, x *onnx.Value) *onnx.Value { return x }, 0, "[2,8,6]", []string{"nothing tells"}, ""},
		{"a Softmax over another axis", func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return softmax(b, conv(b, x), 2) }, 1, "", nil, "another axis"},
		{"one class", func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.ReduceMeanKeep(conv(b, x), 1) }, 1, "", nil, "one class"},
		{"no such axis", conv, 4, "", nil, "no axis 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			y := b.Output("y", tt.build(b, b.Input("x", tensor.Float32, onnx.Shape{2, 3, 8, 6})))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			_, notes, err := Target(g, y, TargetSpec{Loss: "cross-entropy", ClassAxis: tt.asked})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := Spell(g, g.Inputs[1].Shape); got != tt.target {
				t.Errorf("the target is %s, want %s", got, tt.target)
			}
			if len(notes) != len(tt.notes) {
				t.Fatalf("notes %q, want %q", notes, tt.notes)
			}
			for i, want := range tt.notes {
				if !strings.Contains(notes[i], want) {
					t.Errorf("note %q does not say %q", notes[i], want)
				}
			}
		})
	}
}
