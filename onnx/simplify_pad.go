package onnx

import "maps"

// foldPad puts a Pad with zeros into the Conv behind it.
//
// Exact bit for bit, where only spatial axes are padded, none negatively, and the
// padded tensor is used by that Conv alone. Saves a copy of the activations.
func foldPad(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		if n.Op != "Conv" || n.Domain != "" || n.Input(0) == nil {
			continue
		}
		pad := e.only(n.In[0], "Pad")
		auto := n.Str("auto_pad", "NOTSET")
		if pad == nil || auto != "NOTSET" && auto != "VALID" || !padsZeros(pad) {
			continue
		}
		x := inShape(pad, 0)
		list, known, err := padsOf(pad, len(x))
		if err != nil || !known || len(x) < 3 {
			continue
		}
		d := len(x) - 2
		pads := repeat(0, 2*d)
		if auto == "NOTSET" && len(n.Ints("pads")) == 2*d {
			copy(pads, n.Ints("pads"))
		}
		ok := list[0].zero() && list[1].zero() && list[len(x)].zero() && list[len(x)+1].zero()
		for i := range d {
			begin, end := list[2+i], list[len(x)+2+i]
			ok = ok && !begin.dim && !end.dim && begin.n >= 0 && end.n >= 0
			pads[i] += begin.n
			pads[d+i] += end.n
			ok = ok && max(pads[i], pads[d+i]) <= maxWindow
		}
		if !ok {
			continue
		}
		n.Attrs = maps.Clone(n.Attrs)
		if n.Attrs == nil {
			n.Attrs = map[string]any{}
		}
		delete(n.Attrs, "auto_pad")
		n.Attrs["pads"] = pads
		e.setInput(n, 0, pad.In[0])
		e.remove(pad)
		changed = true
	}
	return changed
}

// zero reports whether e is the number 0.
func (e num) zero() bool { return e == num{} }

// padsZeros reports whether a Pad fills with the constant 0.
func padsZeros(n *Node) bool {
	if n.Str("mode", "constant") != "constant" || n.Input(0) == nil {
		return false
	}
	v := n.Input(2)
	return v == nil || v.Data != nil && allAre(v.Data, 0)
}
