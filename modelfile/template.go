package modelfile

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"

	"trilobite/nn"
)

//go:embed template.yaml
var templateText string

// Kinds lists what Init writes files for.
func Kinds() []string { return []string{"classifier", "deeplabv3plus", "detector", "unet"} }

// published are the backbones whose ImageNet weights the model store has, by the model's
// name there; they take pixels as (x − 127) / 128, the others as ImageNet's mean and
// deviation.
var published = map[string]string{
	"efficientnet_lite0": "efficientnet-lite0", "efficientnet_lite1": "efficientnet-lite1", "efficientnet_lite2": "efficientnet-lite2",
}

// Init returns a commented model file that trains as it is. An empty backbone is
// efficientnet_lite0; classes may be empty: the data set's.
func Init(kind, backbone string, classes []string) ([]byte, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("network %q: %s", kind, nearest(kind, Kinds()))
	}
	if backbone == "" {
		backbone = "efficientnet_lite0"
	}
	if names := nn.ClassifierNames(); !slices.Contains(names, backbone) {
		return nil, fmt.Errorf("backbone %q: %s", backbone, nearest(backbone, names))
	}
	t, err := template.New("model").Funcs(template.FuncMap{"quote": quote}).Parse(templateText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"Network": kind, "Task": tasks[kind], "Backbone": backbone, "Weights": published[backbone],
		"Classes": classes, "Networks": strings.Join(nn.ClassifierNames(), ", "),
	})
	return out.Bytes(), err
}

// quote writes a text as YAML reads it back.
func quote(s string) (string, error) {
	data, err := yaml.Marshal(s)
	if bytes.Contains(bytes.TrimSpace(data), []byte("\n")) {
		return fmt.Sprintf("%q", s), err
	}
	return strings.TrimSpace(string(data)), err
}
