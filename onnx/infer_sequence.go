package onnx

// Sequences are not followed but for what PyTorch's exporters write for chunk and split: a
// SplitToSequence of which SequenceAt takes the pieces.

func sequenceRule(op string) shapeRule {
	if op == "SequenceAt" {
		return inferSequenceAt
	}
	return nil
}

// inferSequenceAt: a piece of a SplitToSequence at a constant position.
func inferSequenceAt(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	p, ok := pieceOf(n)
	if !ok {
		return nil
	}
	y := append(Shape{}, p.of.Shape...)
	y[p.axis] = p.end - p.start
	if p.squeezed {
		y = append(y[:p.axis], y[p.axis+1:]...)
	}
	setOut(n, 0, p.of.DType, y)
	return nil
}

// piece is what a SequenceAt takes of the tensor that a SplitToSequence splits.
type piece struct {
	of         *Value
	axis       int
	start, end int64 // along the axis
	squeezed   bool  // the axis, of size 1, is gone
}

// pieceOf returns the piece that n, a SequenceAt, takes, false if it is not known.
func pieceOf(n *Node) (piece, bool) {
	if n.In[0] == nil || n.In[0].Node == nil {
		return piece{}, false
	}
	split := n.In[0].Node
	at, known := numbersOf(n.Input(1))
	if split.Op != "SplitToSequence" || split.Domain != "" || !known || len(at) != 1 || inShape(split, 0) == nil {
		return piece{}, false
	}
	p := piece{of: split.In[0]}
	axis, err := axisOf(split.Int("axis", 0), len(p.of.Shape))
	if err != nil || p.of.Shape[axis] < 0 {
		return piece{}, false
	}
	p.axis = axis
	size := p.of.Shape[axis]
	each, sizes := int64(1), []int64(nil)
	if v := split.Input(1); v == nil {
		p.squeezed = split.Int("keepdims", 1) == 0
	} else {
		if sizes, known = numbersOf(v); !known || len(v.Shape) > 1 {
			return piece{}, false
		}
		if len(v.Shape) == 0 {
			each, sizes = sizes[0], nil
		}
	}
	if sizes == nil {
		if each < 1 {
			return piece{}, false
		}
		count := (size + each - 1) / each
		i := at[0]
		if i < 0 {
			i += count
		}
		p.start, p.end = i*each, min((i+1)*each, size)
		return p, i >= 0 && i < count
	}
	i := at[0]
	if i < 0 {
		i += int64(len(sizes))
	}
	if i < 0 || i >= int64(len(sizes)) {
		return piece{}, false
	}
	for _, s := range sizes[:i] {
		p.start += s
	}
	p.end = p.start + sizes[i]
	return p, p.start >= 0 && p.end >= p.start && p.end <= size
}
