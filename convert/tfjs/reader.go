package tfjs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"trilobite/tensor"
)

// Limits on what a model may make the reader allocate.
const (
	maxJSON    = 64 << 20 // bytes of model.json
	maxWeights = 2 << 30  // bytes of all weight shards together, and of the tensors made from them
	maxRank    = 8        // axes of a weight; TensorFlow.js knows at most six
)

// Model is a graph model as its files hold it: nothing is converted yet except the
// weights, which are dequantised.
type Model struct {
	Nodes   []*Node // in the file's order, which need not be topological
	Weights map[string]*tensor.Tensor
	Inputs  []Tensor // of the signature, sorted by key; nil where the file has none
	Outputs []Tensor
}

// Node is one TensorFlow operation. In names tensors as "node", "node:1", or "^node"
// for a control dependency.
type Node struct {
	Name, Op string
	In       []string
	Attrs    Attrs
}

// Tensor is one entry of a signature.
type Tensor struct {
	Key   string  // what callers call it
	Name  string  // the tensor, "node:0"
	Shape []int64 // TensorFlow's axis order; -1 is any size; nil: unknown rank
}

// modelJSON is the file format, described by tfjs-core's io/types.ts (ModelJSON).
type modelJSON struct {
	Format    string          `json:"format"`
	Topology  json.RawMessage `json:"modelTopology"`
	Manifest  []weightGroup   `json:"weightsManifest"`
	Signature *signatureJSON  `json:"signature"`
	UserMeta  struct {
		Signature *signatureJSON `json:"signature"`
	} `json:"userDefinedMetadata"`
}

type topologyJSON struct {
	Node []struct {
		Name  string                     `json:"name"`
		Op    string                     `json:"op"`
		Input []string                   `json:"input"`
		Attr  map[string]json.RawMessage `json:"attr"`
	} `json:"node"`
	ModelConfig json.RawMessage `json:"model_config"` // only in Keras layers models
}

// ReadFile reads the model whose model.json is name in fsys; its weight shards lie
// beside it. Everything in the files is checked before it is used: sizes against
// limits, shard names against leaving fsys, element counts against the bytes there.
func ReadFile(fsys fs.FS, name string) (*Model, error) {
	data, err := readLimited(fsys, name, maxJSON)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	m, err := Read(data, func(shard string, limit int64) ([]byte, error) {
		return readLimited(fsys, path.Join(path.Dir(name), shard), limit)
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return m, nil
}

// Read reads a model from the bytes of its model.json; shard returns the bytes of a
// weight file, or an error if there are more than limit.
func Read(data []byte, shard func(name string, limit int64) ([]byte, error)) (*Model, error) {
	var file modelJSON
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	var topology topologyJSON
	if err := unmarshalIf(file.Topology, &topology); err != nil {
		return nil, fmt.Errorf("modelTopology: %w", err)
	}
	if file.Format == "layers-model" || topology.ModelConfig != nil {
		return nil, errors.New("a Keras layers model, not a graph model")
	}
	if len(topology.Node) == 0 {
		return nil, errors.New("no nodes in modelTopology")
	}
	m := &Model{}
	seen := map[string]bool{}
	for _, n := range topology.Node {
		if n.Name == "" || n.Op == "" {
			return nil, fmt.Errorf("node %q has no name or no op", n.Name)
		}
		if seen[n.Name] {
			return nil, fmt.Errorf("two nodes named %q", n.Name)
		}
		seen[n.Name] = true
		attrs, err := parseAttrs(n.Attr)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", n.Op, n.Name, err)
		}
		m.Nodes = append(m.Nodes, &Node{Name: n.Name, Op: n.Op, In: n.Input, Attrs: attrs})
	}
	var err error
	if m.Weights, err = readWeights(file.Manifest, shard); err != nil {
		return nil, err
	}
	sig := file.Signature
	if sig == nil {
		sig = file.UserMeta.Signature
	}
	if sig != nil {
		m.Inputs, m.Outputs = sig.Inputs.tensors(), sig.Outputs.tensors()
	}
	return m, nil
}

// readLimited reads a file of at most limit bytes.
func readLimited(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name) // refuses names that leave fsys
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, nil
}

// unmarshalIf is json.Unmarshal that takes an absent value for an empty one.
func unmarshalIf(data json.RawMessage, v any) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, v)
}

// split separates a tensor's name into node and output: "x:1" is output 1 of x.
func split(name string) (node string, output int) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return name, 0
	}
	for _, c := range name[i+1:] {
		if c < '0' || c > '9' || output > 1<<16 {
			return name, 0 // a colon of the node's own
		}
		output = output*10 + int(c-'0')
	}
	return name[:i], output
}
