package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"trilobite/onnx/internal/onnxpb"
)

// The operator sets that Parse reads.
const (
	minOpset = 11
	maxOpset = 22
)

// Parse reads a model from the bytes of an ONNX file and upgrades it to Opset. Its
// external data is read from files in or below dir; with an empty dir a model that has
// any is refused.
//
// Constants, be they initializers or Constant nodes, become values with Data; an
// initializer that is also an input is a constant and no longer an input. Nodes without
// a name are called after their first output. The bodies of If, Loop and Scan are
// graphs among the attributes, whose nodes use values of the graphs around them. Calls
// of the model's own functions are replaced by the functions' nodes.
// Refused, by name: operator sets outside 11 to 22, sparse initializers, inputs and
// outputs that are not tensors, element types that package tensor does not hold.
//
// The bytes may come from anyone.
func Parse(data []byte, dir string) (*Graph, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%d bytes are more than a model can have (%d)", len(data), maxFile)
	}
	if err := checkWire(data); err != nil {
		return nil, err
	}
	m := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w", err)
	}
	if m.GetGraph() == nil {
		return nil, errors.New("not an ONNX model: it has no graph")
	}
	opset, domains, err := opsets(m)
	if err != nil {
		return nil, err
	}
	p := newParser(dir, opset)
	defer p.files.close()
	if err := p.declareFunctions(m.GetFunctions()); err != nil {
		return nil, err
	}
	g, err := p.graph(m.GetGraph(), nil, 0)
	if err != nil {
		return nil, err
	}
	g.Domains = domains
	g.Symbols = p.symbols
	if g.Doc == "" {
		g.Doc = m.GetDocString()
	}
	for _, e := range m.GetMetadataProps() {
		if g.Meta == nil {
			g.Meta = map[string]string{}
		}
		g.Meta[e.GetKey()] = e.GetValue()
	}
	if err := upgrade(g, opset, p.names); err != nil {
		return nil, err
	}
	return g, Check(g)
}

// opsets returns the version of ONNX's own operator set and those of the others.
func opsets(m *onnxpb.ModelProto) (int64, map[string]int64, error) {
	opset, others := int64(0), map[string]int64(nil)
	for _, o := range m.GetOpsetImport() {
		if d := domainName(o.GetDomain()); d == "" {
			opset = o.GetVersion()
		} else {
			if others == nil {
				others = map[string]int64{}
			}
			others[d] = o.GetVersion()
		}
	}
	switch {
	case opset == 0:
		return 0, nil, errors.New("the model names no version of the ONNX operator set")
	case opset < minOpset:
		return 0, nil, fmt.Errorf("operator set %d is too old, %d to %d are read: export the model again, or convert it with onnx.version_converter", opset, minOpset, maxOpset)
	case opset > maxOpset:
		return 0, nil, fmt.Errorf("operator set %d is too new, %d to %d are read: export the model for operator set %d", opset, minOpset, maxOpset, maxOpset)
	}
	return opset, others, nil
}

// domainName spells ONNX's own domain "".
func domainName(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}
