package onnx

import "fmt"

// inferReshape: 0 copies the input's dimension (unless allowzero), -1 takes what is
// left; symbols cancel, so [N,3,4] to [-1,12] is [N,12].
func inferReshape(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x := inShape(n, 0)
	setOut(n, 0, inType(n, 0), nil)
	target, ok := elemsOf(n.In[1])
	if !ok {
		if s := inShape(n, 1); len(s) == 1 && s[0] >= 0 && s[0] <= maxRank {
			setOut(n, 0, inType(n, 0), unknownShape(int(s[0])))
		}
		return nil
	}
	y, err := reshapeTo(x, target, n.Int("allowzero", 0) != 0)
	if err != nil {
		return fmt.Errorf("input %v to %v: %w", x, y, err)
	}
	setOut(n, 0, inType(n, 0), y)
	return nil
}

// maxRank bounds ranks that come from a file's numbers.
const maxRank = 64

// reshapeTo applies a Reshape's target to x, which may be of unknown rank. Copied
// dimensions cancel out of the count of elements, whatever they are.
func reshapeTo(x Shape, target []num, allowZero bool) (Shape, error) {
	y := make(Shape, len(target))
	var from, to Shape // the dimensions that are not copied
	var open, inferred []int
	for i, e := range target {
		y[i] = e.n
		switch {
		case !e.dim && e.n == 0 && !allowZero:
			if x != nil && i >= len(x) {
				return y, fmt.Errorf("entry %d copies no dimension", i)
			}
			y[i] = Unknown
			if x != nil {
				y[i] = x[i]
			}
			continue
		case !e.dim && e.n == -1:
			inferred = append(inferred, i)
		case !e.dim && e.n < 0:
			return y, fmt.Errorf("entry %d of the shape is below -1", i)
		}
		if y[i] == Unknown {
			open = append(open, i)
			continue
		}
		to = append(to, y[i])
	}
	for i, d := range x {
		if copied := i < len(target) && target[i] == (num{}) && !allowZero; !copied {
			from = append(from, d)
		}
	}
	if len(inferred) > 1 {
		return y, fmt.Errorf("%d entries of the shape are -1", len(inferred))
	}
	if x == nil || len(open) > 1 {
		return y, nil
	}
	p, q := productOf(from...), productOf(to...)
	if len(open) == 0 {
		if p.known && q.known && len(p.symbols)+len(q.symbols) == 0 && p.size != q.size {
			return y, fmt.Errorf("%d elements become %d", p.size, q.size)
		}
		return y, nil
	}
	d, err := p.over(q)
	y[open[0]] = d
	return y, err
}
