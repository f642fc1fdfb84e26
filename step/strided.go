package step

import (
	"slices"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/tensor"
)

// spellStrided writes depthwise convolutions with strides as grouped ones without, over
// maps whose pixels are sorted by phase, the places in a stride s·s:
//
//	X'[c, a, b, p, q] = X[c, p·s + a, q·s + b]
//	Y[c] = Σ W'[c, a, b] ⋆ X'[c, a, b]            W'[c, a, b, u, v] = W[c, i, j], i − pad = u·s + a, j − pad = v·s + b
//
// Exact but for the order of sums. What comes before in a network of inverted bottlenecks,
// a 1×1 Conv that expands a narrow map, a normalisation and an activation, does not care
// for the order of pixels: they are sorted where the map is narrow, and its derivative is
// sorted back there.
//
// ONNX Runtime (1.32, CPU) gathers windows with strides element by element, and spreads dY
// out again (ConvTranspose) on one core; without strides it copies rows. In milliseconds of
// one core, N 16: X (96, 112, 112), 3×3, forward 33 to 23, dX 32 to 13, dW 79 to 31;
// (144, 56, 56), 5×5, 43 to 27, 34 to 11, 40 to 20. Sorting (16, 112, 112) takes 4, and 6 back.
func spellStrided(g *onnx.Graph) error {
	uses := grad.Uses(g)
	for _, n := range slices.Clone(g.Nodes) {
		p, ok := phasesOf(n)
		chain := pointwiseBefore(n, uses)
		if !ok || chain == nil {
			continue
		}
		first := chain[len(chain)-1]
		err := insertBefore(g, first, func(e *onnx.Builder) { first.In[0] = p.sorted(e, first.In[0]) })
		if err != nil {
			return err
		}
		for _, m := range chain {
			y := m.Out[0]
			y.Shape = slices.Concat(y.Shape[:2], first.In[0].Shape[2:])
		}
		err = insertBefore(g, n, func(e *onnx.Builder) {
			x := e.Reshape(n.In[0], -1, p.channels*p.each(), p.size[0], p.size[1])
			w := e.Reshape(e.MatMul(e.Reshape(n.In[1], p.channels, -1), e.Const("", p.places())), p.channels, p.each(), p.kernel[0], p.kernel[1])
			replaceConv(e, n, e.Conv(x, w, nil, onnx.ConvAttrs{Group: p.channels, Pads: p.pads}))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// phases is a depthwise Conv with strides as one without.
type phases struct {
	channels int64
	strides  []int64
	taps     [2][]phaseTap // by axis
	size     [2]int64      // of a map of one phase
	kernel   [2]int64
	pads     []int64
}

// phaseTap is where a tap of the kernel is found: a phase, and a place in the new kernel.
type phaseTap struct{ phase, place int64 }

// each is the number of phases.
func (p phases) each() int64 { return p.strides[0] * p.strides[1] }

// phasesOf says how n is written without strides, if it is a depthwise Conv whose strides
// divide its input.
func phasesOf(n *onnx.Node) (p phases, ok bool) {
	if !depthwise(n) || slices.Max(n.Conv().Strides) == 1 || slices.Max(n.Conv().Dilations) > 1 {
		return p, false
	}
	x, w, y, a := n.In[0].Shape, n.In[1].Shape, n.Out[0].Shape, n.Conv()
	p = phases{channels: x[1], strides: a.Strides, pads: make([]int64, 4)}
	for i := range p.taps {
		size, kernel, s, pad := x[2+i], w[2+i], a.Strides[i], a.Pads[i]
		if size%s != 0 {
			return p, false
		}
		low, high := floorDiv(-pad, s), floorDiv(kernel-1-pad, s)
		for k := range kernel {
			at := floorDiv(k-pad, s)
			p.taps[i] = append(p.taps[i], phaseTap{k - pad - at*s, at - low})
		}
		p.size[i], p.kernel[i] = size/s, high-low+1
		p.pads[i], p.pads[2+i] = -low, y[2+i]-size/s+high
	}
	return p, slices.Min(p.pads) >= 0
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

// sorted sorts the pixels of x (N, C, H, W) by phase, (N, C, s·s·H/s, W/s): rows first, then
// columns, both as Transposes of matrices, a third of the time of one Transpose of all axes.
func (p phases) sorted(e *onnx.Builder, x *onnx.Value) *onnx.Value {
	c, w := x.Shape[1], x.Shape[3]
	rows := e.Transpose(e.Reshape(x, -1, p.size[0], p.strides[0], w), 0, 2, 1, 3)
	columns := e.Transpose(e.Reshape(rows, -1, p.size[0]*p.size[1], p.strides[1]), 0, 2, 1)
	return e.Reshape(columns, -1, c, p.each()*p.size[0], p.size[1])
}

// places is 1 where a tap of the kernel is found in the new one, (kH·kW, s·s·kH'·kW').
func (p phases) places() *tensor.Tensor {
	width := p.each() * p.kernel[0] * p.kernel[1]
	list := make([]float32, int64(len(p.taps[0])*len(p.taps[1]))*width)
	for i, r := range p.taps[0] {
		for j, c := range p.taps[1] {
			tap := int64(i*len(p.taps[1]) + j)
			list[tap*width+((r.phase*p.strides[1]+c.phase)*p.kernel[0]+r.place)*p.kernel[1]+c.place] = 1
		}
	}
	return tensor.Of([]int64{int64(len(p.taps[0]) * len(p.taps[1])), width}, list)
}

// pointwiseBefore lists what computes the input of n from a narrower map pixel by pixel,
// from n back to a 1×1 Conv, each read by the next alone; nil if there is no such Conv.
func pointwiseBefore(n *onnx.Node, uses map[*onnx.Value]int) []*onnx.Node {
	var chain []*onnx.Node
	for v := n.In[0]; v.Node != nil && v.Node.Domain == "" && uses[v] == 1; v = v.Node.In[0] {
		m := v.Node
		chain = append(chain, m)
		switch m.Op {
		case "BatchNormalization", "Clip", "Relu", "LeakyRelu", "HardSwish", "HardSigmoid", "Sigmoid", "Elu", "Gelu", "Identity":
		case "Conv":
			x, w, a := m.In[0].Shape, m.In[1].Shape, m.Conv()
			auto := a.AutoPad != "" && a.AutoPad != "NOTSET"
			plain := len(w) == 4 && a.Group == 1 && w[2]*w[3] == 1 && !auto && slices.Max(a.Strides) == 1 && slices.Min(a.Pads) == 0 && slices.Max(a.Pads) == 0
			if plain && w[1] <= w[0] && len(x) == 4 && x[1:].Static() {
				return chain
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}
