package zoo

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"trilobite"
	"trilobite/nn"
	"trilobite/onnx"
)

// IsGraphFile tells a model's file from its name in the store.
func IsGraphFile(name string) bool { return strings.EqualFold(filepath.Ext(name), ".onnx") }

// Backbone returns the graph of a model to build on, for pictures of a size, and its card: a
// model of the store, or an .onnx file, made as if it were imported, whose card has a
// Source alone. It fails with fs.ErrNotExist where there is neither.
func (s *Store) Backbone(name string, width, height int) (*onnx.Graph, Card, error) {
	if IsGraphFile(name) {
		g, err := onnx.Load(name)
		if err != nil {
			return nil, Card{}, err
		}
		f, err := Recognise(g, "", "")
		if err != nil {
			return nil, Card{}, fmt.Errorf("%s: %w", name, err)
		}
		if f.Width > 0 && f.Height > 0 {
			width, height = f.Width, f.Height // heads take it in any size that its layers do
		}
		if err := Adapt(g, f, "", width, height); err != nil {
			return nil, Card{}, fmt.Errorf("%s: %w", name, err)
		}
		return g, Card{Source: Source{File: name}, Licence: "of " + filepath.Base(name)}, nil
	}
	m, err := s.Get(name)
	if trilobite.CodeOf(err) == trilobite.NotFound {
		return nil, Card{}, fmt.Errorf("model %q: %w", name, fs.ErrNotExist)
	} else if err != nil {
		return nil, Card{}, err
	}
	g, err := onnx.Load(m.GraphFile())
	return g, m.Card, err
}

// CheckTaps fails where a graph has not the feature maps that taps name.
func CheckTaps(g *onnx.Graph, width, height int, taps []string) error {
	n, err := nn.Imported(g, int64(height), int64(width))
	if err != nil {
		return err
	}
	for _, name := range taps {
		if _, err := n.Tap(name); err != nil {
			return invalidf("--taps: %v.", err)
		}
	}
	return nil
}
