// Package groundtruth reads the lines of SageMaker Ground Truth manifests as Amazon
// Rekognition Custom Labels does: one JSON object a line, an image's address in
// source-ref, and its labels in pairs of an attribute and its "-metadata".
//
//	{"source-ref":"s3://b/k.png","x":1,"x-metadata":{"class-name":"Cat","confidence":1,"type":"groundtruth/image-classification",…}}
//	{"source-ref":"s3://b/k.png","x":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[{"class_id":0,"left":1,"top":2,"width":3,"height":4}]},
//	 "x-metadata":{"objects":[{"confidence":1}],"class-map":{"0":"Dog"},"type":"groundtruth/object-detection",…}}
//
// Start at Parse. What makes a line unusable as a whole is an error of a Code; what is
// wrong inside one that stays is written into the line, in lists named "errors" beside
// the part that they concern, where the service's clients look for them
// (tm-debugging-scope-json-line of the Custom Labels developer guide). Rules and texts
// are those of tm-debugging-json-line-errors and limits of the same guide.
package groundtruth

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"trilobite/geom"
)

// Limits of a line.
const (
	MaxLine  = 100_000 // characters
	MaxBoxes = 50      // of one image
	maxLabel = 255     // characters of a label
	maxKey   = 1024    // bytes of an object's key
	// Images are shrunk to this many pixels a side before training; a box must keep
	// more than one pixel a side.
	trainingSide = 1280
)

// Line is what a manifest says of one image.
type Line struct {
	SourceRef   string // s3://bucket/key, as written
	Bucket, Key string
	Labels      []string // of the whole image, in order, once each
	Objects     []Object // valid boxes
	W, H        int      // pixels as annotated; 0 where no boxes are
	Text        string   // the line, with errors written into it and old ones taken out
	Failed      bool     // Text holds errors
	Warned      bool     // an empty list of boxes: valid, not used
}

// Object is a labelled box in pixels of the image.
type Object struct {
	Label string
	Box   geom.Rect
}

// Names returns the labels of image and boxes, in order, once each, and how many boxes
// each has.
func (l *Line) Names() (names []string, boxes map[string]int) {
	boxes = map[string]int{}
	for _, n := range l.Labels {
		if _, seen := boxes[n]; !seen {
			names, boxes[n] = append(names, n), 0
		}
	}
	for _, o := range l.Objects {
		if _, seen := boxes[o.Label]; !seen {
			names = append(names, o.Label)
		}
		boxes[o.Label]++
	}
	return names, boxes
}

// Parse reads a line. Its error is a Code: the line is dropped.
func Parse(text []byte) (*Line, error) {
	if utf8.RuneCount(text) > MaxLine {
		return nil, TooLong
	}
	top, err := parseObject(text)
	if err != nil || !utf8.Valid(text) {
		return nil, InvalidJSONLine
	}
	top.remove("errors")
	top.remove("warnings")
	raw := top.get("source-ref")
	if raw == nil {
		return nil, MissingSourceRef
	}
	l := &Line{}
	if err := json.Unmarshal(raw, &l.SourceRef); err != nil {
		return nil, InvalidSourceRef
	}
	var ok bool
	if l.Bucket, l.Key, ok = splitS3(l.SourceRef); !ok {
		return nil, InvalidSourceRef
	}
	l.attributes(top)
	l.Text = top.String()
	return l, nil
}

