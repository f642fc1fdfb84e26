package onnx

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// irVersion is the version of the file format that goes with operator set 22
// (onnx/docs/Versioning.md).
const irVersion = 10

// writer turns a graph into the messages of a file.
type writer struct {
	g      *Graph
	ext    *external         // where larger constants go; nil: into the model
	names  map[string]bool   // of all nodes' outputs and inputs, in every body
	consts map[*Value]string // names of the constants, unique in the whole model
	init   []*onnxpb.TensorProto
}

func newWriter(g *Graph, ext *external) (*writer, error) {
	w := &writer{g: g, ext: ext, names: map[string]bool{}, consts: map[*Value]string{}}
	w.reserve(g)
	if err := w.initializers(g); err != nil {
		return nil, err
	}
	return w, w.defaults()
}

// defaults adds the initializers of inputs that have one.
func (w *writer) defaults() error {
	for _, v := range w.g.Inputs {
		data := w.g.Defaults[v.Name]
		if data == nil {
			continue
		}
		t, err := w.tensor(v.Name, data)
		if err != nil {
			return fmt.Errorf("encoding the default of input %q: %w", v.Name, err)
		}
		w.init = append(w.init, t)
	}
	return nil
}

// reserve takes the names of what is computed: a constant may be given another name,
// an input or an output may not.
func (w *writer) reserve(g *Graph) {
	for _, v := range slices.Concat(g.Inputs, g.Outputs) {
		w.names[v.Name] = true
	}
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if v != nil {
				w.names[v.Name] = true
			}
		}
		for _, body := range n.bodies() {
			w.reserve(body)
		}
	}
}

// bodies returns the graphs among a node's attributes, in the order of their names.
func (n *Node) bodies() []*Graph {
	var list []*Graph
	for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
		if b, ok := n.Attrs[name].(*Graph); ok {
			list = append(list, b)
		}
	}
	return list
}

// initializers collects the constants that nodes use, in the order of their use, all
// at the outermost graph, where every body sees them.
func (w *writer) initializers(g *Graph) error {
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v == nil || !v.IsConst() || w.consts[v] != "" {
				continue
			}
			name := v.Name
			for i := 1; name == "" || w.names[name]; i++ {
				name = fmt.Sprintf("%s_%d", v.Name, i)
			}
			w.names[name], w.consts[v] = true, name
			t, err := w.tensor(name, v.Data)
			if err != nil {
				return fmt.Errorf("encoding constant %q: %w", v.Name, err)
			}
			w.init = append(w.init, t)
		}
		for _, body := range n.bodies() {
			if err := w.initializers(body); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) model() (*onnxpb.ModelProto, error) {
	graph, err := w.graph(w.g)
	if err != nil {
		return nil, err
	}
	graph.Initializer = w.init
	m := &onnxpb.ModelProto{
		IrVersion: proto.Int64(irVersion), ProducerName: proto.String("trilobite"), Graph: graph,
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(fileOpset(w.g))}},
	}
	domains := maps.Clone(w.g.Domains)
	if domains == nil {
		domains = map[string]int64{}
	}
	useDomains(w.g, domains)
	for _, d := range slices.Sorted(maps.Keys(domains)) {
		m.OpsetImport = append(m.OpsetImport, &onnxpb.OperatorSetIdProto{Domain: proto.String(d), Version: proto.Int64(domains[d])})
	}
	for _, k := range slices.Sorted(maps.Keys(w.g.Meta)) {
		m.MetadataProps = append(m.MetadataProps, &onnxpb.StringStringEntryProto{Key: proto.String(k), Value: proto.String(w.g.Meta[k])})
	}
	return m, nil
}

// fileOpset is the version of the operator set that the file names: Opset, or 21 if g
// has an operator for which ONNX Runtime (1.32, CPU) has a kernel of version 21 and
// none of 22. Version 22 changed nothing but element types, it added bfloat16.
func fileOpset(g *Graph) int64 {
	for _, n := range g.Nodes {
		switch n.Op {
		case "RoiAlign", "MaxRoiPool", "GlobalLpPool", "Multinomial", "Bernoulli",
			"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike":
			return 21
		}
		for _, body := range n.bodies() {
			if v := fileOpset(body); v < Opset {
				return v
			}
		}
	}
	return Opset
}

// useDomains adds version 1 of the domains that nodes use and nobody gave a version.
func useDomains(g *Graph, domains map[string]int64) {
	for _, n := range g.Nodes {
		if n.Domain != "" && domains[n.Domain] == 0 {
			domains[n.Domain] = 1
		}
		for _, body := range n.bodies() {
			useDomains(body, domains)
		}
	}
}

