package modelfile

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// MarshalJSON writes what the file says under the file's own names, without what it
// leaves out; runs keep it so.
func (s *Spec) MarshalJSON() ([]byte, error) {
	type plain Spec
	text, err := yaml.Marshal((*plain)(s))
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := yaml.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads what MarshalJSON wrote: JSON is YAML.
func (s *Spec) UnmarshalJSON(data []byte) error {
	type plain Spec
	return yaml.Unmarshal(data, (*plain)(s))
}
