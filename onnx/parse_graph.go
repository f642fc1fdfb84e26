package onnx

import (
	"fmt"
	"regexp"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// parser turns the messages of one model into graphs.
type parser struct {
	opset     int64
	symbols   Symbols
	dims      map[string]int64 // the dimension of each symbol
	names     map[string]bool  // of all nodes and values
	functions map[functionKey]*onnxpb.FunctionProto
	frame     *frame // the call whose nodes are being read, nil outside of functions
	calls     int    // of functions so far
	inlined   int    // nodes of functions so far
	files     dataFiles
}

func newParser(dir string, opset int64) *parser {
	return &parser{
		opset: opset, dims: map[string]int64{}, names: map[string]bool{},
		functions: map[functionKey]*onnxpb.FunctionProto{}, files: dataFiles{dir: dir},
	}
}

// scope holds the values that nodes can name: a graph's own, then those around it. A
// nil value is an input of a function that the caller omits.
type scope struct {
	values map[string]*Value
	outer  *scope
}

func (s *scope) find(name string) (*Value, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// graph reads a graph; outer is the scope around a body, nil for the model itself.
func (p *parser) graph(pb *onnxpb.GraphProto, outer *scope, depth int) (*Graph, error) {
	if depth > maxBodies {
		return nil, fmt.Errorf("bodies are nested more than %d deep", maxBodies)
	}
	if len(pb.GetSparseInitializer()) > 0 {
		return nil, fmt.Errorf("initializer %q is sparse; only dense ones are supported", pb.GetSparseInitializer()[0].GetValues().GetName())
	}
	g := &Graph{Name: pb.GetName(), Doc: pb.GetDocString(), Registered: registered(pb)}
	s := &scope{values: map[string]*Value{}, outer: outer}
	if err := p.initializers(pb, s); err != nil {
		return nil, err
	}
	if err := p.inputs(pb, g, s); err != nil {
		return nil, err
	}
	infos, err := p.valueInfos(pb)
	if err != nil {
		return nil, err
	}
	for _, n := range pb.GetNode() {
		if err := p.node(n, g, s, infos, depth); err != nil {
			return nil, err
		}
	}
	for _, o := range pb.GetOutput() {
		v, _ := s.find(o.GetName())
		if v == nil {
			return nil, fmt.Errorf("output %q is not computed by any node", o.GetName())
		}
		g.Outputs = append(g.Outputs, v)
	}
	return g, nil
}

func (p *parser) initializers(pb *onnxpb.GraphProto, s *scope) error {
	notes := map[string][]string{}
	for _, i := range pb.GetValueInfo() {
		notes[i.GetName()] = foldedFrom(i)
	}
	for _, t := range pb.GetInitializer() {
		name := t.GetName()
		data, err := p.tensor(t)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", clip(name), err)
		}
		v := constant("", data)
		v.Initializer = true
		v.FoldedFrom = notes[name]
		if err := p.define(s, "initializer", name, v); err != nil {
			return err
		}
	}
	return nil
}

// foldedFrom reads the names that onnxscript's optimiser notes, a Python list of strings.
func foldedFrom(i *onnxpb.ValueInfoProto) []string {
	for _, e := range i.GetMetadataProps() {
		if e.GetKey() == "pkg.onnxscript.optimizer.folded_from" {
			return quoted.FindAllString(e.GetValue(), maxFoldedFrom)
		}
	}
	return nil
}

// registered reads the signature of the program that PyTorch's newer exporter was given,
// a line for each parameter and buffer: "p_fc_weight: PARAMETER target='fc.weight'".
func registered(pb *onnxpb.GraphProto) map[string]bool {
	var names map[string]bool
	for _, e := range pb.GetMetadataProps() {
		if e.GetKey() != "pkg.torch.export.ExportedProgram.graph_signature" {
			continue
		}
		names = map[string]bool{}
		for _, found := range target.FindAllStringSubmatch(e.GetValue(), -1) {
			names[found[1]] = true
		}
	}
	return names
}

var target = regexp.MustCompile(`: (?:PARAMETER|BUFFER) target='([^']*)'`)

var quoted = regexp.MustCompile(`[^\s'",\[\]]+`)

// maxFoldedFrom bounds the names kept of an initializer.
const maxFoldedFrom = 1000

func (p *parser) inputs(pb *onnxpb.GraphProto, g *Graph, s *scope) error {
	seen := map[string]bool{}
	for _, i := range pb.GetInput() {
		name := i.GetName()
		if seen[name] {
			return fmt.Errorf("input %q is declared twice", name)
		}
		seen[name] = true
		if s.values[name] != nil {
			continue // an initializer: its data, not the caller's
		}
		v, err := p.value(i)
		if err != nil {
			return fmt.Errorf("input %q: %w", clip(name), err)
		}
		if s.outer == nil && v.DType == tensor.Invalid {
			return fmt.Errorf("input %q has no element type", clip(name))
		}
		if err := p.define(s, "input", name, v); err != nil {
			return err
		}
		g.Inputs = append(g.Inputs, v)
	}
	return nil
}

// valueInfos returns what the file says of values that nodes compute.
func (p *parser) valueInfos(pb *onnxpb.GraphProto) (map[string]*Value, error) {
	infos := make(map[string]*Value, len(pb.GetValueInfo())+len(pb.GetOutput()))
	for _, i := range pb.GetValueInfo() {
		if v, err := p.value(i); err == nil { // a hint; sequences have none to give
			infos[v.Name] = v
		}
	}
	for _, o := range pb.GetOutput() {
		v, err := p.value(o)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", clip(o.GetName()), err)
		}
		infos[v.Name] = v
	}
	return infos, nil
}

