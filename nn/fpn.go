package nn

import (
	"fmt"
	"slices"

	"trilobite/onnx"
)

// PyramidOptions shape a feature pyramid.
type PyramidOptions struct {
	Channels int64 // of every level
	// BottomUp adds PANet's second path, from fine to coarse (Liu et al.,
	// arXiv:1803.01534, section 3.1): PAFPN.
	BottomUp bool
	// Extra counts the levels beyond the coarsest tap, each of twice the stride of the one
	// before: P6 and P7 of RetinaNet.
	Extra int64
}

// FeaturePyramid merges taps, finest first, from coarse to fine: a 1×1 convolution brings
// each to the same channels, the coarser sum is added to it, upsampled to the nearest
// place, and a 3×3 convolution smooths each sum. It returns a level for each tap, and the
// extra ones.
//
// Lin et al., arXiv:1612.03144, figure 3; extra levels after Lin et al., arXiv:1708.02002,
// footnote 2, from the last level. Parameters are named as in torchvision's
// FeaturePyramidNetwork: "inner_blocks.I.0", "layer_blocks.I.0", "extra_blocks.p6" and
// "extra_blocks.p7"; those of the second path as in mmdetection's PAFPN,
// "downsample_convs.I.conv" and "pafpn_convs.I.conv".
func FeaturePyramid(m *Module, taps []Tap, o PyramidOptions) []Tap {
	sum := make([]*onnx.Value, len(taps))
	for i, t := range taps {
		sum[i] = m.Conv(fmt.Sprintf("inner_blocks.%d.0", i), t.Value, o.Channels, ConvAttrs{Bias: true})
	}
	levels := slices.Clone(taps)
	for i := len(taps) - 1; i >= 0; i-- {
		if i < len(taps)-1 {
			sum[i] = m.Add(sum[i], m.nearestLike(sum[i+1], sum[i]))
		}
		levels[i] = Tap{taps[i].Stride, o.Channels, m.Conv(fmt.Sprintf("layer_blocks.%d.0", i), sum[i], o.Channels, ConvAttrs{Kernel: 3, Bias: true})}
	}
	if o.BottomUp {
		bottomUp(m, levels, o.Channels)
	}
	for i := range o.Extra {
		last := levels[len(levels)-1]
		x := last.Value
		if i > 0 {
			x = m.Relu(x)
		}
		x = m.Conv(fmt.Sprintf("extra_blocks.p%d", 6+i), x, o.Channels, ConvAttrs{Kernel: 3, Stride: 2, Bias: true})
		levels = append(levels, Tap{2 * last.Stride, o.Channels, x})
	}
	return levels
}

// bottomUp adds to each level but the finest the one before it, halved.
func bottomUp(m *Module, levels []Tap, channels int64) {
	for i := 1; i < len(levels); i++ {
		down := m.Conv(fmt.Sprintf("downsample_convs.%d.conv", i-1), levels[i-1].Value, channels, ConvAttrs{Kernel: 3, Stride: 2, Bias: true})
		levels[i].Value = m.Add(levels[i].Value, down)
	}
	for i := 1; i < len(levels); i++ {
		levels[i].Value = m.Conv(fmt.Sprintf("pafpn_convs.%d.conv", i-1), levels[i].Value, channels, ConvAttrs{Kernel: 3, Bias: true})
	}
}

// nearestLike resizes x to the size of another feature map, each place from the one that
// it lies in (PyTorch's mode "nearest").
func (m *Module) nearestLike(x, like *onnx.Value) *onnx.Value {
	if !m.sized("upsample", like, 3) {
		return x
	}
	return m.nearest(x, like.Shape[2:])
}

// nearest is nearestLike to a size, H and W.
func (m *Module) nearest(x *onnx.Value, size []int64) *onnx.Value {
	return m.ResizeTo(x, size, onnx.ResizeAttrs{
		Mode: "nearest", Coordinates: "asymmetric", Nearest: "floor", Axes: []int64{2, 3},
	})
}
