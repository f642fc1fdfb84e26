package onnx

import (
	"errors"
	"fmt"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// node reads a node, defines what it computes and appends it to g. A Constant node
// becomes a value.
func (p *parser) node(pb *onnxpb.NodeProto, g *Graph, s *scope, infos map[string]*Value, depth int) error {
	n, err := p.bareNode(pb)
	if err != nil {
		return err
	}
	for i, name := range pb.GetInput() {
		v, ok := s.find(name)
		if !ok && name != "" {
			return fmt.Errorf("%v: input %d, %q, is not computed before it is used: the nodes are out of order or form a cycle", n, i, clip(name))
		}
		n.In = append(n.In, v)
	}
	for len(n.In) > 0 && n.In[len(n.In)-1] == nil {
		n.In = n.In[:len(n.In)-1]
	}
	if err := p.attrs(pb.GetAttribute(), n, s, depth); err != nil {
		return fmt.Errorf("%v: %w", n, err)
	}
	if f := p.functions[functionKey{n.Domain, n.Op, pb.GetOverload()}]; f != nil {
		if err := p.call(f, n, pb.GetOutput(), g, s, depth); err != nil {
			return fmt.Errorf("%v: %w", n, err)
		}
		return nil
	}
	for _, name := range pb.GetOutput() {
		if name == "" {
			n.Out = append(n.Out, nil)
			continue
		}
		v := &Value{Node: n}
		if info := infos[name]; info != nil {
			v.DType, v.Shape = info.DType, info.Shape
		}
		n.Out = append(n.Out, v)
		if err := p.define(s, fmt.Sprintf("%v: output", n), name, v); err != nil {
			return err
		}
	}
	if n.Op == "Constant" && n.Domain == "" {
		return becomeConst(n)
	}
	g.Nodes = append(g.Nodes, n)
	return nil
}

// bareNode reads what names a node.
func (p *parser) bareNode(pb *onnxpb.NodeProto) (*Node, error) {
	n := &Node{Name: pb.GetName(), Op: pb.GetOpType(), Domain: domainName(pb.GetDomain()), Attrs: map[string]any{}}
	for _, name := range pb.GetOutput() {
		if n.Name == "" {
			n.Name = name
		}
	}
	for _, name := range []string{n.Name, n.Op, n.Domain} {
		if len(name) > maxName {
			return nil, fmt.Errorf("node %q: a name of %d bytes, at most %d are read", clip(name), len(name), maxName)
		}
	}
	n.Name = p.prefix() + n.Name
	if n.Op == "" {
		return nil, fmt.Errorf("node %q has no operator", n.Name)
	}
	p.names[n.Name] = true
	return n, nil
}

// becomeConst turns the output of a Constant node into a constant value.
func becomeConst(n *Node) error {
	if len(n.Out) != 1 || n.Out[0] == nil || len(n.Attrs) != 1 {
		return fmt.Errorf("%v: %d outputs and %d attributes, want 1 of each", n, len(n.Out), len(n.Attrs))
	}
	var t *tensor.Tensor
	for name, a := range n.Attrs {
		switch v := a.(type) {
		case *tensor.Tensor:
			t = v
		case float32:
			t = tensor.Scalar(v)
		case []float32:
			t = tensor.Vector(v...)
		case int64:
			t = tensor.Scalar(v)
		case []int64:
			t = tensor.Vector(v...)
		case string:
			t = tensor.Scalar(v)
		case []string:
			t = tensor.Vector(v...)
		default:
			return fmt.Errorf("%v: attribute %q is a %T", n, name, a)
		}
	}
	v := n.Out[0]
	*v = *constant(v.Name, t)
	return nil
}

// attrs reads a node's attributes into n.
func (p *parser) attrs(list []*onnxpb.AttributeProto, n *Node, s *scope, depth int) error {
	for _, a := range list {
		name := a.GetName()
		var v any
		var err error
		given := true
		if a.GetRefAttrName() != "" {
			v, given, err = p.refAttr(a)
		} else {
			v, err = p.attr(a, s, depth)
		}
		if err != nil {
			return fmt.Errorf("attribute %q: %w", clip(name), err)
		}
		if _, twice := n.Attrs[name]; twice {
			return fmt.Errorf("attribute %q is given twice", clip(name))
		}
		if given {
			n.Attrs[name] = v
		}
	}
	return nil
}

// attr reads the value of an attribute.
func (p *parser) attr(a *onnxpb.AttributeProto, s *scope, depth int) (any, error) {
	switch kind := attrKind(a); kind {
	case onnxpb.AttributeProto_INT:
		return a.GetI(), nil
	case onnxpb.AttributeProto_FLOAT:
		return a.GetF(), nil
	case onnxpb.AttributeProto_STRING:
		return string(a.GetS()), nil
	case onnxpb.AttributeProto_INTS:
		return append([]int64{}, a.GetInts()...), nil
	case onnxpb.AttributeProto_FLOATS:
		return append([]float32{}, a.GetFloats()...), nil
	case onnxpb.AttributeProto_STRINGS:
		v := make([]string, len(a.GetStrings()))
		for i, b := range a.GetStrings() {
			v[i] = string(b)
		}
		return v, nil
	case onnxpb.AttributeProto_TENSOR:
		if a.GetT() == nil {
			return nil, errors.New("a tensor without its value")
		}
		return p.tensor(a.GetT())
	case onnxpb.AttributeProto_GRAPH:
		if a.GetG() == nil {
			return nil, errors.New("a graph without its value")
		}
		return p.graph(a.GetG(), s, depth+1)
	default:
		return nil, fmt.Errorf("type %s is not supported", kind)
	}
}

// attrKind returns the attribute's type; the oldest files give only the value.
func attrKind(a *onnxpb.AttributeProto) onnxpb.AttributeProto_AttributeType {
	switch {
	case a.GetType() != onnxpb.AttributeProto_UNDEFINED:
		return a.GetType()
	case a.I != nil:
		return onnxpb.AttributeProto_INT
	case a.F != nil:
		return onnxpb.AttributeProto_FLOAT
	case a.S != nil:
		return onnxpb.AttributeProto_STRING
	case a.GetT() != nil:
		return onnxpb.AttributeProto_TENSOR
	case a.GetG() != nil:
		return onnxpb.AttributeProto_GRAPH
	case len(a.GetInts()) > 0:
		return onnxpb.AttributeProto_INTS
	case len(a.GetFloats()) > 0:
		return onnxpb.AttributeProto_FLOATS
	case len(a.GetStrings()) > 0:
		return onnxpb.AttributeProto_STRINGS
	default:
		return onnxpb.AttributeProto_UNDEFINED
	}
}
