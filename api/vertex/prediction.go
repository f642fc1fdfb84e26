package vertex

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"trilobite"
	"trilobite/segment"
	"trilobite/serving"
)

// prediction tells what was seen in the shape of Vertex' schema file
// predict/prediction/image_*_1.0.0.yaml that the model's task has.
func prediction(s *serving.Seen, p parameters) (*structpb.Value, error) {
	switch {
	case s.Mask != nil:
		return maskPrediction(s.Mask, p.uncertain)
	case s.Classes != nil:
		return classPrediction(s.Classes[:min(p.most, len(s.Classes))])
	default:
		return boxPrediction(s.Objects[:min(p.most, len(s.Objects))], float64(s.Width), float64(s.Height))
	}
}

// classPrediction has lists of ids, names and confidences, the surest class first.
func classPrediction(classes []trilobite.Classification) (*structpb.Value, error) {
	ids, names, scores := []any{}, []any{}, []any{}
	for _, c := range classes {
		ids, names, scores = append(ids, strconv.Itoa(c.Class)), append(names, c.Name), append(scores, float64(c.Score))
	}
	return structpb.NewValue(map[string]any{"ids": ids, "displayNames": names, "confidences": scores})
}

// boxPrediction has boxes as well, xMin, xMax, yMin, yMax as fractions of the image.
func boxPrediction(objects []trilobite.Detection, w, h float64) (*structpb.Value, error) {
	ids, names, scores, boxes := []any{}, []any{}, []any{}, []any{}
	for _, o := range objects {
		ids, names, scores = append(ids, strconv.Itoa(o.Class)), append(names, o.Name), append(scores, float64(o.Score))
		boxes = append(boxes, []any{float64(o.Box.X1) / w, float64(o.Box.X2) / w, float64(o.Box.Y1) / h, float64(o.Box.Y2) / h})
	}
	return structpb.NewValue(map[string]any{"ids": ids, "displayNames": names, "confidences": scores, "bboxes": boxes})
}

// maskPrediction has two PNGs of the image's size in base64: the class of each pixel, by
// number and in colour, and how sure that is, grey, from black to white. A model that answers
// classes without scores has the first one alone.
func maskPrediction(m *segment.Mask, least float32) (*structpb.Value, error) {
	out := map[string]any{}
	if m.Confidence != nil {
		sure, err := m.EncodeConfidencePNG()
		if err != nil {
			return nil, err
		}
		out["confidenceMask"] = base64.StdEncoding.EncodeToString(sure)
	}
	classes, err := certain(m, least).EncodePNG()
	if err != nil {
		return nil, err
	}
	out["categoryMask"] = base64.StdEncoding.EncodeToString(classes)
	return structpb.NewValue(out)
}

// certain returns the mask with the pixels that are less sure than least made background:
// the class of that name, or else the number after the last class.
func certain(m *segment.Mask, least float32) *segment.Mask {
	limit := uint8(least*255 + 0.5)
	if m.Confidence == nil || limit == 0 {
		return m
	}
	out := *m
	nothing := slices.IndexFunc(m.Labels, func(name string) bool { return strings.EqualFold(name, background) })
	if nothing < 0 {
		nothing = min(len(m.Labels), 255)
		out.Labels = append(slices.Clone(m.Labels), background)
	}
	out.Class = slices.Clone(m.Class)
	for i, c := range m.Confidence {
		if c < limit {
			out.Class[i] = uint8(nothing)
		}
	}
	return &out
}

// background is the class of pixels that show none.
const background = "background"
