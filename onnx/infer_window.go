package onnx

import (
	"fmt"

	"trilobite/tensor"
)

func windowRule(op string) shapeRule {
	switch op {
	case "Conv", "ConvInteger":
		return inferConv
	case "ConvTranspose":
		return inferConvTranspose
	case "MaxPool", "AveragePool", "LpPool":
		return inferPool
	case "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool":
		return inferGlobalPool
	default:
		return nil
	}
}

// window is the sliding window of a Conv or pooling node over d spatial dimensions;
// every slice has d entries, pads 2·d (all begins, then all ends).
type window struct {
	kernel, strides, dilations, pads []int64
	auto                             string
	ceil                             bool
}

// maxWindow bounds kernel, stride, dilation and pad, so that no sum of products of
// them overflows; real models stay far below.
const maxWindow = 1 << 28

// windowOf reads the window attributes of a node; kernel is what W's shape says, nil
// for a pool.
func windowOf(n *Node, kernel []int64, d int) (window, error) {
	w := window{
		kernel: n.Ints("kernel_shape", kernel...), strides: n.Ints("strides"), dilations: n.Ints("dilations"),
		pads: n.Ints("pads"), auto: n.Str("auto_pad", "NOTSET"), ceil: n.Int("ceil_mode", 0) != 0,
	}
	for _, a := range []struct {
		name     string
		list     *[]int64
		want     int
		def, low int64
	}{
		{"kernel_shape", &w.kernel, d, 0, 1},
		{"strides", &w.strides, d, 1, 1},
		{"dilations", &w.dilations, d, 1, 1},
		{"pads", &w.pads, 2 * d, 0, -maxWindow},
	} {
		if len(*a.list) == 0 && a.name != "kernel_shape" {
			*a.list = repeat(a.def, a.want)
		}
		if len(*a.list) != a.want {
			return w, fmt.Errorf("%s %v is not of length %d", a.name, *a.list, a.want)
		}
		for i, v := range *a.list {
			unknown := a.name == "kernel_shape" && v < 0 && i < len(kernel) && kernel[i] < 0
			if !unknown && (v < a.low || v > maxWindow) {
				return w, fmt.Errorf("%s %v is out of range", a.name, *a.list)
			}
		}
	}
	return w, nil
}

// out returns the size of spatial dimension i after the window has slid over size
// in; Unknown if in is.
func (w window) out(i int, in int64) (int64, error) {
	if in < 0 || w.kernel[i] < 0 {
		if w.auto != "NOTSET" && w.auto != "VALID" && w.strides[i] == 1 {
			return in, nil
		}
		return Unknown, nil
	}
	d := len(w.kernel)
	reach := (w.kernel[i]-1)*w.dilations[i] + 1
	begin, end := w.pads[i], w.pads[i+d]
	switch w.auto {
	case "SAME_UPPER", "SAME_LOWER":
		return (in + w.strides[i] - 1) / w.strides[i], nil
	case "VALID":
		begin, end = 0, 0
	}
	room := in + begin + end - reach
	if room < 0 {
		return 0, fmt.Errorf("the window, %d wide with its dilation, does not fit in spatial dimension %d", reach, i)
	}
	if !w.ceil {
		return room/w.strides[i] + 1, nil
	}
	n := (room+w.strides[i]-1)/w.strides[i] + 1
	if (n-1)*w.strides[i] >= in+begin {
		n-- // a window that would start in the padding behind the input is left out
	}
	return n, nil
}

