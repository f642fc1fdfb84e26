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
	"trilobite/pipeline"
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
	if backbone == "" {
		backbone = "efficientnet_lite0"
	}
	if names := nn.ClassifierNames(); !slices.Contains(names, backbone) {
		return nil, fmt.Errorf("backbone %q: %s", backbone, Nearest(backbone, names))
	}
	return write(kind, classes, map[string]any{"Backbone": backbone, "Weights": published[backbone]})
}

// InitOn is Init for an imported model as the backbone, whose pictures are prepared by spec.
func InitOn(kind, backbone string, spec pipeline.Spec, classes []string) ([]byte, error) {
	return write(kind, classes, map[string]any{"Backbone": backbone, "Weights": "", "Spec": &spec})
}

func write(kind string, classes []string, data map[string]any) ([]byte, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("network %q: %s", kind, Nearest(kind, Kinds()))
	}
	t, err := template.New("model").Funcs(template.FuncMap{"quote": quote, "list": list}).Parse(templateText)
	if err != nil {
		return nil, err
	}
	data["Network"], data["Task"], data["Classes"] = kind, tasks[kind], classes
	data["Networks"] = strings.Join(nn.ClassifierNames(), ", ")
	var out bytes.Buffer
	err = t.Execute(&out, data)
	return out.Bytes(), err
}

// list writes numbers as YAML.
func list(v []float32) string { return strings.ReplaceAll(fmt.Sprint(v), " ", ", ") }

// quote writes a text as YAML reads it back.
func quote(s string) (string, error) {
	data, err := yaml.Marshal(s)
	if bytes.Contains(bytes.TrimSpace(data), []byte("\n")) {
		return fmt.Sprintf("%q", s), err
	}
	return strings.TrimSpace(string(data)), err
}