// value reads a declaration of a value: its type and shape, as far as they are given.
func (p *parser) value(pb *onnxpb.ValueInfoProto) (*Value, error) {
	v := &Value{Name: pb.GetName()}
	if pb.GetType().GetValue() == nil {
		return v, nil
	}
	t, ok := pb.GetType().GetValue().(*onnxpb.TypeProto_TensorType)
	if !ok {
		return nil, fmt.Errorf("only tensors are supported, not %T", pb.GetType().GetValue())
	}
	elem := t.TensorType.GetElemType()
	v.DType = tensor.DType(elem)
	if elem != 0 && !known(v.DType) {
		return nil, fmt.Errorf("element type %s is not supported", onnxpb.TensorProto_DataType(elem))
	}
	if t.TensorType.GetShape() == nil {
		return v, nil
	}
	v.Shape = Shape{}
	for _, d := range t.TensorType.GetShape().GetDim() {
		v.Shape = append(v.Shape, p.dim(d))
	}
	return v, nil
}

func (p *parser) dim(d *onnxpb.TensorShapeProto_Dimension) int64 {
	switch v := d.GetValue().(type) {
	case *onnxpb.TensorShapeProto_Dimension_DimValue:
		return max(v.DimValue, Unknown) // exporters write -1 for a free size
	case *onnxpb.TensorShapeProto_Dimension_DimParam:
		if v.DimParam == "" {
			return Unknown
		}
		dim, ok := p.dims[v.DimParam]
		if !ok {
			p.symbols = append(p.symbols, v.DimParam)
			dim = -1 - int64(len(p.symbols))
			p.dims[v.DimParam] = dim
		}
		return dim
	default:
		return Unknown
	}
}

// define enters a value into a scope and names it; within a function the value's own
// name is longer, for the function may be called again.
func (p *parser) define(s *scope, what, name string, v *Value) error {
	_, taken := s.values[name]
	switch {
	case name == "":
		return fmt.Errorf("%s without a name", what)
	case len(name) > maxName:
		return fmt.Errorf("%s %q has a name of %d bytes, at most %d are read", what, clip(name), len(name), maxName)
	case taken:
		return fmt.Errorf("%s %q: the name is taken", what, name)
	}
	s.values[name] = v
	v.Name = p.prefix() + name
	p.names[v.Name] = true
	return nil
}

// prefix is what the names of nodes and values read now begin with.
func (p *parser) prefix() string {
	if p.frame == nil {
		return ""
	}
	return p.frame.prefix
}

// clip shortens a name for an error.
func clip(name string) string {
	if len(name) > 100 {
		return name[:100] + "…"
	}
	return name
}

// known reports whether package tensor holds elements of type d.
func known(d tensor.DType) bool { return d == tensor.String || d.Size() > 0 }
