package onnx

import (
	"fmt"
	"slices"
)

// inferSlice: inputs data, starts, ends, and optionally axes and steps.
func inferSlice(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	x, t := inShape(n, 0), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil {
		return nil
	}
	cuts, known, err := cutsOf(n, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	if !known {
		setOut(n, 0, t, unknownShape(len(x)))
		return nil
	}
	y := slices.Clone(x)
	for _, c := range cuts {
		y[c.axis] = c.length(x[c.axis])
	}
	setOut(n, 0, t, y)
	return nil
}

// cut is what Slice does to one axis, NumPy's start:end:step.
type cut struct {
	axis       int
	start, end num
	step       int64
}

// cutsOf reads the inputs of a Slice. known is false where it is not even known
// which axes are cut.
func cutsOf(n *Node, rank int) (cuts []cut, known bool, err error) {
	starts, ok1 := elemsOf(n.Input(1))
	ends, ok2 := elemsOf(n.Input(2))
	k := len(starts)
	if !ok1 {
		if k = len(ends); !ok2 {
			s := inShape(n, 1)
			if len(s) != 1 || s[0] < 0 || s[0] > int64(rank) {
				return nil, false, nil
			}
			k = int(s[0])
		}
		starts = slices.Repeat([]num{numOf(Unknown)}, k)
	}
	if !ok2 {
		ends = slices.Repeat([]num{numOf(Unknown)}, k)
	}
	axes, steps := make([]int64, k), repeat(1, k)
	for i := range axes {
		axes[i] = int64(i)
	}
	if v := n.Input(3); v != nil {
		if axes, known = numbersOf(v); !known {
			return nil, false, nil
		}
	}
	if v := n.Input(4); v != nil {
		if steps, known = numbersOf(v); !known {
			starts = slices.Repeat([]num{numOf(Unknown)}, k)
			steps = repeat(1, k)
		}
	}
	if len(ends) != k || len(axes) != k || len(steps) != k {
		return nil, false, fmt.Errorf("%d starts, %d ends, %d axes and %d steps", k, len(ends), len(axes), len(steps))
	}
	for i := range k {
		axis, err := axisOf(axes[i], rank)
		if err != nil {
			return nil, false, err
		}
		if steps[i] == 0 {
			return nil, false, fmt.Errorf("step 0 on axis %d", axis)
		}
		cuts = append(cuts, cut{axis, starts[i], ends[i], steps[i]})
	}
	return cuts, true, nil
}

// length returns what is left of size in.
func (c cut) length(in int64) int64 {
	whole := c.start == (num{}) && c.step == 1
	switch {
	case whole && !c.end.dim && c.end.n >= 1<<31-1: // the exporters' "to the end"
		return in
	case whole && c.end.dim && c.end.n == in && in != Unknown:
		return in
	case whole && in < 0 && c.end.dim:
		return Unknown
	case in < 0 || c.start.dim || c.end.dim:
		return Unknown
	}
	_, k := c.bounds(in)
	return k
}

// bounds returns the first index and the number of indices of the cut of size in,
// start and end being numbers.
func (c cut) bounds(in int64) (start, count int64) {
	start, end := c.start.n, c.end.n
	if start < 0 {
		start += in
	}
	if end < 0 {
		end += in
	}
	if c.step > 0 {
		start, end = min(max(start, 0), in), min(max(end, 0), in)
		if end <= start {
			return start, 0
		}
		return start, (end-start-1)/c.step + 1
	}
	start, end = min(max(start, 0), in-1), min(max(end, -1), in-1)
	if start <= end || in == 0 {
		return 0, 0
	}
	return start, (start-end-1)/magnitude(c.step) + 1
}

// magnitude is |step| for a negative step, without overflow.
func magnitude(step int64) int64 {
	return -max(step, -1<<62)
}
