package grad

import (
	"testing"

	"trilobite/onnx"
)

func TestPool(t *testing.T) {
	t.Parallel()
	highest := func(a onnx.PoolAttrs) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.MaxPool(x[0], a) }
	}
	average := func(a onnx.PoolAttrs) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.AveragePool(x[0], a) }
	}
	s := func(list ...int64) []int64 { return list }
	pads := s(1, 1, 1, 1)
	testFamily(t, "pool.npz", []graphCase{
		{"max", highest(onnx.PoolAttrs{Kernel: s(2, 2), Strides: s(2, 2)}), double},
		{"max_overlapping", highest(onnx.PoolAttrs{Kernel: s(3, 3), Strides: s(2, 2), Pads: pads}), double},
		{"max_asymmetric", highest(onnx.PoolAttrs{Kernel: s(3, 2), Strides: s(2, 1), Pads: s(1, 0, 0, 1)}), double},
		{"max_dilated", highest(onnx.PoolAttrs{Kernel: s(2, 2), Dilations: s(2, 2)}), double},
		{"max_ceil", highest(onnx.PoolAttrs{Kernel: s(2, 2), Strides: s(2, 2), CeilMode: true}), double},
		{"max_ties", highest(onnx.PoolAttrs{Kernel: s(2, 2), Strides: s(2, 2)}), kink},
		{"max_line", highest(onnx.PoolAttrs{Kernel: s(3), Strides: s(2)}), double},
		{"global_max", one(builder.GlobalMaxPool), single},
		{"average", average(onnx.PoolAttrs{Kernel: s(2, 2), Strides: s(2, 2)}), single},
		{"average_remainder", average(onnx.PoolAttrs{Kernel: s(2, 2), Strides: s(2, 2)}), single},
		{"average_padded", average(onnx.PoolAttrs{Kernel: s(3, 3), Strides: s(2, 2), Pads: pads}), single},
		{"average_counts_pads", average(onnx.PoolAttrs{Kernel: s(3, 3), Pads: pads, CountIncludePad: true}), single},
		{"average_line", average(onnx.PoolAttrs{Kernel: s(3), Strides: s(2)}), single},
	})
	ceil := onnx.PoolAttrs{Kernel: s(3, 3), Strides: s(2, 2), Pads: pads, CeilMode: true}
	counting := ceil
	counting.CountIncludePad = true
	testFamily(t, "pool_2.npz", []graphCase{
		{"average_ceil", average(ceil), single},
		{"average_ceil_counts_pads", average(counting), single},
		{"average_ceil_alone", average(onnx.PoolAttrs{Kernel: s(2, 2), Strides: s(2, 2), CeilMode: true}), single},
		{"max_ceil_padded", highest(ceil), double},
	})
}
