package export

import (
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"

	"trilobite/onnx"
	"trilobite/zoo"
)

// Describe writes what there is to know of a model into its graph's metadata: name, task,
// decoder, licence, labels as a JSON list by class, and preprocessing as JSON under the
// names of model cards, or "inside" where the graph has it.
func Describe(g *onnx.Graph, card zoo.Card, labels []string, inside bool) error {
	var spec map[string]any
	text, err := yaml.Marshal(card.Pipeline)
	if err == nil {
		err = yaml.Unmarshal(text, &spec)
	}
	if err != nil {
		return fmt.Errorf("preprocessing of %s: %w", card.Name, err)
	}
	names, err := json.Marshal(labels)
	if err != nil {
		return err
	}
	preprocessing, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	if inside {
		preprocessing = []byte("inside")
	}
	if g.Meta == nil {
		g.Meta = map[string]string{}
	}
	for key, value := range map[string]string{
		"name": card.Name, "task": card.Task, "decoder": card.Decoder.Name, "licence": card.Licence,
		"labels": string(names), "preprocessing": string(preprocessing),
	} {
		g.Meta["trilobite."+key] = value
	}
	return nil
}
