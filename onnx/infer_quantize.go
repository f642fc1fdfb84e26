package onnx

import "trilobite/tensor"

func quantizeRule(op string) shapeRule {
	switch op {
	case "QuantizeLinear":
		return inferQuantize
	case "DequantizeLinear":
		return inferDequantize
	case "DynamicQuantizeLinear":
		return inferDynamicQuantize
	case "QLinearConv":
		return inferQLinearConv
	case "QLinearMatMul":
		return inferQLinearMatMul
	default:
		return nil
	}
}

// inferQuantize: the type is the zero point's, or output_dtype, or uint8.
func inferQuantize(n *Node, _ *Symbols) error {
	t := tensor.DType(n.Int("output_dtype", 0))
	if t == tensor.Invalid {
		t = tensor.Uint8
	}
	if n.Input(2) != nil {
		t = inType(n, 2)
	}
	setOut(n, 0, t, inShape(n, 0))
	return need(n, 2)
}

// inferDequantize: the type is the scale's.
func inferDequantize(n *Node, _ *Symbols) error {
	setOut(n, 0, inType(n, 1), inShape(n, 0))
	return need(n, 2)
}

// inferDynamicQuantize: Y, its scale and its zero point.
func inferDynamicQuantize(n *Node, _ *Symbols) error {
	setOut(n, 0, tensor.Uint8, inShape(n, 0))
	setOut(n, 1, tensor.Float32, Shape{})
	setOut(n, 2, tensor.Uint8, Shape{})
	return need(n, 1)
}

// inferQLinearConv: x, its scale and zero point, w, its two, y's two, bias.
func inferQLinearConv(n *Node, syms *Symbols) error {
	if err := need(n, 8); err != nil {
		return err
	}
	conv := &Node{Op: "ConvInteger", In: []*Value{n.In[0], n.In[3]}, Out: n.Out, Attrs: n.Attrs}
	if err := inferConv(conv, syms); err != nil {
		return err
	}
	n.retype(inType(n, 7))
	return nil
}

// inferQLinearMatMul: a, its scale and zero point, b, its two, y's two.
func inferQLinearMatMul(n *Node, syms *Symbols) error {
	if err := need(n, 8); err != nil {
		return err
	}
	mul := &Node{Op: "MatMulInteger", In: []*Value{n.In[0], n.In[3]}, Out: n.Out, Attrs: n.Attrs}
	if err := inferMatMul(mul, syms); err != nil {
		return err
	}
	n.retype(inType(n, 7))
	return nil
}

// retype changes the type of the first output.
func (n *Node) retype(t tensor.DType) {
	if len(n.Out) > 0 && n.Out[0] != nil {
		n.Out[0].DType = t
	}
}
