package nn

import (
	"fmt"
	"math/bits"

	"trilobite/onnx"
)

// SemanticFPNOptions shape a feature pyramid with a head for segmentation; zero values take
// the paper's.
type SemanticFPNOptions struct {
	SegmenterOptions
	Strides  []int64 // of the taps, finest first: 4, 8, 16, 32, or the named taps'
	Neck     PyramidOptions
	Channels int64 // of the head, 128
}

// SemanticFPN is the semantic branch of Kirillov et al., arXiv:1901.02446, figure 3: each
// level of a feature pyramid is convolved and doubled until it is of the finest one's size,
// and the sum of all is classified.
//
// Input "input" (N, 3, Height, Width), prepared as the backbone wants it; output "logits"
// (N, Classes, Height, Width). Norms are BatchNorms, where the paper has GroupNorms, since
// a simplified model no longer pays for them. Parameters are "backbone." and the
// backbone's, "fpn." and FeaturePyramid's, "head.scaleS.J.0" (convolution) and ".1"
// (BatchNorm) of the level of stride S, and "head.predictor".
func SemanticFPN(o SemanticFPNOptions) (*Network, error) {
	o.Neck.Channels = or(o.Neck.Channels, 256)
	o.Channels = or(o.Channels, 128)
	return segmenter("fpn", o.SegmenterOptions, func(m *Module, f *features, size []int64) (*onnx.Value, error) {
		taps, err := f.all(o.Strides, []int64{4, 8, 16, 32})
		if err != nil {
			return nil, err
		}
		levels := FeaturePyramid(m.Sub("fpn"), taps, o.Neck)
		h := m.Sub("head")
		var sum *onnx.Value
		for i, t := range levels {
			// a convolution for each doubling, and one where there is none
			doublings := bits.Len64(uint64(t.Stride/levels[0].Stride)) - 1
			x := t.Value
			for j := range max(doublings, 1) {
				name := fmt.Sprintf("scale%d.%d", t.Stride, j)
				x = h.Relu(h.BatchNorm(name+".1", h.Conv(name+".0", x, o.Channels, ConvAttrs{Kernel: 3}), BatchNormAttrs{}))
				if doublings > 0 {
					x = h.upsampleLike(x, levels[max(i-j-1, 0)].Value)
				}
			}
			if x = h.upsampleLike(x, levels[0].Value); i == 0 {
				sum = x
			} else {
				sum = h.Add(sum, x)
			}
		}
		logits := h.Conv("predictor", sum, o.Classes, ConvAttrs{Bias: true, Init: GlorotUniform})
		return h.upsample(logits, size), nil
	})
}