// splitS3 takes s3://bucket/key apart.
func splitS3(ref string) (bucket, key string, ok bool) {
	if len(ref) < 5 || !strings.EqualFold(ref[:5], "s3://") || strings.ContainsRune(ref, 0) {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(ref[5:], "/")
	return bucket, key, bucket != "" && key != "" && len(key) <= maxKey
}

// attributes reads every pair of an attribute and its metadata.
func (l *Line) attributes(top *object) {
	var pairs, valid int
	for _, a := range top.attributes() {
		if a.Value == nil {
			continue
		}
		pairs++
		if l.attribute(top, a.Name, a.Meta) {
			valid++
		}
	}
	switch {
	case valid > 0:
	case pairs > 0:
		l.flaw(top, NoValidLabelAttributes, "")
	case len(top.members) > 1: // something is there, and no pair
		l.flaw(top, NoLabelAttributes, "")
	}
}

// attribute reads one pair and reports whether its format is right.
func (l *Line) attribute(top *object, name string, rawMeta json.RawMessage) bool {
	meta, err := parseObject(rawMeta)
	if err != nil {
		l.flaw(top, InvalidMetadata, "")
		return false
	}
	meta.remove("errors")
	defer func() { top.set(name+"-metadata", meta) }()
	var kind string
	if err := json.Unmarshal(meta.get("type"), &kind); err != nil {
		l.flaw(meta, InvalidMetadata, "")
		return false
	}
	switch kind {
	case Classification:
		return l.classification(top, name, meta)
	case Detection:
		return l.detection(top, name, meta)
	}
	return false // another kind of labelling, such as masks, which is let be
}

func (l *Line) classification(top *object, name string, meta *object) bool {
	var value float64
	if err := json.Unmarshal(top.get(name), &value); err != nil {
		l.flaw(top, InvalidLabelAttribute, name)
		return false
	}
	var label string
	if err := json.Unmarshal(meta.get("class-name"), &label); err != nil {
		l.flaw(meta, InvalidMetadata, "")
		return false
	}
	if !validLabel(label) {
		l.flaw(meta, InvalidLabelName, "")
		return false
	}
	if !slices.Contains(l.Labels, label) {
		l.Labels = append(l.Labels, label)
	}
	return true
}

func validLabel(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 1 && n <= maxLabel && !strings.ContainsAny(s, "\x00\r\n")
}

func (l *Line) detection(top *object, name string, meta *object) bool {
	attr, err := parseObject(top.get(name))
	if err != nil {
		l.flaw(top, InvalidLabelAttribute, name)
		return false
	}
	attr.remove("errors")
	attr.remove("warnings")
	defer func() { top.set(name, attr) }()
	var size []struct{ Width, Height int }
	var annotations []json.RawMessage
	if json.Unmarshal(attr.get("image_size"), &size) != nil || len(size) == 0 || size[0].Width <= 0 || size[0].Height <= 0 ||
		json.Unmarshal(attr.get("annotations"), &annotations) != nil {
		l.flaw(attr, InvalidLabelAttribute, name)
		return false
	}
	var classes map[string]string
	if err := json.Unmarshal(meta.get("class-map"), &classes); err != nil {
		l.flaw(meta, InvalidMetadata, "")
		return false
	}
	l.W, l.H = size[0].Width, size[0].Height
	l.confidences(meta, len(annotations))
	switch {
	case len(annotations) == 0:
		l.Warned = true
		return true
	case len(annotations) > MaxBoxes:
		l.flaw(attr, TooManyBoxes, "")
		return true
	}
	found, missing := 0, false
	for i, raw := range annotations {
		a, code := l.annotation(raw, classes)
		switch {
		case a == nil:
			l.flaw(attr, InvalidLabelAttribute, name)
			return false
		case code == "":
			found++
		case code == MissingClass:
			missing = true
		default:
			l.flaw(a, code, "")
		}
		annotations[i] = json.RawMessage(a.String())
	}
	if missing {
		l.flaw(meta, MissingClass, "")
	}
	if found == 0 {
		l.flaw(attr, NoValidAnnotations, "")
	}
	attr.setRaw("annotations", list(annotations))
	return true
}

// confidences looks for the confidence of each of n boxes, which is required and unused.
func (l *Line) confidences(meta *object, n int) {
	var objects []struct{ Confidence *float64 }
	_ = json.Unmarshal(meta.get("objects"), &objects) // another shape has none
	have := 0
	for _, o := range objects {
		if o.Confidence != nil {
			have++
		}
	}
	if have < n {
		l.flaw(meta, MissingConfidence, "")
	}
}

// annotation reads one box; a nil object is one that is none.
func (l *Line) annotation(raw json.RawMessage, classes map[string]string) (*object, Code) {
	a, err := parseObject(raw)
	var b Annotation
	if err != nil || json.Unmarshal(raw, &b) != nil || !b.Whole() {
		return nil, InvalidLabelAttribute
	}
	a.remove("errors")
	label, ok := classes[strconv.Itoa(*b.ClassID)]
	r := geom.Rect{X: *b.Left, Y: *b.Top, W: *b.Width, H: *b.Height}
	shrink := max(1, float64(max(l.W, l.H))/trainingSide)
	switch {
	case !ok:
		return a, MissingClass
	case !validLabel(label):
		return a, InvalidLabelName
	case r.X < 0 || r.Y < 0 || r.W < 0 || r.H < 0 || r.X+r.W > float64(l.W) || r.Y+r.H > float64(l.H):
		return a, InvalidBox
	case r.W/shrink <= 1 || r.H/shrink <= 1:
		return a, BoxTooSmall
	}
	l.Objects = append(l.Objects, Object{Label: label, Box: r})
	return a, ""
}

// flaw writes an error into the part of the line that it concerns.
func (l *Line) flaw(at *object, c Code, about string) {
	l.Failed = true
	at.addError(c, about)
}

// AddError returns a line's text with an error of the image added.
func AddError(text string, c Code) (string, error) {
	top, err := parseObject([]byte(text))
	if err != nil {
		return "", errors.New("a line that was read before is no JSON object")
	}
	top.addError(c, "")
	return top.String(), nil
}

// Add returns a line's text with an attribute and its metadata added or replaced.
func Add(text, name string, value, meta any) (string, error) {
	top, err := parseObject([]byte(text))
	if err != nil {
		return "", err
	}
	for i, v := range []any{value, meta} {
		raw, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		top.setRaw([]string{name, name + "-metadata"}[i], raw)
	}
	return top.String(), nil
}
