package zoo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trilobite"
	"trilobite/onnx"
	"trilobite/taxonomy"
)

// maxLabelList bounds a label file: 8 MiB.
const maxLabelList = 8 << 20

// ImportParams describe an ONNX file that somebody brings.
type ImportParams struct {
	Graph  string // path of the .onnx file
	Labels string // path of a label list: one class a line; "" names classes by number
	Card   Card   // name, task, decoder, pipeline, licence
}

// Prepare reads an ONNX file and its labels, upgrades and simplifies the graph and
// completes the card, without installing anything. classes is how many the decoder
// will read, for a model without a label list.
func Prepare(p ImportParams, classes func(*onnx.Graph) (int, error), t *taxonomy.Taxonomy) (Card, *onnx.Graph, Labels, error) {
	card := p.Card
	card.Source = Source{File: p.Graph}
	card.Convert = Convert{Format: "onnx"}
	if card.Title == "" {
		card.Title = "Imported from " + filepath.Base(p.Graph)
	}
	if err := card.Check(); err != nil {
		return Card{}, nil, Labels{}, &trilobite.Error{Op: "zoo.Prepare", Code: trilobite.Invalid, Msg: err.Error()}
	}
	g, err := convertSource(card, p.Graph)
	if err != nil {
		return Card{}, nil, Labels{}, fmt.Errorf("importing %s: %w", p.Graph, err)
	}
	list, err := labelList(p.Labels, g, classes)
	if err != nil {
		return Card{}, nil, Labels{}, err
	}
	labels, err := resolve(list, t)
	if err != nil {
		return Card{}, nil, Labels{}, fmt.Errorf("labels %s: %w", p.Labels, err)
	}
	return card, g, labels, nil
}

// labelList returns the label file's text, a built-in list's by name (coco80, coco90,
// imagenet), or "class 0", "class 1", … when there is none.
func labelList(path string, g *onnx.Graph, classes func(*onnx.Graph) (int, error)) (string, error) {
	if path == "" {
		n, err := classes(g)
		if err != nil {
			return "", err
		}
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("class %d", i)
		}
		return strings.Join(names, "\n"), nil
	}
	if list, err := builtinLabels(path); err == nil {
		return list, nil
	}
	at, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("labels: %w", err)
	}
	if at.Size() > maxLabelList {
		return "", fmt.Errorf("labels: %s is larger than %d MiB", path, maxLabelList>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("labels: %w", err)
	}
	return string(data), nil
}
