package onnx

import (
	"maps"
	"math"
	"slices"
)

// foldBatchNorm puts an inference BatchNormalization into the Conv, ConvTranspose or
// Gemm before it: with s = scale / √(variance + epsilon), W' = s·W and
// B' = s·(B − mean) + bias, per output channel.
//
// Exact up to rounding, where the layer's output is used by nothing else and all
// parameters are constants. Saves a pass over the activations.
func foldBatchNorm(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if n.Op != "BatchNormalization" || n.Domain != "" || len(n.In) != 5 || len(n.Out) != 1 || n.Int("training_mode", 0) != 0 {
			continue
		}
		layer := e.linear(n.In[0])
		if layer == nil {
			continue
		}
		var p [4][]float64 // scale, bias, mean, variance
		ok := true
		for i := range p {
			list, is := floatsOf(n.In[i+1])
			p[i], ok = list, ok && is && len(list) == layer.channels
		}
		if !ok {
			continue
		}
		eps := float64(n.Float("epsilon", 1e-5))
		scale, shift := make([]float64, layer.channels), make([]float64, layer.channels)
		for c := range scale {
			scale[c] = p[0][c] / math.Sqrt(p[3][c]+eps)
			shift[c] = p[1][c] - p[2][c]*scale[c]
		}
		if e.rescale(layer, scale, shift) {
			e.absorb(layer.Node, n)
			changed = true
		}
	}
	return changed
}

// foldScale does the same with Mul, Add, Sub and Div by a constant per channel, or
// one for all, behind a Conv, ConvTranspose or Gemm.
//
// Exact up to rounding, under foldBatchNorm's conditions. Saves a pass each.
func foldScale(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if !slices.Contains([]string{"Mul", "Add", "Sub", "Div"}, n.Op) || n.Domain != "" || len(n.In) != 2 || len(n.Out) != 1 {
			continue
		}
		for i := range 2 {
			layer := e.linear(n.In[i])
			if layer == nil || n.Op == "Div" && i == 1 {
				continue
			}
			k, ok := perChannel(n.In[1-i], n.In[i].Shape, layer.channels)
			if !ok {
				continue
			}
			scale, shift := slices.Repeat([]float64{1}, len(k)), make([]float64, len(k))
			for c, v := range k {
				switch {
				case n.Op == "Mul":
					scale[c] = v
				case n.Op == "Div":
					scale[c] = 1 / v
				case n.Op == "Add":
					shift[c] = v
				case i == 0: // Y − k
					shift[c] = -v
				default: // k − Y
					scale[c], shift[c] = -1, v
				}
			}
			if e.rescale(layer, scale, shift) {
				e.absorb(layer.Node, n)
				changed = true
				break
			}
		}
	}
	return changed
}

// layer is a Conv, ConvTranspose or Gemm whose weights are constants.
type layer struct {
	*Node
	channels int
	weight   []float64
	bias     []float64 // nil: none
}

// linear returns the layer that produces v, for v alone; nil if there is none.
func (e *editor) linear(v *Value) *layer {
	n := e.only(v, "Conv", "ConvTranspose", "Gemm")
	if n == nil || n.Input(1) == nil || v.Shape == nil {
		return nil
	}
	w, ok := floatsOf(n.In[1])
	if !ok || len(w) == 0 {
		return nil
	}
	shape := n.In[1].Shape
	l := &layer{Node: n, weight: w}
	switch n.Op {
	case "Conv":
		l.channels = int(shape[0])
	case "ConvTranspose":
		l.channels = int(shape[1] * n.Int("group", 1))
	case "Gemm":
		l.channels = int(shape[1-n.Int("transB", 0)&1])
	}
	if b := n.Input(2); b != nil {
		if l.bias, ok = perChannel(b, unknownShape(2), l.channels); !ok { // (M), or Gemm's (1, N)
			return nil
		}
	}
	return l
}

// blocks returns how many weights in a row belong to one output channel, and the
// channel of each such block.
func (l *layer) blocks() (size int, channel func(block int) int) {
	shape := l.In[1].Shape
	switch {
	case l.Op == "ConvTranspose": // (C, M/group, kernel…)
		in, perGroup := int(shape[0]), int(shape[1])
		inGroup := in / int(l.Int("group", 1))
		return len(l.weight) / (in * perGroup), func(k int) int {
			return k/perGroup/inGroup*perGroup + k%perGroup
		}
	case l.Op == "Gemm" && l.Int("transB", 0) == 0: // (K, N)
		return 1, func(k int) int { return k % l.channels }
	default: // Conv (M, C/group, kernel…), Gemm (N, K)
		return len(l.weight) / l.channels, func(k int) int { return k }
	}
}

// rescale makes the layer give scale·Y + shift, per channel, instead of Y. It is
// refused where a number would no longer be finite.
func (e *editor) rescale(l *layer, scale, shift []float64) bool {
	w := make([]float64, len(l.weight))
	size, channel := l.blocks()
	for i := range len(w) / size {
		s := scale[channel(i)]
		for j := i * size; j < (i+1)*size; j++ {
			w[j] = l.weight[j] * s
		}
	}
	b := shift
	if l.bias != nil {
		beta := 1.0
		if l.Op == "Gemm" {
			beta = float64(l.Float("beta", 1))
		}
		b = make([]float64, len(shift))
		for c, v := range l.bias {
			b[c] = beta*v*scale[c] + shift[c]
		}
	}
	if !finite(w) || !finite(b) {
		return false
	}
	t := l.In[1].DType
	wt, ok1 := fromFloats(t, l.In[1].Data.Shape, w)
	bt, ok2 := fromFloats(t, []int64{int64(len(b))}, b)
	if !ok1 || !ok2 {
		return false
	}
	e.setConstant(l.Node, 1, wt)
	e.setConstant(l.Node, 2, bt)
	if l.Op == "Gemm" {
		l.Attrs = maps.Clone(l.Attrs)
		delete(l.Attrs, "beta")
	}
	return true
}

// perChannel returns a constant that broadcasts to (N, C, spatial…) as one number
// for each of c channels; false if it does not, or varies over other axes.
func perChannel(v *Value, to Shape, c int) ([]float64, bool) {
	list, ok := floatsOf(v)
	if !ok || to == nil || len(v.Shape) > len(to) {
		return nil, false
	}
	if len(list) == 1 {
		return slices.Repeat(list, c), true
	}
	axis := len(v.Shape) - (len(to) - 1) // the channels' place in v
	if axis < 0 || len(list) != c || v.Shape[axis] != int64(c) {
		return nil, false
	}
	return list, true
}

// floatsOf returns the elements of a float32 or float64 constant.
func floatsOf(v *Value) ([]float64, bool) {
	if v == nil || v.Data == nil {
		return nil, false
	}
	return floats(v.Data)
}

// finite reports whether all numbers fit a float32.
func finite(list []float64) bool {
	return !slices.ContainsFunc(list, func(v float64) bool { return !(math.Abs(v) <= math.MaxFloat32) })
}
