package grad

import (
	"maps"
	"math"
	"strings"
	"testing"

	"trilobite/onnx"
)

func TestLayout3(t *testing.T) {
	t.Parallel()
	back := int64(math.MinInt64)
	s := func(list ...int64) []int64 { return list }
	testFamily(t, "layout_3.npz", []graphCase{
		{"flip", func(b builder, x values) *onnx.Value { return b.SliceStep(x[0], s(1), s(-1), s(back), s(-1)) }, double},
		{"flip_part", func(b builder, x values) *onnx.Value { return b.SliceStep(x[0], s(1), s(-2), s(2), s(-2)) }, double},
		{"stride_both", func(b builder, x values) *onnx.Value {
			return b.SliceStep(x[0], s(0, 1), s(1, 0), s(6, 3), s(2, 2))
		}, double},
		{"tile_computed", func(b builder, x values) *onnx.Value {
			return b.Op("Tile", values{x[0], x[1]}, nil, 1)[0]
		}, double},
		{"nd_rows", func(b builder, x values) *onnx.Value { return b.GatherND(x[0], x[1], 0) }, double},
	})
}

func TestScatter(t *testing.T) {
	t.Parallel()
	reduce := func(how string) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.ScatterElements(x[0], x[1], x[2], 1, how) }
	}
	testFamily(t, "scatter.npz", []graphCase{
		{"max", reduce("max"), double},
		{"min", reduce("min"), double},
		{"max_ties", reduce("max"), kink},
	})
}

func TestDefined(t *testing.T) {
	t.Parallel()
	op := func(name string, attrs map[string]any) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Op(name, x, attrs, 1)[0] }
	}
	fold := func(attrs map[string]any, image, block []int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Op("Col2Im", values{x[0], b.Ints(image...), b.Ints(block...)}, attrs, 1)[0]
		}
	}
	s := func(list ...int64) []int64 { return list }
	testFamily(t, "defined.npz", []graphCase{
		{"lrn", op("LRN", map[string]any{"size": int64(3), "alpha": float32(0.6), "beta": float32(0.75), "bias": float32(1.5)}), single},
		{"lrn_wide", op("LRN", map[string]any{"size": int64(5), "alpha": float32(0.6), "beta": float32(0.5)}), single},
		{"shrink", op("Shrink", map[string]any{"lambd": float32(0.5), "bias": float32(0.5)}), single}, // ONNX Runtime computes doubles in float32
		{"mod", op("Mod", map[string]any{"fmod": int64(1)}), double},
		{"mean_variance", op("MeanVarianceNormalization", nil), single},
		{"col2im", fold(map[string]any{"strides": s(2, 2)}, s(4, 6), s(2, 2)), single},
		{"col2im_over", fold(map[string]any{"strides": s(2, 1), "dilations": s(1, 2), "pads": s(1, 0, 1, 0)}, s(5, 4), s(3, 2)), single},
	})
}

func TestGridSample(t *testing.T) {
	t.Parallel()
	sample := func(mode, padding string, corners bool) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.GridSample(x[0], x[1], mode, padding, corners) }
	}
	cases := []graphCase{{"volume", sample("linear", "zeros", false), single}}
	for torch, mode := range map[string]string{"bilinear": "linear", "nearest": "nearest", "bicubic": "cubic"} {
		how := single
		if mode == "cubic" {
			how = kink // differences of float32 are too coarse for a cubic
		}
		for _, padding := range []string{"zeros", "border", "reflection"} {
			cases = append(cases,
				graphCase{torch + "_" + padding, sample(mode, padding, false), how},
				graphCase{torch + "_" + padding + "_corners", sample(mode, padding, true), how})
		}
	}
	testFamily(t, "grid_sample.npz", cases)
}

func TestAffineGrid(t *testing.T) {
	t.Parallel()
	grid := func(corners int64, size ...int64) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			return b.Op("AffineGrid", values{x[0], b.Ints(size...)}, map[string]any{"align_corners": corners}, 1)[0]
		}
	}
	testFamily(t, "affine_grid.npz", []graphCase{
		{"picture", grid(0, 2, 3, 4, 5), single},
		{"corners", grid(1, 2, 3, 4, 5), single},
		{"volume", grid(0, 2, 1, 2, 3, 4), single},
		{"volume_corners", grid(1, 2, 1, 2, 3, 4), single},
	})
}

func TestRecurrent(t *testing.T) {
	t.Parallel()
	cell := func(op string, outs int, attrs map[string]any) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value {
			all := map[string]any{"hidden_size": int64(2)}
			maps.Copy(all, attrs)
			in := append(values{x[0], x[1], x[2], x[3], nil}, x[4:]...)
			var flat values
			for _, v := range b.Op(op, in, all, outs) {
				flat = append(flat, b.Reshape(v, -1))
			}
			return b.Concat(0, flat...)
		}
	}
	with := func(name string, v any) map[string]any { return map[string]any{name: v} }
	both, before := with("direction", "bidirectional"), with("linear_before_reset", int64(1))
	testFamily(t, "recurrent.npz", []graphCase{
		{"lstm", cell("LSTM", 3, nil), single},
		{"lstm_both_ways", cell("LSTM", 3, both), single},
		{"lstm_peepholes", cell("LSTM", 3, nil), single},
		{"gru", cell("GRU", 2, before), single},
		{"gru_both_ways", cell("GRU", 2, map[string]any{"direction": "bidirectional", "linear_before_reset": int64(1)}), single},
		{"gru_before", cell("GRU", 2, nil), single},
		{"rnn", cell("RNN", 2, nil), single},
		{"rnn_relu", cell("RNN", 2, with("activations", []string{"Relu"})), single},
	})
}

// TestRecurrentRefuses has the uses of LSTM that are not written out.
func TestRecurrentRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps int64
		attrs map[string]any
		lens  bool
		want  string
	}{
		"steps not known":     {onnx.Unknown, nil, false, "the number of steps must be known"},
		"sequences' lengths":  {3, nil, true, "sequence_lens"},
		"clip":                {3, map[string]any{"clip": float32(1)}, false, "clip"},
		"unusual activations": {3, map[string]any{"activations": []string{"Relu", "Tanh", "Tanh"}}, false, "activations"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("g")
			x := b.Input("x", 1, onnx.Shape{c.steps, 2, 3})
			w := b.Input("w", 1, onnx.Shape{1, 8, 3})
			r := b.Input("r", 1, onnx.Shape{1, 8, 2})
			in := values{x, w, r}
			if c.lens {
				in = append(in, nil, b.Input("lens", 6, onnx.Shape{2}))
			}
			attrs := map[string]any{"hidden_size": int64(2)}
			maps.Copy(attrs, c.attrs)
			loss := b.Output("loss", b.ReduceSum(b.Op("LSTM", in, attrs, 1)[0]))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Gradient(g, loss, values{w}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "LSTM") {
				t.Errorf("error %v, want one of LSTM about %q", err, c.want)
			}
		})
	}
}
