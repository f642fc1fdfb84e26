package manifest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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

type boxes struct {
	Annotations []struct {
		Class  json.Number `json:"class_id"`
		Left   float64     `json:"left"`
		Top    float64     `json:"top"`
		Width  float64     `json:"width"`
		Height float64     `json:"height"`
	} `json:"annotations"`
}

// ParseLine reads a line. Every attribute with metadata of a kind that is known adds its
// labels: image-classification the one of its metadata, whatever its value, and several
// such attributes several; image-classification-multilabel those of its list;
// object-detection its boxes; semantic-segmentation its mask. Other kinds are passed over.
func ParseLine(data []byte) (Line, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return Line{}, fmt.Errorf("no JSON object: %w", err)
	}
	var l Line
	if raw, ok := fields["source-ref"]; !ok {
		return l, errors.New("there is no source-ref")
	} else if err := json.Unmarshal(raw, &l.Ref); err != nil || l.Ref == "" {
		return l, fmt.Errorf("source-ref %.100s is no name of a picture", raw)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		attribute, ok := strings.CutSuffix(key, "-metadata")
		if !ok {
			continue
		}
		var m metadata
		if err := json.Unmarshal(fields[key], &m); err != nil {
			l.Bad = append(l.Bad, fmt.Errorf("%.100s: %w", key, err))
			continue
		}
		value, ok := fields[attribute]
		if !ok {
			l.Bad = append(l.Bad, fmt.Errorf("%.100s has no attribute %.100s", key, attribute))
			continue
		}
		if err := l.add(value, m); err != nil {
			l.Bad = append(l.Bad, fmt.Errorf("%.100s: %w", attribute, err))
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
	case "groundtruth/image-classification":
		if m.ClassName == "" {
			return errors.New("its metadata has no class-name")
		}
		l.Labelled = true
		l.Labels = append(l.Labels, m.ClassName)
		return nil
	case "groundtruth/image-classification-multilabel":
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
	case "groundtruth/object-detection":
		var b boxes
		if err := json.Unmarshal(value, &b); err != nil {
			return err
		}
		l.Labelled = true
		for i, a := range b.Annotations {
			name, ok := m.ClassMap[a.Class.String()]
			if !ok {
				l.Bad = append(l.Bad, fmt.Errorf("annotation %d: class-map has no class %s", i, a.Class))
				continue
			}
			l.Boxes = append(l.Boxes, Box{name, geom.Rect{X: a.Left, Y: a.Top, W: a.Width, H: a.Height}})
		}
		return nil
	case "groundtruth/semantic-segmentation":
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
