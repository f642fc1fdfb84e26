package onnx

import (
	"errors"
	"fmt"
	"strings"

	"trilobite/onnx/internal/onnxpb"
)

// maxInlined bounds the nodes that calls of model-local functions may become: a few
// functions that call each other ten times over would be billions.
const maxInlined = 1 << 20

// functionKey names a model-local function.
type functionKey struct{ domain, name, overload string }

// frame is a call of a function: the attributes given, and what the names of all that
// the call computes begin with.
type frame struct {
	attrs  map[string]any
	prefix string
}

// declareFunctions collects the model's own functions.
func (p *parser) declareFunctions(list []*onnxpb.FunctionProto) error {
	for _, f := range list {
		key := functionKey{domainName(f.GetDomain()), f.GetName(), f.GetOverload()}
		if p.functions[key] != nil {
			return fmt.Errorf("function %s.%s is defined twice", clip(key.domain), clip(key.name))
		}
		for _, o := range f.GetOpsetImport() {
			if domainName(o.GetDomain()) == "" && o.GetVersion() != p.opset {
				return fmt.Errorf("function %s.%s is of operator set %d and the model of %d; inline the functions first (onnx.inliner)",
					clip(key.domain), clip(key.name), o.GetVersion(), p.opset)
			}
		}
		p.functions[key] = f
	}
	return nil
}

// call replaces a node that calls a function by the function's nodes. n has its inputs
// and attributes; outputs are the names it gives its results.
func (p *parser) call(f *onnxpb.FunctionProto, n *Node, outputs []string, g *Graph, s *scope, depth int) error {
	if depth > maxBodies {
		return fmt.Errorf("calls are nested more than %d deep", maxBodies)
	}
	if len(n.In) > len(f.GetInput()) || len(outputs) > len(f.GetOutput()) {
		return fmt.Errorf("%d inputs and %d outputs, the function has %d and %d", len(n.In), len(outputs), len(f.GetInput()), len(f.GetOutput()))
	}
	inner := &scope{values: map[string]*Value{}}
	for i, name := range f.GetInput() {
		inner.values[name] = n.Input(i) // nil: omitted
	}
	p.calls++
	caller := p.frame
	p.frame = &frame{attrs: n.Attrs, prefix: fmt.Sprintf("%s#%d/", n.Name, p.calls)}
	defer func() { p.frame = caller }()
	for _, a := range f.GetAttributeProto() {
		if _, given := n.Attrs[a.GetName()]; !given {
			v, err := p.attr(a, inner, depth)
			if err != nil {
				return fmt.Errorf("default of attribute %q: %w", clip(a.GetName()), err)
			}
			n.Attrs[a.GetName()] = v
		}
	}
	for _, pb := range f.GetNode() {
		if p.inlined++; p.inlined > maxInlined {
			return fmt.Errorf("the functions amount to more than %d nodes", maxInlined)
		}
		if err := p.node(pb, g, inner, nil, depth+1); err != nil {
			return fmt.Errorf("in function %s.%s: %w", clip(n.Domain), clip(n.Op), err)
		}
	}
	prefix := p.frame.prefix
	p.frame = caller
	results := make([]*Value, len(outputs))
	for i := range outputs {
		if results[i] = inner.values[f.GetOutput()[i]]; results[i] == nil {
			return fmt.Errorf("the function does not compute its output %q", clip(f.GetOutput()[i]))
		}
	}
	return p.results(results, prefix, outputs, g, s)
}

// results gives what a function computed the names that the caller uses.
func (p *parser) results(results []*Value, prefix string, outputs []string, g *Graph, s *scope) error {
	named := map[*Value]bool{}
	for i, v := range results {
		if outputs[i] == "" {
			continue
		}
		if v.IsConst() {
			v = constant("", v.Data)
		} else if v.Node == nil || named[v] || !strings.HasPrefix(v.Name, prefix) {
			// An input handed on, or one result under two names.
			id := &Node{Name: prefix + outputs[i], Op: "Identity", In: []*Value{v}, Attrs: map[string]any{}}
			v = &Value{Node: id, DType: v.DType, Shape: v.Shape}
			id.Out = []*Value{v}
			g.Nodes = append(g.Nodes, id)
		}
		named[v] = true
		if err := p.define(s, "output", outputs[i], v); err != nil {
			return err
		}
	}
	return nil
}

// refAttr returns the attribute of the function's caller that a refers to, false if
// the caller left it out.
func (p *parser) refAttr(a *onnxpb.AttributeProto) (any, bool, error) {
	if p.frame == nil {
		return nil, false, errors.New("refers to an attribute of a function, outside of one")
	}
	v, ok := p.frame.attrs[a.GetRefAttrName()]
	if _, body := v.(*Graph); body {
		return nil, false, errors.New("refers to a graph; inline the functions first (onnx.inliner)")
	}
	return v, ok, nil
}
