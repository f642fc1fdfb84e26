package groundtruth

import (
	"encoding/json"
	"strings"
)

// Kinds of labelling, as the type in an attribute's metadata says.
const (
	Classification = "groundtruth/image-classification"
	ManyLabels     = "groundtruth/image-classification-multilabel"
	Detection      = "groundtruth/object-detection"
	Segmentation   = "groundtruth/semantic-segmentation"
)

// Attribute is what a line says of its image, and the metadata that tells what it means.
type Attribute struct {
	Name  string
	Value json.RawMessage // nil: there is but metadata
	Meta  json.RawMessage
}

// Annotation is a box of an attribute of kind Detection, nil where it is silent; in pixels.
type Annotation struct {
	ClassID *int     `json:"class_id"`
	Left    *float64 `json:"left"`
	Top     *float64 `json:"top"`
	Width   *float64 `json:"width"`
	Height  *float64 `json:"height"`
}

// Whole reports whether nothing is missing.
func (a Annotation) Whole() bool {
	return a.ClassID != nil && a.Left != nil && a.Top != nil && a.Width != nil && a.Height != nil
}

// Attributes returns a line's source-ref, nil where there is none, and its attributes in
// their order. It fails where the line is no JSON object.
func Attributes(text []byte) (ref json.RawMessage, all []Attribute, err error) {
	top, err := parseObject(text)
	if err != nil {
		return nil, nil, err
	}
	return top.get("source-ref"), top.attributes(), nil
}

// attributes are the members with metadata.
func (o *object) attributes() []Attribute {
	const suffix = "-metadata"
	var all []Attribute
	for _, name := range o.names() {
		if meta := o.get(name + suffix); meta != nil {
			all = append(all, Attribute{name, o.get(name), meta})
		} else if of, is := strings.CutSuffix(name, suffix); is && o.find(of) < 0 {
			all = append(all, Attribute{of, nil, o.get(name)})
		}
	}
	return all
}
