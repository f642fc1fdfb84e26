package vision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"
	"google.golang.org/genproto/googleapis/type/color"

	"trilobite"
	"trilobite/api/google"
)

// defaultResults is how many results a feature gives when max_results is 0.
const defaultResults = 10

// maxColors bounds what an image's colours are sorted into; Google answers about ten.
const maxColors = 64

// maxRatios is the most aspect ratios a CropHintsParams may have, from its proto.
const maxRatios = 16

// want is what one image was asked: how many results per feature, 0 where the
// feature was not asked for.
type want struct {
	labels, objects, colors int
	crops                   []float32 // aspect ratios; nil where no crop was asked for
	err                     error     // the request breaks a rule
}

// wanted reads the features of a request. The second result names those that are
// Google's but not offered here; the others are answered all the same.
func wanted(r *pb.AnnotateImageRequest) (want, error) {
	var w want
	var missing []string
	for _, f := range r.GetFeatures() {
		n := int(f.GetMaxResults())
		if n < 0 {
			return want{err: google.Invalid(fmt.Sprintf("max_results of %s must not be negative.", f.GetType()))}, nil
		}
		if n == 0 {
			n = defaultResults
		}
		if m := f.GetModel(); m != "" && m != "builtin/stable" && m != "builtin/latest" {
			return want{err: google.Invalid(fmt.Sprintf("Unsupported model %q for %s: use builtin/stable or builtin/latest.", google.Short(m), f.GetType()))}, nil
		}
		switch t := f.GetType(); t {
		case pb.Feature_LABEL_DETECTION:
			w.labels = max(w.labels, n)
		case pb.Feature_OBJECT_LOCALIZATION:
			w.objects = max(w.objects, n)
		case pb.Feature_IMAGE_PROPERTIES:
			w.colors = min(max(w.colors, n), maxColors)
		case pb.Feature_CROP_HINTS:
			w.crops, w.err = ratios(r.GetImageContext().GetCropHintsParams())
			if w.err != nil {
				return w, nil //nolint:nilerr // the answer to this image alone
			}
		default:
			if _, known := pb.Feature_Type_name[int32(t)]; !known || t == pb.Feature_TYPE_UNSPECIFIED {
				return want{err: google.Invalid(fmt.Sprintf("Feature type %d is not valid.", t))}, nil
			}
			if !slices.Contains(missing, t.String()) {
				missing = append(missing, t.String())
			}
		}
	}
	if missing == nil {
		return w, nil
	}
	return w, &trilobite.Error{
		Op: "vision.wanted", Code: trilobite.Unsupported,
		Msg: "Not offered by this server: " + strings.Join(missing, ", ") +
			". It offers LABEL_DETECTION, OBJECT_LOCALIZATION, IMAGE_PROPERTIES and CROP_HINTS.",
	}
}

// ratios returns the wanted width / height of each crop; a single 0, the image's
// own, where none is named.
func ratios(p *pb.CropHintsParams) ([]float32, error) {
	rs := p.GetAspectRatios()
	if len(rs) == 0 {
		return []float32{0}, nil
	}
	if len(rs) > maxRatios {
		return nil, google.Invalid(fmt.Sprintf("Too many aspect ratios: %d, at most %d are allowed.", len(rs), maxRatios))
	}
	for _, r := range rs {
		// The bounds also keep out NaN and infinities, which JSON can carry as text.
		if !(r >= 0.00001 && r <= 100000) {
			return nil, google.Invalid(fmt.Sprintf("Aspect ratio %v is not between 0.00001 and 100000.", r))
		}
	}
	return rs, nil
}

func (w want) nothing() bool {
	return w.labels == 0 && w.objects == 0 && w.colors == 0 && w.crops == nil
}

func (w want) params(minScore float32) trilobite.AnalyzeParams {
	return trilobite.AnalyzeParams{
		Labels:     w.labels > 0,
		Objects:    w.objects > 0,
		Properties: w.colors > 0,
		MaxColors:  w.colors,
		CropRatios: w.crops,
		MinScore:   minScore,
	}
}

// response writes what was seen in Google's words.
func (w want) response(a *trilobite.Analysis) *pb.AnnotateImageResponse {
	resp := &pb.AnnotateImageResponse{}
	if w.labels > 0 {
		resp.LabelAnnotations = labels(a.Labels, w.labels)
	}
	if w.objects > 0 {
		resp.LocalizedObjectAnnotations = objects(a, w.objects)
	}
	if w.colors > 0 {
		resp.ImagePropertiesAnnotation = properties(a.Properties, w.colors)
	}
	if w.crops != nil {
		resp.CropHintsAnnotation = cropHints(a)
	}
	return resp
}

func labels(seen []trilobite.Label, most int) []*pb.EntityAnnotation {
	seen = slices.SortedStableFunc(slices.Values(seen), func(a, b trilobite.Label) int { return cmp.Compare(b.Score, a.Score) })
	var out []*pb.EntityAnnotation
	for _, l := range seen[:min(most, len(seen))] {
		out = append(out, &pb.EntityAnnotation{Mid: mid(l.Name), Description: l.Name, Score: l.Score, Topicality: l.Score})
	}
	return out
}

// objects answers what the detection models saw, in the models' vocabulary with a
// capital letter as Google writes it.
func objects(a *trilobite.Analysis, most int) []*pb.LocalizedObjectAnnotation {
	seen := slices.SortedStableFunc(slices.Values(a.Detections), func(a, b trilobite.Detection) int { return cmp.Compare(b.Score, a.Score) })
	var out []*pb.LocalizedObjectAnnotation
	for _, d := range seen[:min(most, len(seen))] {
		out = append(out, &pb.LocalizedObjectAnnotation{
			Mid: mid(d.Name), Name: capital(d.Name), Score: d.Score,
			BoundingPoly: normalizedPoly(d.Box, a.Width, a.Height),
		})
	}
	return out
}

// properties lists the colours by score, the highest first. Channels are 0 to 255
// although google.type.Color speaks of 0 to 1: Google's Vision sends them so.
func properties(p *trilobite.Properties, most int) *pb.ImageProperties {
	out := &pb.ImageProperties{DominantColors: &pb.DominantColorsAnnotation{}}
	if p == nil {
		return out
	}
	colors := slices.SortedStableFunc(slices.Values(p.Colors), func(a, b trilobite.Color) int { return cmp.Compare(b.Score, a.Score) })
	for _, c := range colors[:min(most, len(colors))] {
		out.DominantColors.Colors = append(out.DominantColors.Colors, &pb.ColorInfo{
			Color:         &color.Color{Red: float32(c.R), Green: float32(c.G), Blue: float32(c.B)},
			Score:         c.Score,
			PixelFraction: c.Fraction,
		})
	}
	return out
}

func cropHints(a *trilobite.Analysis) *pb.CropHintsAnnotation {
	out := &pb.CropHintsAnnotation{}
	for _, h := range a.CropHints {
		out.CropHints = append(out.CropHints, &pb.CropHint{
			BoundingPoly:       pixelPoly(h.Box, a.Width, a.Height),
			Confidence:         h.Confidence,
			ImportanceFraction: h.Importance,
		})
	}
	return out
}

// mid is a stable identifier for a name. Google's are Knowledge Graph entities; ours
// say that they are not.
func mid(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return "/trilobite/" + strings.Join(words, "_")
}

func capital(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[n:]
}
