package onnx

// PoolAttrs are the attributes of MaxPool and AveragePool; lists as in ConvAttrs.
type PoolAttrs struct {
	Kernel, Strides, Dilations, Pads []int64
	AutoPad                          string
	CeilMode                         bool // round the output's size up
	CountIncludePad                  bool // AveragePool: padding counts in the mean
}

// MaxPool is the largest element of each window of X (N, C, D1…).
func (b *Builder) MaxPool(x *Value, a PoolAttrs) *Value {
	return b.op("MaxPool", a.attrs(), x)
}

// MaxPoolIndices is MaxPool and, as int64, where in X, flattened whole, each maximum
// was found.
func (b *Builder) MaxPoolIndices(x *Value, a PoolAttrs) (y, indices *Value) {
	out := b.Op("MaxPool", []*Value{x}, a.attrs(), 2)
	return out[0], out[1]
}

// AveragePool is the mean of each window of X (N, C, D1…).
func (b *Builder) AveragePool(x *Value, a PoolAttrs) *Value {
	return b.op("AveragePool", a.attrs(), x)
}

// GlobalAveragePool is the mean over all spatial axes, kept with size 1.
func (b *Builder) GlobalAveragePool(x *Value) *Value { return b.op("GlobalAveragePool", nil, x) }

// GlobalMaxPool is the largest over all spatial axes, kept with size 1.
func (b *Builder) GlobalMaxPool(x *Value) *Value { return b.op("GlobalMaxPool", nil, x) }

func (a PoolAttrs) attrs() map[string]any {
	m := map[string]any{}
	setInts(m, "kernel_shape", a.Kernel)
	setInts(m, "strides", a.Strides)
	setInts(m, "dilations", a.Dilations)
	setInts(m, "pads", a.Pads)
	setAutoPad(m, a.AutoPad)
	setBool(m, "ceil_mode", a.CeilMode)
	setBool(m, "count_include_pad", a.CountIncludePad)
	return m
}

// Pool returns the attributes of a pooling node with the defaults filled in.
func (n *Node) Pool() PoolAttrs {
	kernel := n.Ints("kernel_shape")
	k := len(kernel)
	return PoolAttrs{
		Kernel:          kernel,
		Strides:         n.list("strides", 1, k),
		Dilations:       n.list("dilations", 1, k),
		Pads:            n.list("pads", 0, 2*k),
		AutoPad:         n.Str("auto_pad", "NOTSET"),
		CeilMode:        n.Int("ceil_mode", 0) != 0,
		CountIncludePad: n.Int("count_include_pad", 0) != 0,
	}
}
