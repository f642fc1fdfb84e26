package main

import (
	"fmt"
	"path/filepath"

	"trilobite/tensor"
	"trilobite/zoo"
)

// weightsFile is a run's file of all weights of the model that came out of it.
const weightsFile = "weights.safetensors"

// graphDigest is the metadata of a weights file that says which graph it belongs to.
const graphDigest = "model.onnx"

// keepWeights writes the weights of a model that was installed into the file that its card
// names.
func keepWeights(m zoo.Model, state map[string]*tensor.Tensor) error {
	return tensor.WriteSafetensors(m.Source.File, state, map[string]string{"format": "pt", "network": m.Convert.Network, graphDigest: m.File.SHA256})
}

// keptWeights reads what keepWeights has written.
func keptWeights(m zoo.Model) (map[string]*tensor.Tensor, error) {
	if m.Convert.Format != "torch" || filepath.Base(m.Source.File) != weightsFile {
		return nil, fmt.Errorf("%s is of no training here", m.Ref())
	}
	kept, err := tensor.ReadSafetensors(m.Source.File)
	if err != nil {
		return nil, fmt.Errorf("its weights are gone: %w", err)
	}
	if kept.Meta[graphDigest] != m.File.SHA256 {
		return nil, fmt.Errorf("%s has the weights of another model", m.Source.File)
	}
	return kept.Tensors, nil
}