// slide returns [x[0], channels, spatial...] for x of [N, C, spatial...].
func (w window) slide(x Shape, channels int64) (Shape, error) {
	out := Shape{x[0], channels}
	for i, in := range x[2:] {
		o, err := w.out(i, in)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// convShapes checks X (N, C, spatial...) against W and returns the channels of a
// group on both sides; ok is false where a rank is unknown.
func convShapes(n *Node) (x, w Shape, ok bool, err error) {
	if err := need(n, 2); err != nil {
		return nil, nil, false, err
	}
	x, w = inShape(n, 0), inShape(n, 1)
	if x == nil || w == nil {
		return nil, nil, false, nil
	}
	if len(x) < 3 || len(x) != len(w) {
		return nil, nil, false, fmt.Errorf("input %v and weight %v are not of one rank of at least 3", x, w)
	}
	if g := n.Int("group", 1); g < 1 || g > maxWindow {
		return nil, nil, false, fmt.Errorf("group %d is out of range", g)
	}
	return x, w, true, nil
}

// inferConv: X (N, C, spatial...), W (M, C/group, kernel...), B (M) → Y (N, M, …).
func inferConv(n *Node, _ *Symbols) error {
	t, err := sameTypes(n, 0, 1, 2)
	if n.Op == "ConvInteger" {
		t, err = tensor.Int32, nil
	}
	if err != nil {
		return err
	}
	setOut(n, 0, t, nil)
	x, w, ok, err := convShapes(n)
	if !ok {
		return err
	}
	group := n.Int("group", 1)
	switch {
	case x[1] >= 0 && w[1] >= 0 && x[1] != mulDim(w[1], group):
		return fmt.Errorf("input %v has not the channels of weight %v in %d groups", x, w, group)
	case w[0] >= 0 && w[0]%group != 0:
		return fmt.Errorf("weight %v does not divide into %d groups", w, group)
	}
	if n.Op == "Conv" {
		if err := checkBias(n, w[0], w); err != nil {
			return err
		}
	}
	win, err := windowOf(n, w[2:], len(x)-2)
	if err != nil {
		return fmt.Errorf("input %v, weight %v: %w", x, w, err)
	}
	y, err := win.slide(x, w[0])
	if err != nil {
		return fmt.Errorf("input %v, weight %v: %w", x, w, err)
	}
	setOut(n, 0, t, y)
	return nil
}

func checkBias(n *Node, channels int64, w Shape) error {
	b := inShape(n, 2)
	if b != nil && (len(b) != 1 || b[0] >= 0 && channels >= 0 && b[0] != channels) {
		return fmt.Errorf("bias %v does not fit weight %v", b, w)
	}
	return nil
}

// inferConvTranspose: X (N, C, spatial...), W (C, M/group, kernel...) → Y (N, M, …),
// each spatial size (in−1)·stride + outputPadding + (k−1)·dilation + 1 − pads, or
// as output_shape says.
func inferConvTranspose(n *Node, _ *Symbols) error {
	t, err := sameTypes(n, 0, 1, 2)
	if err != nil {
		return err
	}
	setOut(n, 0, t, nil)
	x, w, ok, err := convShapes(n)
	if !ok {
		return err
	}
	d := len(x) - 2
	m := mulDim(w[1], n.Int("group", 1))
	if x[1] >= 0 && w[0] >= 0 && x[1] != w[0] {
		return fmt.Errorf("input %v has not the channels of weight %v", x, w)
	}
	if err := checkBias(n, m, w); err != nil {
		return err
	}
	win, err := windowOf(n, w[2:], d)
	if err != nil {
		return fmt.Errorf("input %v, weight %v: %w", x, w, err)
	}
	more, want := n.Ints("output_padding"), n.Ints("output_shape")
	if len(more) == 0 {
		more = repeat(0, d)
	}
	if len(more) != d || len(want) != 0 && len(want) != d && len(want) != d+2 {
		return fmt.Errorf("input %v: output_padding %v or output_shape %v is not of length %d", x, more, want, d)
	}
	if len(want) == d+2 {
		want = want[2:]
	}
	y := Shape{x[0], m}
	for i, in := range x[2:] {
		o := win.outTransposed(i, in, more[i])
		if len(want) > 0 {
			o = want[i]
		} else if o == -1 && in >= 0 && win.kernel[i] >= 0 {
			return fmt.Errorf("input %v, weight %v: the pads take all of spatial dimension %d", x, w, i)
		}
		y = append(y, max(o, Unknown))
	}
	setOut(n, 0, t, y)
	return nil
}

// outTransposed returns the size that a transposed window makes of size in; Unknown
// if in or the kernel is, or if nothing would be left.
func (w window) outTransposed(i int, in, more int64) int64 {
	if in < 0 || w.kernel[i] < 0 || in > maxWindow || more < 0 || more > maxWindow {
		return Unknown
	}
	if w.auto == "SAME_UPPER" || w.auto == "SAME_LOWER" {
		return in * w.strides[i]
	}
	o := (in-1)*w.strides[i] + more + (w.kernel[i]-1)*w.dilations[i] + 1
	if w.auto == "NOTSET" {
		o -= w.pads[i] + w.pads[i+len(w.kernel)]
	}
	return max(o, Unknown)
}

// inferPool: X (N, C, spatial...) → Y of the same N and C; MaxPool's second output
// holds flat int64 indices.
func inferPool(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	setOut(n, 1, tensor.Int64, nil)
	if x == nil {
		return nil
	}
	if len(x) < 3 {
		return fmt.Errorf("input %v has no spatial dimensions", x)
	}
	win, err := windowOf(n, nil, len(x)-2)
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	y, err := win.slide(x, x[1])
	if err != nil {
		return fmt.Errorf("input %v, kernel %v: %w", x, win.kernel, err)
	}
	setOut(n, 0, inType(n, 0), y)
	setOut(n, 1, tensor.Int64, y)
	return nil
}

func inferGlobalPool(n *Node, _ *Symbols) error {
	x := inShape(n, 0)
	if x == nil {
		setOut(n, 0, inType(n, 0), nil)
		return need(n, 1)
	}
	if len(x) < 3 {
		return fmt.Errorf("input %v has no spatial dimensions", x)
	}
	y := append(Shape{x[0], x[1]}, repeat(1, len(x)-2)...)
	setOut(n, 0, inType(n, 0), y)
	return nil
}
