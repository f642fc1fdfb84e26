package step

import (
	"slices"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// TestTie has a table that is gathered from and a matrix, its transpose or not.
func TestTie(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from   []string // of the matrix
		matrix string
		last   float32 // of its elements
		want   []string
	}{
		"folded from the table":      {[]string{"embed.weight"}, "val_9", 6, []string{"embed.weight"}},
		"a name that tracing made":   {nil, "onnx::MatMul_12", 6, []string{"embed.weight"}},
		"a weight of its own":        {nil, "head.weight", 6, []string{"embed.weight", "head.weight"}},
		"other elements":             {[]string{"embed.weight"}, "val_9", 7, []string{"embed.weight", "val_9"}},
		"folded from something else": {[]string{"embed.weight", "scale"}, "val_9", 6, []string{"embed.weight", "val_9"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			weight := func(name string, shape []int64, elements ...float32) *onnx.Value {
				return &onnx.Value{Name: name, DType: tensor.Float32, Shape: shape, Data: tensor.Of(shape, elements), Initializer: true}
			}
			table := weight("embed.weight", []int64{3, 2}, 1, 2, 3, 4, 5, 6)
			matrix := weight(c.matrix, []int64{2, 3}, 1, 3, 5, 2, 4, c.last)
			matrix.FoldedFrom = c.from
			y := b.Output("y", b.MatMul(b.Gather(table, b.Input("ids", tensor.Int64, onnx.Shape{4}), 0), matrix))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			tied, err := Tie(g)
			if err != nil {
				t.Fatal(err)
			}
			if want := len(c.want) == 1; (tied[c.matrix] == "embed.weight") != want {
				t.Errorf("tied: %v, want it %v", tied, want)
			}
			var got []string
			for _, v := range Trainable(g, y) {
				got = append(got, v.Name)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("trainable: %q, want %q", got, c.want)
			}
		})
	}
}
