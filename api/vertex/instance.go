package vertex

import (
	"encoding/base64"
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"

	"trilobite/api/google"
)

// readInstance returns an instance's image: {"content": base64, "mimeType": …}, as Vertex'
// schema files predict/instance/image_*_1.0.0.yaml have it. The file itself tells its type.
func readInstance(v *structpb.Value) ([]byte, error) {
	fields := v.GetStructValue().GetFields()
	content, ok := fields["content"].GetKind().(*structpb.Value_StringValue)
	if !ok || content.StringValue == "" {
		return nil, google.Invalid(`there is no image: send {"content": "…"} with the file in base64.`)
	}
	for name := range fields {
		if !slices.Contains([]string{"content", "mimeType", "mime_type", "key"}, name) {
			return nil, google.Invalid(fmt.Sprintf("%q is no field of an image: there are content and mimeType.", google.Short(name)))
		}
	}
	image, err := base64.StdEncoding.DecodeString(content.StringValue)
	if err != nil {
		return nil, google.Invalid("content is not base64.")
	}
	return image, nil
}

// parameters are those of Vertex' schema files predict/params/image_*_1.0.0.yaml.
type parameters struct {
	threshold float32 // confidenceThreshold, 0 to 1: classes and boxes below are left out
	// uncertain is the threshold of pixels, which below it are background.
	uncertain float32
	most      int // maxPredictions: classes or boxes for an image
}

// The defaults of the schema files.
const (
	defaultUncertain = 0.5
	defaultMost      = 10
)

func readParameters(v *structpb.Value) (parameters, error) {
	p := parameters{uncertain: defaultUncertain, most: defaultMost}
	if _, null := v.GetKind().(*structpb.Value_NullValue); v == nil || null {
		return p, nil
	}
	if v.GetStructValue() == nil {
		return p, google.Invalid("parameters must be an object.")
	}
	for name, value := range v.GetStructValue().GetFields() {
		n, ok := value.GetKind().(*structpb.Value_NumberValue)
		switch {
		case name == "confidenceThreshold" && ok && n.NumberValue >= 0 && n.NumberValue <= 1:
			p.threshold, p.uncertain = float32(n.NumberValue), float32(n.NumberValue)
		case name == "confidenceThreshold":
			return p, google.Invalid("confidenceThreshold is a number of 0 to 1.")
		case name == "maxPredictions" && ok && n.NumberValue >= 1 && n.NumberValue <= 1e6 && n.NumberValue == float64(int(n.NumberValue)):
			p.most = int(n.NumberValue)
		case name == "maxPredictions":
			return p, google.Invalid("maxPredictions is a whole number from 1.")
		default:
			return p, google.Invalid(fmt.Sprintf("%q is no parameter: there are confidenceThreshold and maxPredictions.", google.Short(name)))
		}
	}
	return p, nil
}
