package grad

import (
	"testing"

	"trilobite/onnx"
)

// Whole numbers: the operator is bilinear, so differences of step 1 are exact.
func TestConv(t *testing.T) {
	t.Parallel()
	conv := func(a onnx.ConvAttrs) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.Conv(x[0], x[1], append(x, nil)[2], a) }
	}
	pads := func(p ...int64) []int64 { return p }
	two, one := []int64{2, 2}, pads(1, 1, 1, 1)
	testFamily(t, "conv.npz", []graphCase{
		{"plain", conv(onnx.ConvAttrs{}), bilinear},
		{"pointwise", conv(onnx.ConvAttrs{}), bilinear},
		{"padded", conv(onnx.ConvAttrs{Pads: one}), bilinear},
		{"asymmetric", conv(onnx.ConvAttrs{Pads: pads(0, 1, 2, 0)}), bilinear},
		{"wide_pads", conv(onnx.ConvAttrs{Pads: pads(2, 2, 2, 2)}), bilinear},
		{"strided", conv(onnx.ConvAttrs{Strides: two, Pads: one}), bilinear},
		{"remainder", conv(onnx.ConvAttrs{Strides: two}), bilinear},
		{"remainder_padded", conv(onnx.ConvAttrs{Strides: []int64{2, 3}, Pads: one}), bilinear},
		{"unread", conv(onnx.ConvAttrs{Strides: []int64{3, 3}}), bilinear},
		{"dilated", conv(onnx.ConvAttrs{Dilations: two, Pads: pads(2, 2, 2, 2)}), bilinear},
		{"dilated_strided", conv(onnx.ConvAttrs{Dilations: two, Strides: two, Pads: one}), bilinear},
		{"groups", conv(onnx.ConvAttrs{Group: 2, Pads: one}), bilinear},
		{"groups_strided", conv(onnx.ConvAttrs{Group: 2, Strides: two}), bilinear},
		{"depthwise", conv(onnx.ConvAttrs{Group: 3, Pads: one}), bilinear},
		{"depthwise_strided", conv(onnx.ConvAttrs{Group: 3, Strides: two, Pads: one}), bilinear},
		{"depthwise_double", conv(onnx.ConvAttrs{Group: 2, Pads: one}), bilinear},
		{"line", conv(onnx.ConvAttrs{Strides: []int64{2}, Pads: pads(1, 1)}), bilinear},
		{"volume", conv(onnx.ConvAttrs{Pads: pads(1, 1, 1, 1, 1, 1)}), bilinear},
		{"same_upper", conv(onnx.ConvAttrs{Strides: two, AutoPad: "SAME_UPPER"}), bilinear},
		{"same_lower", conv(onnx.ConvAttrs{AutoPad: "SAME_LOWER"}), bilinear},
	})
}
