package modelfile

import (
	"encoding/json"
	"reflect"
	"strings"

	"trilobite/nn"
	"trilobite/pipeline"
)

// Schema returns the JSON Schema of model files (draft 2020-12), which editors complete
// and check by. It is written from Spec's own tags.
func Schema() ([]byte, error) {
	root := schemaOf(reflect.TypeFor[Spec](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Trilobite model file"
	root["required"] = []string{"task", "network", "preprocessing", "training"}
	data, err := json.MarshalIndent(root, "", "  ")
	return append(data, '\n'), err
}

func schemaOf(t reflect.Type, tag reflect.StructTag) map[string]any {
	s := map[string]any{}
	if doc := tag.Get("doc"); doc != "" {
		s["description"] = doc
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()) {
		s["type"] = "string"
		return s
	}
	if t == reflect.TypeFor[pipeline.Step]() {
		kinds := map[string]any{}
		for _, name := range pipeline.StepNames() {
			kinds[name] = map[string]any{}
		}
		s["oneOf"] = []any{
			map[string]any{"type": "string", "enum": pipeline.StepNames()},
			map[string]any{"type": "object", "properties": kinds, "minProperties": 1, "maxProperties": 1, "additionalProperties": false},
		}
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		properties := map[string]any{}
		for f := range t.Fields() {
			if !f.IsExported() || yamlName(f) == "-" {
				continue
			}
			properties[yamlName(f)] = schemaOf(f.Type, f.Tag)
		}
		s["type"], s["properties"], s["additionalProperties"] = "object", properties, false
	case reflect.Slice:
		s["type"], s["items"] = "array", schemaOf(t.Elem(), limits(tag))
	case reflect.String:
		s["type"] = "string"
		if words := tag.Get("enum"); words != "" {
			s["enum"] = strings.Split(words, ",")
		}
		if tag.Get("names") == "backbone" {
			s["examples"] = nn.ClassifierNames() // imported models have any name
		}
	case reflect.Bool:
		s["type"] = "boolean"
	case reflect.Int, reflect.Int64:
		s["type"] = "integer"
	default:
		s["type"] = "number"
	}
	if low, high, ok := bounds(tag); ok && t.Kind() != reflect.Slice {
		s["minimum"], s["maximum"] = low, high
	}
	return s
}

// limits keeps of a list's tag what is said of its elements.
func limits(tag reflect.StructTag) reflect.StructTag {
	if r := tag.Get("range"); r != "" {
		return reflect.StructTag(`range:"` + r + `"`)
	}
	return ""
}
