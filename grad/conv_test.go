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
	testFamily(t, "conv_2.npz", []graphCase{
		{"wide", conv(onnx.ConvAttrs{}), bilinear},
		{"wide_padded", conv(onnx.ConvAttrs{Strides: []int64{2, 1}, Pads: one}), bilinear},
		{"wide_pointwise", conv(onnx.ConvAttrs{}), bilinear},
		{"wide_line", conv(onnx.ConvAttrs{Dilations: []int64{3}}), bilinear},
	})
	testFamily(t, "conv_3.npz", []graphCase{
		{"many", conv(onnx.ConvAttrs{}), bilinear},
		{"many_wide", conv(onnx.ConvAttrs{Pads: one}), bilinear},
		{"many_taps", conv(onnx.ConvAttrs{}), bilinear},
		{"depthwise_wide", conv(onnx.ConvAttrs{Group: 2, Pads: one}), bilinear},
		{"depthwise_unread", conv(onnx.ConvAttrs{Group: 2, Strides: []int64{3, 3}}), bilinear},
		{"depthwise_dilated", conv(onnx.ConvAttrs{Group: 2, Strides: []int64{1, 2}, Dilations: []int64{2, 1}, Pads: pads(2, 1, 2, 1)}), bilinear},
	})
	testFamily(t, "conv_4.npz", []graphCase{
		{"windows_strided", conv(onnx.ConvAttrs{Group: 2, Strides: two, Pads: one}), bilinear},
		{"windows_dilated", conv(onnx.ConvAttrs{Group: 2, Dilations: []int64{1, 2}, Pads: pads(0, 3, 0, 3)}), bilinear},
		{"crossed", conv(onnx.ConvAttrs{Group: 2, Pads: pads(2, 2, 2, 2)}), bilinear},
		{"crossed_unread", conv(onnx.ConvAttrs{Group: 2, Strides: []int64{3, 3}}), bilinear},
	})
	testFamily(t, "conv_5.npz", []graphCase{
		{"shifted", conv(onnx.ConvAttrs{Group: 2, Pads: one}), bilinear},
		{"shifted_dilated", conv(onnx.ConvAttrs{Group: 3, Dilations: []int64{1, 2}, Pads: pads(0, 1, 0, 1)}), bilinear},
		{"shifted_even", conv(onnx.ConvAttrs{Group: 2, Pads: pads(1, 0, 0, 1)}), bilinear},
	})
}

func TestConvTranspose(t *testing.T) {
	t.Parallel()
	back := func(a onnx.ConvAttrs) func(builder, values) *onnx.Value {
		return func(b builder, x values) *onnx.Value { return b.ConvTranspose(x[0], x[1], append(x, nil)[2], a) }
	}
	s := func(list ...int64) []int64 { return list }
	two, one := s(2, 2), s(1, 1, 1, 1)
	testFamily(t, "conv_transpose.npz", []graphCase{
		{"plain", back(onnx.ConvAttrs{}), bilinear},
		{"strided", back(onnx.ConvAttrs{Strides: two}), bilinear},
		{"padded", back(onnx.ConvAttrs{Strides: two, Pads: one}), bilinear},
		{"output_padding", back(onnx.ConvAttrs{Strides: two, Pads: one, OutputPadding: s(1, 1)}), bilinear},
		{"output_padding_alone", back(onnx.ConvAttrs{Strides: s(3, 3), OutputPadding: s(2, 1)}), bilinear},
		{"dilated", back(onnx.ConvAttrs{Strides: two, Dilations: s(2, 3), Pads: s(2, 2, 2, 2)}), bilinear},
		{"groups", back(onnx.ConvAttrs{Strides: two, Group: 2, Pads: one}), bilinear},
		{"depthwise", back(onnx.ConvAttrs{Strides: two, Group: 3}), bilinear},
		{"asymmetric", back(onnx.ConvAttrs{Strides: two, Pads: s(0, 1, 2, 0)}), bilinear},
		{"pointwise", back(onnx.ConvAttrs{}), bilinear},
		{"line", back(onnx.ConvAttrs{Strides: s(2)}), bilinear},
		{"volume", back(onnx.ConvAttrs{Strides: s(2, 2, 2), Pads: s(1, 1, 1, 1, 1, 1)}), bilinear},
		{"same_upper", back(onnx.ConvAttrs{Strides: two, AutoPad: "SAME_UPPER"}), bilinear},
		{"same_lower", back(onnx.ConvAttrs{Strides: two, AutoPad: "SAME_LOWER"}), bilinear},
		{"output_shape", back(onnx.ConvAttrs{Strides: two, OutputShape: s(6, 7)}), bilinear},
	})
}
