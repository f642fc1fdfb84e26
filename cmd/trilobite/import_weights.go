package main

import (
	"fmt"
	"path/filepath"

	"trilobite"
	"trilobite/convert/torch"
	"trilobite/onnx"
	"trilobite/zoo"
)

// importWeights fills a network that Trilobite knows with a state dict. Where the flags say
// nothing of it, pictures are prepared as for the network's published weights.
func importWeights(path string, card zoo.Card, f importFlags) (*imported, error) {
	if f.layout != "" || f.output != "" || card.Decoder.Name != "" {
		return nil, fmt.Errorf("--layout, --output and --decoder are about ONNX files; the network of %s has its own", path)
	}
	state, err := torch.Read(path)
	if err != nil {
		return nil, err
	}
	w, err := zoo.FromWeights(f.network, state, card.Pipeline.Width, card.Pipeline.Height)
	if err != nil {
		return nil, &trilobite.Error{Op: "models.import", Code: trilobite.Invalid, Err: err, Msg: fmt.Sprintf("%s: %v.", path, err)}
	}
	if card.Task != "" && card.Task != w.Task {
		return nil, fmt.Errorf("--task is %s, and %s is a network for task %s", card.Task, w.Name, w.Task)
	}
	f.orUsual(&card.Pipeline, w.UsualPipeline())
	card.Task, card.Decoder.Name = w.Task, map[string]string{zoo.Classify: "softmax", zoo.Segment: "mask"}[w.Task]
	card.Convert = zoo.Convert{Format: "torch", Network: w.Name}
	if err := onnx.Simplify(w.Graph); err != nil {
		return nil, fmt.Errorf("importing %s: simplifying: %w", path, err)
	}
	m := &imported{card: card, graph: w.Graph, classes: w.Classes}
	m.sayf("file", "%s, %d tensors", filepath.Base(path), len(state.Names))
	m.sayf("network", "%s", w.Name)
	m.sayf("task", "%s", w.Task)
	if len(w.Unused) > 0 {
		m.sayf("not read", "%d tensors of the second head, which is of use in training alone", len(w.Unused))
	}
	return m, nil
}
