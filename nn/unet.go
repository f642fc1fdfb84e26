package nn

import (
	"fmt"
	"slices"

	"trilobite/onnx"
)

// UNetOptions shape a U-Net; zero values take the defaults.
type UNetOptions struct {
	// SegmenterOptions without a backbone make the plain network.
	SegmenterOptions
	Depth int64 // plain: how often it halves the image, 4
	Width int64 // plain: channels of the first level, doubled by each further one, 64
	// Strides are the features of a backbone that are merged, finest first: 2, 4, 8, 16, 32,
	// or the named taps'.
	Strides []int64
	// Channels of the decoder's levels on a backbone, coarse to fine, one for each stride:
	// 256, 128, 64, 32, 16, or the last of these. One less leaves out the level of the
	// image's size: the scores are of the finest stride then, and enlarged, bilinear.
	Channels []int64
}

// UNet is the network of Ronneberger et al., arXiv:1505.04597, figure 1: levels of two 3×3
// convolutions on the way down, each halved; on the way up the coarser level, doubled,
// joined by what the level found on the way down.
//
// Input "input" (N, 3, Height, Width); output "logits" (N, Classes, Height, Width).
// Convolutions are padded, so that sizes stay, and without bias before their BatchNorms.
//
// The plain network takes RGB in 0…1 and doubles bilinearly; its parameters are named as
// in the widely used PyTorch code (milesial, Pytorch-UNet, bilinear): "inc.double_conv.0",
// "down1.maxpool_conv.1.double_conv.0", "up1.conv.double_conv.0", "outc.conv". On a
// backbone it doubles by the nearest place, and its parameters are named as in
// segmentation_models.pytorch: "backbone." and the backbone's, "decoder.blocks.I.conv1.0"
// (convolution) and ".1" (BatchNorm), "segmentation_head.0", a 3×3 convolution.
func UNet(o UNetOptions) (*Network, error) {
	if o.Backbone.Name == "" && o.Backbone.Graph == nil {
		return plainUNet(o)
	}
	return segmenter("unet", o.SegmenterOptions, func(m *Module, f *features, size []int64) (*onnx.Value, error) {
		taps, err := f.all(o.Strides, []int64{2, 4, 8, 16, 32})
		if err != nil {
			return nil, err
		}
		slices.Reverse(taps)
		channels := o.Channels
		if channels == nil {
			channels = []int64{256, 128, 64, 32, 16}
			channels = channels[max(0, len(channels)-len(taps)):]
		}
		if n, levels := len(taps), len(channels); levels < 1 || levels != n && levels != n-1 {
			return nil, fmt.Errorf("unet with %d levels of a decoder on %d strides, want as many or one less", levels, n)
		}
		x := taps[0].Value
		for i, c := range channels {
			s := m.Sub(fmt.Sprintf("decoder.blocks.%d", i))
			if i+1 < len(taps) {
				like := taps[i+1].Value
				x = m.Concat(1, m.nearestLike(x, like), like)
			} else {
				x = m.nearest(x, size)
			}
			for _, conv := range []string{"conv1", "conv2"} {
				x = s.Relu(s.BatchNorm(conv+".1", s.Conv(conv+".0", x, c, ConvAttrs{Kernel: 3}), BatchNormAttrs{}))
			}
		}
		x = m.Conv("segmentation_head.0", x, o.Classes, ConvAttrs{Kernel: 3, Bias: true, Init: GlorotUniform})
		return m.upsample(x, size), nil
	})
}

func plainUNet(o UNetOptions) (*Network, error) {
	depth, width := or(o.Depth, 4), or(o.Width, 64)
	if depth < 1 || width < 2 || depth > 8 {
		return nil, fmt.Errorf("unet of depth %d and width %d, want 1 to 8, and 2 or more", depth, width)
	}
	return network("unet", o.SegmenterOptions, func(m *Module, x *onnx.Value) (*onnx.Value, []Tap, error) {
		var skips []*onnx.Value
		x = m.doubleConv("inc.double_conv", x, width, width)
		for i := range depth {
			skips = append(skips, x)
			width *= 2
			out := width
			if i == depth-1 {
				out /= 2 // the level above takes half
			}
			x = m.MaxPool(x, onnx.PoolAttrs{Kernel: []int64{2, 2}, Strides: []int64{2, 2}})
			x = m.doubleConv(fmt.Sprintf("down%d.maxpool_conv.1.double_conv", i+1), x, out, out)
		}
		for i, skip := range slices.Backward(skips) {
			x = m.Concat(1, skip, m.upsampleLike(x, skip))
			out := width / 4
			if i == 0 {
				out = width / 2
			}
			x = m.doubleConv(fmt.Sprintf("up%d.conv.double_conv", int(depth)-i), x, width/2, out)
			width /= 2
		}
		return m.Conv("outc.conv", x, o.Classes, ConvAttrs{Bias: true, Init: GlorotUniform}), nil, nil
	})
}

// doubleConv is two 3×3 convolutions, each with BatchNorm and ReLU: name.0 to name.4.
func (m *Module) doubleConv(name string, x *onnx.Value, middle, out int64) *onnx.Value {
	s := m.Sub(name)
	x = s.Relu(s.BatchNorm("1", s.Conv("0", x, middle, ConvAttrs{Kernel: 3}), BatchNormAttrs{}))
	return s.Relu(s.BatchNorm("4", s.Conv("3", x, out, ConvAttrs{Kernel: 3}), BatchNormAttrs{}))
}