// graph encodes a graph without its initializers.
func (w *writer) graph(g *Graph) (*onnxpb.GraphProto, error) {
	pb := &onnxpb.GraphProto{Name: proto.String(g.Name)}
	if g.Doc != "" {
		pb.DocString = proto.String(g.Doc)
	}
	if g.Name == "" {
		pb.Name = proto.String("graph") // required by the specification
	}
	outputs := map[*Value]bool{}
	for _, v := range g.Outputs {
		outputs[v] = true
		pb.Output = append(pb.Output, w.value(v))
		if v.IsConst() { // an initializer of an outer graph cannot be a body's output
			n, err := w.constNode(v)
			if err != nil {
				return nil, fmt.Errorf("output %q: %w", v.Name, err)
			}
			pb.Node = append(pb.Node, n)
		}
	}
	for _, v := range g.Inputs {
		pb.Input = append(pb.Input, w.value(v))
	}
	for _, n := range g.Nodes {
		node, err := w.node(n)
		if err != nil {
			return nil, err
		}
		pb.Node = append(pb.Node, node)
		for _, v := range n.Out {
			if v != nil && v.DType != tensor.Invalid && v.Shape != nil && !outputs[v] {
				pb.ValueInfo = append(pb.ValueInfo, w.value(v))
			}
		}
	}
	return pb, nil
}

func (w *writer) constNode(v *Value) (*onnxpb.NodeProto, error) {
	t, err := w.inline("", v.Data)
	if err != nil {
		return nil, err
	}
	return &onnxpb.NodeProto{
		OpType: proto.String("Constant"), Name: proto.String(v.Name), Output: []string{v.Name},
		Attribute: []*onnxpb.AttributeProto{{Name: proto.String("value"), Type: onnxpb.AttributeProto_TENSOR.Enum(), T: t}},
	}, nil
}

// value encodes a value's declaration.
func (w *writer) value(v *Value) *onnxpb.ValueInfoProto {
	pb := &onnxpb.ValueInfoProto{Name: proto.String(v.Name)}
	if v.DType == tensor.Invalid {
		return pb
	}
	t := &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(v.DType))}
	if v.Shape != nil {
		t.Shape = &onnxpb.TensorShapeProto{}
	}
	for _, d := range v.Shape {
		dim := &onnxpb.TensorShapeProto_Dimension{}
		if d >= 0 {
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: d}
		} else if name := w.g.Symbols.Name(d); name != "" {
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: name}
		}
		t.Shape.Dim = append(t.Shape.Dim, dim)
	}
	pb.Type = &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: t}}
	return pb
}

func (w *writer) node(n *Node) (*onnxpb.NodeProto, error) {
	pb := &onnxpb.NodeProto{OpType: proto.String(n.Op), Name: proto.String(n.Name)}
	if n.Domain != "" {
		pb.Domain = proto.String(n.Domain)
	}
	for _, v := range n.In {
		switch {
		case v == nil:
			pb.Input = append(pb.Input, "")
		case v.IsConst():
			pb.Input = append(pb.Input, w.consts[v])
		default:
			pb.Input = append(pb.Input, v.Name)
		}
	}
	for _, v := range n.Out {
		if v == nil {
			pb.Output = append(pb.Output, "")
		} else {
			pb.Output = append(pb.Output, v.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
		a, err := w.attr(name, n.Attrs[name])
		if err != nil {
			return nil, fmt.Errorf("%v: attribute %q: %w", n, name, err)
		}
		pb.Attribute = append(pb.Attribute, a)
	}
	return pb, nil
}

func (w *writer) attr(name string, value any) (*onnxpb.AttributeProto, error) {
	a := &onnxpb.AttributeProto{Name: proto.String(name)}
	kind := onnxpb.AttributeProto_UNDEFINED
	var err error
	switch v := value.(type) {
	case int64:
		a.I, kind = proto.Int64(v), onnxpb.AttributeProto_INT
	case float32:
		a.F, kind = proto.Float32(v), onnxpb.AttributeProto_FLOAT
	case string:
		a.S, kind = []byte(v), onnxpb.AttributeProto_STRING
	case []int64:
		a.Ints, kind = v, onnxpb.AttributeProto_INTS
	case []float32:
		a.Floats, kind = v, onnxpb.AttributeProto_FLOATS
	case []string:
		for _, s := range v {
			a.Strings = append(a.Strings, []byte(s))
		}
		kind = onnxpb.AttributeProto_STRINGS
	case *tensor.Tensor:
		a.T, err = w.inline("", v)
		kind = onnxpb.AttributeProto_TENSOR
	case *Graph:
		a.G, err = w.graph(v)
		kind = onnxpb.AttributeProto_GRAPH
	default:
		err = fmt.Errorf("a %T cannot be written", value)
	}
	a.Type = kind.Enum()
	return a, err
}
