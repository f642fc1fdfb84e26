package grad

import (
	"slices"

	"trilobite/onnx"
)

// convTransposeRule is the gradient of ConvTranspose, Y = X spread out by W, plus B. It
// is the transpose of the Conv with the same W that leads from Y to X, so that
//
//	X  (N, C, H, W)          dX = the Conv of dY
//	W  (C, M/group, kH, kW)  dW = the Conv's, dY and X trading places
//	B  (M)                   dB = ΣdY over N, H, W
//
// for any number of spatial axes, groups, strides, dilations, pads, output padding and
// output shapes. All sizes but N must be known.
// Source: Dumoulin and Visin, arXiv:1603.07285, section 4. Checked:
// testdata/conv_transpose.npz.
func convTransposeRule(c *call) error {
	x, w, y, dY := c.n.In[0], c.n.In[1], c.n.Out[0], c.dY[0]
	if !convSizes(x, w, y) {
		return c.none("%v with weights %v: bind all sizes but the batch", x.Shape, w.Shape)
	}
	a := c.n.Conv()
	a.Pads = transposePads(a, x.Shape[2:], y.Shape[2:], w.Shape[2:])
	a.AutoPad, a.OutputPadding, a.OutputShape = "", nil, nil
	back := &call{walk: c.walk, n: &onnx.Node{Name: c.n.Name, Op: c.n.Op, In: []*onnx.Value{dY, w}, Out: []*onnx.Value{x}}, dY: []*onnx.Value{x}}
	a = back.window(a, w.Shape[2:])
	if c.wants(0) {
		source, direct := dY, a
		if slices.Min(a.Pads) < 0 { // ONNX Runtime's Conv takes none below 0
			source, direct.Pads = back.padded(a.Pads), nil
		}
		if err := c.give(0, c.Conv(source, w, nil, direct)); err != nil {
			return err
		}
	}
	if c.wants(1) {
		if err := c.give(1, back.convWeight(a)); err != nil {
			return err
		}
	}
	if !c.wants(2) {
		return nil
	}
	return c.give(2, c.ReduceSum(dY, others(len(w.Shape), 1)...))
}

// transposePads returns the pads of a ConvTranspose, those at the ends left to window:
// given, or, with an output shape or SAME, what the sizes leave, halved, an odd one at
// the begin and with SAME_UPPER at the end.
func transposePads(a onnx.ConvAttrs, in, out, kernel []int64) []int64 {
	pads := slices.Clone(a.Pads)
	if a.AutoPad == "VALID" && a.OutputShape == nil {
		return make([]int64, len(pads))
	}
	if a.AutoPad == "NOTSET" && a.OutputShape == nil {
		return pads
	}
	for i := range in {
		total := (in[i]-1)*a.Strides[i] + a.OutputPadding[i] + (kernel[i]-1)*a.Dilations[i] + 1 - out[i]
		pads[i] = (max(total, 0) + 1) / 2
		if a.AutoPad == "SAME_UPPER" {
			pads[i] = max(total, 0) / 2
		}
	}
	return pads
}
