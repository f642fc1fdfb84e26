package pipeline

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxFile bounds a pipeline file, bytes.
const MaxFile = 1 << 18

// maxSteps bounds its steps.
const maxSteps = 64

// Parse reads a pipeline file: steps, and fields of the model's own preprocessing that it
// replaces, base's otherwise. The model's input keeps its width, height, layout and
// channels. Errors name the file and the line; name is the file's.
func Parse(name string, data []byte, base Spec) (Spec, error) {
	s, err := parse(data, base)
	if err != nil {
		return Spec{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func parse(data []byte, base Spec) (Spec, error) {
	if len(data) > MaxFile {
		return Spec{}, fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&doc); errors.Is(err, io.EOF) {
		return base, nil
	} else if err != nil {
		return Spec{}, lined(err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return Spec{}, fmt.Errorf("line %d: a pipeline has steps: and fields by name", max(1, doc.Line))
	}
	s, known, top := base, []string{"steps", "resize", "crop", "fill", "align", "filter", "mean", "std"}, doc.Content[0]
	rest, seen := *top, map[string]int{}
	rest.Content = nil
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if !slices.Contains(known, key.Value) {
			return Spec{}, fmt.Errorf("line %d: unknown field %.60q%s", key.Line, key.Value, suggest(key.Value, known))
		}
		if at, twice := seen[key.Value]; twice {
			return Spec{}, fmt.Errorf("line %d: %s is there twice, first in line %d", key.Line, key.Value, at)
		}
		seen[key.Value] = key.Line
		if key.Value != "steps" {
			rest.Content = append(rest.Content, key, value)
			continue
		}
		var err error
		if s.Steps, err = parseSteps(value); err != nil {
			return Spec{}, err
		}
	}
	if err := rest.Decode(&s); err != nil {
		return Spec{}, wrongType(top.Line, err)
	}
	if err := s.Validate(); err != nil {
		name, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "preprocessing: "), " ")
		return Spec{}, fmt.Errorf("line %d: %w", cmp.Or(seen[name], top.Line), err)
	}
	return s, nil
}

// lined says the line that the reader of YAML leaves out where it is the first.
func lined(err error) error {
	if strings.Contains(err.Error(), "line ") {
		return err
	}
	return fmt.Errorf("line 1: %w", err)
}

func parseSteps(list *yaml.Node) ([]Step, error) {
	if list.Kind != yaml.SequenceNode || len(list.Content) > maxSteps {
		return nil, fmt.Errorf("line %d: steps are a list of %d at most", list.Line, maxSteps)
	}
	steps := make([]Step, len(list.Content))
	for i, n := range list.Content {
		if err := steps[i].UnmarshalYAML(n); err != nil {
			return nil, err
		}
	}
	return steps, nil
}
