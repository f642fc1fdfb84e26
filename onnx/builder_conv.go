package onnx

// ConvAttrs are the attributes of Conv and ConvTranspose. A list left nil has ONNX's
// default: stride and dilation 1, no padding, no output padding. Lists hold one entry
// per spatial axis; Pads holds all begins, then all ends.
type ConvAttrs struct {
	Strides, Dilations, Pads []int64
	Group                    int64  // 0 means 1
	AutoPad                  string // "", NOTSET, SAME_UPPER, SAME_LOWER or VALID
	OutputPadding            []int64
	OutputShape              []int64 // ConvTranspose: the spatial size wanted, instead of Pads
}

// Conv is the cross-correlation Y = X ⋆ W + B; bias may be nil.
//
//	X (N, C, D1…)   W (M, C/group, k1…)   B (M)   Y (N, M, E1…)
func (b *Builder) Conv(x, w, bias *Value, a ConvAttrs) *Value {
	return b.op("Conv", a.attrs(), x, w, bias)
}

// ConvTranspose is the gradient of Conv with respect to its input, plus B.
//
//	X (N, C, D1…)   W (C, M/group, k1…)   B (M)   Y (N, M, E1…)
//
// E = stride·(D−1) + output padding + (k−1)·dilation + 1 − padBegin − padEnd.
func (b *Builder) ConvTranspose(x, w, bias *Value, a ConvAttrs) *Value {
	return b.op("ConvTranspose", a.attrs(), x, w, bias)
}

func (a ConvAttrs) attrs() map[string]any {
	m := map[string]any{}
	setInts(m, "strides", a.Strides)
	setInts(m, "dilations", a.Dilations)
	setInts(m, "pads", a.Pads)
	setInts(m, "output_padding", a.OutputPadding)
	setInts(m, "output_shape", a.OutputShape)
	if a.Group > 1 {
		m["group"] = a.Group
	}
	setAutoPad(m, a.AutoPad)
	return m
}

// Conv returns the attributes of a Conv or ConvTranspose with the defaults filled in,
// as far as the number of spatial axes is known.
func (n *Node) Conv() ConvAttrs {
	k := n.kernelRank()
	return ConvAttrs{
		Strides:       n.list("strides", 1, k),
		Dilations:     n.list("dilations", 1, k),
		Pads:          n.list("pads", 0, 2*k),
		Group:         n.Int("group", 1),
		AutoPad:       n.Str("auto_pad", "NOTSET"),
		OutputPadding: n.list("output_padding", 0, k),
		OutputShape:   n.Ints("output_shape"),
	}
}

// list returns an integer list attribute, or def k times where it is absent or empty.
func (n *Node) list(name string, def int64, k int) []int64 {
	if v := n.Ints(name); len(v) > 0 {
		return v
	}
	return repeat(def, k)
}

// kernelRank returns the number of spatial axes, 0 if it cannot be told.
func (n *Node) kernelRank() int {
	if k := n.Ints("kernel_shape"); k != nil {
		return len(k)
	}
	for _, v := range n.In[:min(2, len(n.In))] {
		if v != nil && len(v.Shape) > 2 {
			return len(v.Shape) - 2
		}
	}
	return 0
}

func setInts(m map[string]any, name string, v []int64) {
	if len(v) > 0 {
		m[name] = append([]int64{}, v...)
	}
}

func setAutoPad(m map[string]any, v string) {
	if v != "" && v != "NOTSET" {
		m["auto_pad"] = v
	}
}

func setBool(m map[string]any, name string, v bool) {
	if v {
		m[name] = int64(1)
	}
}

func repeat(v int64, n int) []int64 {
	s := make([]int64, n)
	for i := range s {
		s[i] = v
	}
	return s
}
