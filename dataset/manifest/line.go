package manifest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"trilobite/dataset/groundtruth"
	"trilobite/geom"
)

// Line is one picture of a manifest.
type Line struct {
	Ref    string // source-ref: s3://bucket/key, or a path from the manifest
	Labels []string
	Boxes  []Box
	Mask   *Mask // nil: none
	// Bad are annotations of the line that cannot be used; the others can.
	Bad []error
	// Labelled says that some attribute said what there is, though it be nothing.
	Labelled bool
}

// Box is an object in a picture.
type Box struct {
	Label string
	Rect  geom.Rect // pixels
}

// Mask is a picture of classes.
type Mask struct {
	Ref     string
	Classes []MaskClass
}

// MaskClass is what a colour of a mask stands for.
type MaskClass struct {
	Name  string
	Color [3]uint8
}

type metadata struct {
	Type      string            `json:"type"`
	ClassName string            `json:"class-name"`
	ClassMap  map[string]string `json:"class-map"`
	ColorMap  map[string]struct {
		ClassName string `json:"class-name"`
		HexColor  string `json:"hex-color"`
	} `json:"internal-color-map"`
}

// ParseLine reads a line. Every attribute with metadata of a kind that is known adds its
// labels: image-classification the one of its metadata, whatever its value, and several
// such attributes several; image-classification-multilabel those of its list;
// object-detection its boxes; semantic-segmentation its mask. Other kinds are passed over.
func ParseLine(data []byte) (Line, error) {
	var l Line
	ref, attributes, err := groundtruth.Attributes(data)
	switch {
	case err != nil:
		return l, fmt.Errorf("no JSON object: %w", err)
	case ref == nil:
		return l, errors.New("there is no source-ref")
	}
	if err := json.Unmarshal(ref, &l.Ref); err != nil || l.Ref == "" {
		return l, fmt.Errorf("source-ref %.100s is no name of a picture", ref)
	}
	for _, a := range attributes {
		var m metadata
		if err := json.Unmarshal(a.Meta, &m); err != nil {
			l.Bad = append(l.Bad, fmt.Errorf("%.100s-metadata: %w", a.Name, err))
			continue
		}
		if a.Value == nil {
			l.Bad = append(l.Bad, fmt.Errorf("%.100s-metadata has no attribute %.100s", a.Name, a.Name))
			continue
		}
		if err := l.add(a.Value, m); err != nil {
			l.Bad = append(l.Bad, fmt.Errorf("%.100s: %w", a.Name, err))
		}
	}
	if !l.Labelled && l.Mask == nil && len(l.Bad) == 0 {
		return l, errors.New("there is no label attribute with metadata")
	}
	return l, nil
}

// add adds what an attribute says.
func (l *Line) add(value json.RawMessage, m metadata) error {
	switch m.Type {
	case groundtruth.Classification:
		if m.ClassName == "" {
			return errors.New("its metadata has no class-name")
		}
		l.Labelled = true
		l.Labels = append(l.Labels, m.ClassName)
		return nil
	case groundtruth.ManyLabels:
		var ids []json.Number
		if err := json.Unmarshal(value, &ids); err != nil {
			return err
		}
		for _, id := range ids {
			name, ok := m.ClassMap[id.String()]
			if !ok {
				return fmt.Errorf("class-map has no class %s", id)
			}
			l.Labels = append(l.Labels, name)
		}
		l.Labelled = true
		return nil
	case groundtruth.Detection:
		var b struct {
			Annotations []groundtruth.Annotation `json:"annotations"`
		}
		if err := json.Unmarshal(value, &b); err != nil {
			return err
		}
		l.Labelled = true
		for i, a := range b.Annotations {
			if !a.Whole() {
				l.Bad = append(l.Bad, fmt.Errorf("annotation %d lacks class_id, left, top, width or height", i))
				continue
			}
			name, ok := m.ClassMap[strconv.Itoa(*a.ClassID)]
			if !ok {
				l.Bad = append(l.Bad, fmt.Errorf("annotation %d: class-map has no class %d", i, *a.ClassID))
				continue
			}
			l.Boxes = append(l.Boxes, Box{name, geom.Rect{X: *a.Left, Y: *a.Top, W: *a.Width, H: *a.Height}})
		}
		return nil
	case groundtruth.Segmentation:
		return l.addMask(value, m)
	}
	return nil
}

func (l *Line) addMask(value json.RawMessage, m metadata) error {
	mask := &Mask{}
	if err := json.Unmarshal(value, &mask.Ref); err != nil {
		return err
	}
	if len(m.ColorMap) == 0 {
		return errors.New("its metadata has no internal-color-map")
	}
	for _, key := range slices.Sorted(maps.Keys(m.ColorMap)) {
		c := m.ColorMap[key]
		rgb, err := hex.DecodeString(strings.TrimPrefix(c.HexColor, "#"))
		if err != nil || len(rgb) != 3 || c.ClassName == "" {
			return fmt.Errorf("internal-color-map: class %.100q has the colour %.20q", c.ClassName, c.HexColor)
		}
		mask.Classes = append(mask.Classes, MaskClass{c.ClassName, [3]uint8(rgb)})
	}
	l.Mask = mask
	return nil
}
