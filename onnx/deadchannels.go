package onnx

import (
	"math"
	"slices"

	"trilobite/tensor"
)

// DropDeadChannels takes channels out of g that are 0 whatever the input is: those that a
// Relu, or a Clip from 0, makes of what can never be above 0, and that a Conv reads. Weight
// decay leaves many in the depthwise layers of detectors: in COCO-SSD's class heads 263 of
// 576 and 520 of 1280. It reports whether there were any.
//
// Exact up to rounding: zeros are no longer added, which may group what is left in other
// ways. Saves the channels' part of the Convs that make and read them. Where others read
// what they are made of, the rest is gathered first, a copy, and that is done for a quarter
// of the channels or more: in COCO-SSD the copies take 0.16 ms and save 0.93 of 17.3.
func DropDeadChannels(g *Graph) (bool, error) {
	dropped, all := false, bounded(g)
	for _, n := range slices.Clone(g.Nodes) {
		dropped = dropDead(g, n, all) || dropped
	}
	if !dropped {
		return false, nil
	}
	return true, Infer(g)
}

// dropDead takes the dead channels out that reader reads.
func dropDead(g *Graph, reader *Node, all map[*Value]bounds) bool {
	if reader.Op != "Conv" || reader.Domain != "" || reader.Int("group", 1) != 1 || reader.Input(0) == nil ||
		reader.Input(1) == nil || !reader.In[1].IsConst() {
		return false
	}
	dead := all[reader.In[0]].dead
	live := alive(dead)
	if len(live) == len(dead) || len(live) == 0 {
		return false
	}
	k := newKeeper(g)
	x := k.value(reader.In[0], 1, live)
	w, ok := columns(reader.In[1].Data, live)
	if x == nil || !ok || len(k.more) > 0 && 4*(len(dead)-len(live)) < len(dead) {
		return false
	}
	m := &Node{Name: reader.Name, Op: reader.Op, In: slices.Clone(reader.In), Out: reader.Out, Attrs: reader.Attrs}
	m.In[0], m.In[1] = x, constant(k.e.fresh(reader.In[1].Name+"/live"), w)
	for _, v := range m.Out {
		v.Node = m
	}
	k.anew[reader] = m
	k.finish()
	return true
}

// alive returns the channels that are not dead, and of the dead the first few, so that there
// are whole blocks of them.
func alive(dead []bool) []int64 {
	var live []int64
	for c, d := range dead {
		if !d {
			live = append(live, int64(c))
		}
	}
	spare := -len(live) & (block - 1)
	for c, d := range dead {
		if d && spare > 0 {
			spare--
			live = append(live, int64(c))
		}
	}
	slices.Sort(live)
	return live
}

// block is how many channels ONNX Runtime computes at a time with AVX-512, and half of that
// without: of another number it computes all much slower.
const block = 16

// columns returns the given places of the second axis of a Conv's weights.
func columns(w *tensor.Tensor, places []int64) (*tensor.Tensor, bool) {
	n := &Node{Op: "Gather", Out: make([]*Value, 1), Attrs: map[string]any{"axis": int64(1)}}
	out, ok := evaluate(n, []*tensor.Tensor{w, tensor.Vector(places...)})
	if !ok {
		return nil, false
	}
	return out[0], true
}

// bounds are between which numbers the channels of a value are; those that are dead are 0.
type bounds struct {
	lo, hi float64
	dead   []bool
}

// bounded returns the bounds of what Relus and Clips make of Convs. Other values may be
// anything.
func bounded(g *Graph) map[*Value]bounds {
	all := map[*Value]bounds{}
	for _, n := range g.Nodes {
		if n.Op != "Relu" && n.Op != "Clip" || n.Domain != "" || len(n.Out) != 1 {
			continue
		}
		conv := n.Input(0)
		lo, hi, ok := limits(n)
		if !ok || conv == nil || conv.Node == nil || conv.Node.Op != "Conv" || conv.Node.Domain != "" {
			continue
		}
		b := bounds{lo: lo, hi: hi}
		if lo == 0 {
			b.dead = neverPositive(conv.Node, all)
		}
		all[n.Out[0]] = b
	}
	return all
}

// limits returns those of a Relu or Clip, where they are known.
func limits(n *Node) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(-1), math.Inf(1)
	if n.Op == "Relu" {
		return 0, hi, true
	}
	for i, limit := range []*float64{&lo, &hi} {
		v := n.Input(i + 1)
		if v == nil {
			continue
		}
		f, ok := floatsOf(v)
		if !ok || len(f) != 1 {
			return 0, 0, false
		}
		*limit = f[0]
	}
	return lo, hi, true
}

// neverPositive tells the channels of a Conv that are never above 0; nil where that is not
// known of any.
func neverPositive(n *Node, all map[*Value]bounds) []bool {
	w, ok := float32sOf(n.Input(1))
	if !ok || len(n.In[1].Shape) < 2 {
		return nil
	}
	m, each, group := n.In[1].Shape[0], n.In[1].Shape[1], n.Int("group", 1)
	bias := make([]float32, m)
	if n.Input(2) != nil {
		bias, ok = float32sOf(n.In[2])
	}
	if !ok || m == 0 || each == 0 || group < 1 || m%group != 0 || int64(len(bias)) != m {
		return nil
	}
	in, ok := all[n.Input(0)]
	if !ok {
		in = bounds{lo: math.Inf(-1), hi: math.Inf(1)}
	}
	if in.dead != nil && int64(len(in.dead)) != each*group {
		return nil
	}
	row := int64(len(w)) / m
	dead := make([]bool, m)
	for o := range m {
		read := in
		if in.dead != nil {
			read.dead = in.dead[o/(m/group)*each:][:each]
		}
		dead[o] = most(w[o*row:(o+1)*row], int(each), float64(bias[o]), read) <= 0
	}
	return dead
}

// most returns what a sum of a bias and of weights times inputs can be at the most, or some
// number above 0 if it can be above 0: weights are as many for each channel, and an input
// may be padding.
func most(w []float32, channels int, bias float64, in bounds) float64 {
	up, down := max(in.hi, 0), min(in.lo, 0)
	sum, size, taps := bias, math.Abs(bias), len(w)/channels
	for c := 0; c < channels && sum <= 0; c++ {
		if in.dead != nil && in.dead[c] {
			continue
		}
		for _, k := range w[c*taps : (c+1)*taps] {
			switch {
			case k > 0:
				sum += float64(k) * up
			case k < 0:
				sum += float64(k) * down
			}
			size += math.Abs(float64(k))
		}
	}
	if size += size * max(up, -down); math.IsInf(size, 0) {
		return sum
	}
	// A float32 sum of n terms is off by n·2⁻²⁴ of the sum of their sizes at most (Higham,
	// Accuracy and Stability of Numerical Algorithms, 4.2).
	return sum + float64(len(w)+1)*0x1p-24*size
}

// float32sOf returns the elements of a float32 constant.
func float32sOf(v *Value) ([]float32, bool) {
	if v == nil || v.Data == nil {
		return nil, false
	}
	return tensor.Data[float32](v.Data)
}
