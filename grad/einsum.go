package grad

import (
	"slices"
	"strings"

	"trilobite/onnx"
)

// einsumRule is the gradient of Einsum: the derivative by an operand is the Einsum of dY
// and the other operands, with that operand's subscripts for the output,
//
//	Y = Einsum("ij,jk->ik", A, B)    dA = Einsum("ik,jk->ij", dY, B)
//
// A subscript that only the operand has, which was summed over, is given to a vector of
// ones; one that the operand has twice, of which the diagonal was taken, is renamed at
// its second place and given to a unit matrix. The axes that an ellipsis stands for get
// letters of their own. Sizes of subscripts of these three kinds must be known.
// Checked: testdata/einsum.npz.
func einsumRule(c *call) error {
	e, ok := c.equation()
	if !ok {
		return c.none("equation %q of shapes whose ranks are unknown", c.n.Str("equation", ""))
	}
	for i := range c.n.In {
		if !c.wants(i) {
			continue
		}
		dX, err := c.einsumGrad(e, i)
		if err != nil {
			return err
		}
		if err := c.giveSum(i, dX); err != nil {
			return err
		}
	}
	return nil
}

// equation is an Einsum's, a string of letters per operand and for the output, without
// ellipses.
type equation struct {
	in   []string
	out  string
	free string // letters that stand for nothing yet
}

// equation reads the node's equation; without an arrow the output has the ellipsis and
// then, in alphabetical order, the letters that stand once.
func (c *call) equation() (equation, bool) {
	text := strings.ReplaceAll(c.n.Str("equation", ""), " ", "")
	left, out, arrow := strings.Cut(text, "->")
	e := equation{in: strings.Split(left, ","), out: out}
	for letter := 'A'; letter <= 'z'; letter++ {
		if !strings.ContainsRune(text, letter) && (letter <= 'Z' || letter >= 'a') {
			e.free += string(letter)
		}
	}
	if len(e.in) != len(c.n.In) {
		return e, false
	}
	dots := 0
	for i, term := range e.in {
		if c.n.In[i].Shape == nil {
			return e, false
		}
		if strings.Contains(term, "...") {
			dots = max(dots, len(c.n.In[i].Shape)-len(term)+3)
		}
	}
	if dots > len(e.free) || len(e.free) < dots+16 {
		return e, false
	}
	ellipsis := e.free[:dots]
	e.free = e.free[dots:]
	for i, term := range e.in {
		if strings.Contains(term, "...") {
			own := len(c.n.In[i].Shape) - len(term) + 3
			if own < 0 {
				return e, false
			}
			e.in[i] = strings.Replace(term, "...", ellipsis[dots-own:], 1)
		}
		if len(e.in[i]) != len(c.n.In[i].Shape) {
			return e, false
		}
	}
	if arrow {
		e.out = strings.Replace(out, "...", ellipsis, 1)
		return e, true
	}
	e.out = ellipsis
	for letter := 'A'; letter <= 'z'; letter++ {
		if strings.Count(left, string(letter)) == 1 {
			e.out += string(letter)
		}
	}
	return e, true
}

// einsumGrad is the derivative by operand i, of the size that its axes are stretched to.
func (c *call) einsumGrad(e equation, i int) (*onnx.Value, error) {
	terms, operands := []string{e.out}, []*onnx.Value{c.dY[0]}
	for k, term := range e.in {
		if k != i {
			terms, operands = append(terms, term), append(operands, c.n.In[k])
		}
	}
	x := c.n.In[i]
	target := []byte(e.in[i])
	for axis, letter := range target {
		size := x.Shape[axis]
		if before := slices.Index(target[:axis], letter); before >= 0 {
			if len(e.free) == 0 || size < 1 || !fits([]int64{size, size}) {
				return nil, c.none("the diagonal of %v", x.Shape)
			}
			target[axis], e.free = e.free[0], e.free[1:]
			unit := make([]float64, size*size)
			for k := range size {
				unit[k*size+k] = 1
			}
			m, err := constantOf(x.DType, []int64{size, size}, unit)
			if err != nil {
				return nil, c.none("the diagonal in %s", x.DType)
			}
			terms, operands = append(terms, string([]byte{letter, target[axis]})), append(operands, c.Const("", m))
		}
		if !strings.ContainsRune(strings.Join(terms, ""), rune(letter)) {
			if size < 1 {
				return nil, c.none("the sum over axis %d of %v: bind it", axis, x.Shape)
			}
			terms, operands = append(terms, string(letter)), append(operands, c.Expand(c.like(x, 1), size))
		}
	}
	return c.Einsum(strings.Join(terms, ",")+"->"+string(target), operands...), nil
}
