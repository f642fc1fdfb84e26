// Package zoo keeps models: each is a card (card.yaml: where it comes from, how to
// feed it, how to read its answer, under which licence, what it was measured at), a
// graph (model.onnx) and its labels (labels.json), together in a versioned folder of
// the model store.
//
// Start at Card, then Store; pull.go installs the models that Trilobite knows,
// import.go takes anyone's ONNX file. Running a model is package label's business.
package zoo

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"trilobite/pipeline"
)

// The tasks a model can have.
const (
	Detect   = "detect"
	Classify = "classify"
	Segment  = "segment"
)

// Decoders names the decoders of each task.
var decoders = map[string][]string{
	Detect:   {"ssd", "yolox", "yolov8", "fcos", "boxes"},
	Classify: {"softmax", "sigmoid", "probabilities"},
	Segment:  {"mask"},
}

// Card describes a model.
type Card struct {
	Name     string        `yaml:"name"`    // lower-case letters, digits, dot, dash
	Version  int           `yaml:"version"` // 1, 2, …; assigned by Store.Put when 0
	Title    string        `yaml:"title"`
	Task     string        `yaml:"task"` // detect, classify or segment
	Source   Source        `yaml:"source"`
	Convert  Convert       `yaml:"convert,omitempty"`
	Labels   string        `yaml:"labels,omitempty"` // label list the classes were named from
	Pipeline pipeline.Spec `yaml:"pipeline"`
	Decoder  Decoder       `yaml:"decoder"`
	Taps     []string      `yaml:"taps,omitempty,flow"` // of heads on it as a backbone
	Licence  string        `yaml:"licence"`
	Figures  []Figure      `yaml:"figures,omitempty"`
	File     File          `yaml:"file,omitempty"`
}

// Source says where the weights come from: a package of deps.yaml and a file in it,
// or the path that was imported.
type Source struct {
	Package string `yaml:"package,omitempty"`
	File    string `yaml:"file"`
}

// Convert says how the source becomes ONNX.
type Convert struct {
	Format  string   `yaml:"format"`            // tfjs, torch or onnx
	Network string   `yaml:"network,omitempty"` // torch: the network of package nn
	Inputs  []Tensor `yaml:"inputs,omitempty"`  // tfjs: where to start
	Outputs []Tensor `yaml:"outputs,omitempty"` // tfjs: where to end
}

// Tensor is a tensor of the source that becomes an input or output of the graph.
type Tensor struct {
	Name  string  `yaml:"name"`
	As    string  `yaml:"as,omitempty"`         // its name in model.onnx
	Shape []int64 `yaml:"shape,omitempty,flow"` // inputs: in the source's layout, -1 for the batch
}

// Decoder says how the outputs are read.
type Decoder struct {
	Name       string  `yaml:"name"`                 // ssd, yolox, yolov8, fcos, boxes, softmax, sigmoid, probabilities or mask
	IoU        float32 `yaml:"iou,omitempty"`        // suppression threshold, 0 to 1
	Background bool    `yaml:"background,omitempty"` // class 0 of the scores is background
	MinScore   float32 `yaml:"min_score,omitempty"`  // answers below it are noise for this model, 0 to 1

	// Calibration makes scores of custom detectors the share that is right; nil: none.
	Calibration *Calibration `yaml:"calibration,omitempty"`
}

// Calibration takes a score's logit x to that of a probability, Scale·x + Shift.
type Calibration struct {
	Scale float64 `yaml:"scale"` // above 0
	Shift float64 `yaml:"shift"`
}

// Figure is a measured result.
type Figure struct {
	Data    string  `yaml:"data"`
	Measure string  `yaml:"measure"`
	Value   float64 `yaml:"value"`
	Command string  `yaml:"command"`
}

// File identifies model.onnx, so that Verify can tell a damaged one.
type File struct {
	SHA256 string `yaml:"sha256,omitempty"`
	Bytes  int64  `yaml:"bytes,omitempty"`
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)

// Check says what is wrong with the card, naming the field.
func (c Card) Check() error {
	if !validName.MatchString(c.Name) {
		return fmt.Errorf("name: %q is not made of lower-case letters, digits, dots and dashes", c.Name)
	}
	known, ok := decoders[c.Task]
	if !ok {
		return fmt.Errorf("task: %q is none of detect, classify, segment", c.Task)
	}
	if !slices.Contains(known, c.Decoder.Name) {
		return fmt.Errorf("decoder: %q is none of %s, the decoders for task %s", c.Decoder.Name, strings.Join(known, ", "), c.Task)
	}
	if c.Decoder.IoU < 0 || c.Decoder.IoU > 1 {
		return fmt.Errorf("decoder.iou: %v is not between 0 and 1", c.Decoder.IoU)
	}
	if err := c.Pipeline.Validate(); err != nil {
		return err
	}
	return nil
}

// maxCard bounds card.yaml in bytes: its parser takes quadratic time on some texts.
const maxCard = 1 << 20

// parseCard reads card.yaml; unknown fields are errors. The package that writes cards,
// goccy/go-yaml 1.19.2, panics on some texts ("name: !00 00"), so this one reads them:
// people edit cards, and bring them along with models.
func parseCard(data []byte) (Card, error) {
	if len(data) > maxCard {
		return Card{}, fmt.Errorf("the card has more than %d bytes", maxCard)
	}
	var c Card
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return Card{}, err
	}
	return c, c.Check()
}
