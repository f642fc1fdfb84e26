package step

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// spellTaps writes convolutions most of whose taps meet padding, such as the dilated ones
// of an ASPP over a small map, as the sum over taps of a 1×1 Conv of what the tap meets:
//
//	Y = Σ pad(W[:, :, i, j] · X[:, :, rows of i, columns of j])
//
// Exact but for the order of sums. A 3×3 Conv with dilation 12 over 16×16 meets a
// quarter of what it multiplies, with dilation 18 the middle tap alone, with 6 a half. The
// step of a DeepLabV3+ head with such an ASPP takes 1.91 s of one core with Convs, 1.66 so.
func spellTaps(g *onnx.Graph) error {
	for _, n := range slices.Clone(g.Nodes) {
		taps, ok := sparseTaps(n)
		if !ok {
			continue
		}
		err := insertBefore(g, n, func(e *onnx.Builder) { replaceConv(e, n, sumOfTaps(e, n, taps)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// tap is a position in a kernel that meets X, and per spatial axis the first output that
// meets X there, how many do, and the element of X that the first one meets.
type tap struct {
	index              int64 // in the kernel, the last axis fastest
	first, count, from []int64
}

// sparseTaps returns the taps of n that meet X, if it is a Conv without groups and with
// explicit pads of which most products are by padding.
func sparseTaps(n *onnx.Node) ([]tap, bool) {
	const most = 0.6 // of the products
	if n.Op != "Conv" || n.Domain != "" || len(n.In[0].Shape) < 3 || len(n.In[1].Shape) != len(n.In[0].Shape) {
		return nil, false
	}
	x, w, y, a := n.In[0].Shape, n.In[1].Shape, n.Out[0].Shape, n.Conv()
	auto := a.AutoPad != "" && a.AutoPad != "NOTSET"
	if auto || a.Group > 1 || !x[1:].Static() || !w.Static() || len(y) != len(x) || !y[1:].Static() {
		return nil, false
	}
	kernel, met := tensor.Size(w[2:]), int64(0)
	var taps []tap
	for index := range kernel {
		t := tapAt(index, w[2:], x[2:], y[2:], a)
		if tensor.Size(t.count) > 0 {
			met += tensor.Size(t.count)
			taps = append(taps, t)
		}
	}
	return taps, len(taps) > 0 && float64(met) <= most*float64(kernel*tensor.Size(y[2:]))
}

// tapAt says what one position of a kernel meets, per axis: outputs o with
// 0 ≤ o·stride + i·dilation − pad < size.
func tapAt(index int64, kernel, in, out []int64, a onnx.ConvAttrs) tap {
	t := tap{index: index}
	k := len(kernel)
	t.first, t.count, t.from = make([]int64, k), make([]int64, k), make([]int64, k)
	for i, size := range slices.Backward(kernel) {
		offset, s := index%size*a.Dilations[i]-a.Pads[i], a.Strides[i]
		index /= size
		t.first[i] = max(-offset+s-1, 0) / s
		end := min((max(in[i]-offset, 0)+s-1)/s, out[i])
		t.count[i] = max(end-t.first[i], 0)
		t.from[i] = t.first[i]*s + offset
	}
	return t
}

// sumOfTaps is n without its bias.
func sumOfTaps(e *onnx.Builder, n *onnx.Node, taps []tap) *onnx.Value {
	x, w, out, strides := n.In[0], n.In[1], n.Out[0].Shape[2:], n.Conv().Strides
	k := len(out)
	m, c := w.Shape[0], w.Shape[1]
	matrices := e.Reshape(e.Transpose(e.Reshape(w, m, c, -1), 2, 0, 1), slices.Concat([]int64{-1, m, c}, slices.Repeat([]int64{1}, k))...)
	all := e.Split(matrices, 0, slices.Repeat([]int64{1}, int(tensor.Size(w.Shape[2:])))...)
	var sum *onnx.Value
	for _, t := range taps {
		var axes, ends, before, after []int64
		for i, from := range t.from {
			axes, ends = append(axes, int64(2+i)), append(ends, from+(t.count[i]-1)*strides[i]+1)
			before, after = append(before, t.first[i]), append(after, out[i]-t.first[i]-t.count[i])
		}
		met := e.SliceStep(x, axes, t.from, ends, strides)
		y := e.Conv(met, e.Reshape(all[t.index], slices.Concat([]int64{m, c}, slices.Repeat([]int64{1}, k))...), nil, onnx.ConvAttrs{})
		if !slices.Equal(t.count, out) {
			y = e.Pad(y, slices.Concat([]int64{0, 0}, before, []int64{0, 0}, after)...)
		}
		if sum == nil {
			sum = y
		} else {
			sum = e.Add(sum, y)
		}
	}
	return sum
}
