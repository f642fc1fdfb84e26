package voc

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"trilobite/dataset"
	"trilobite/geom"
)

type size struct {
	Width  string `xml:"width"`
	Height string `xml:"height"`
}

type object struct {
	Name      string `xml:"name"`
	Truncated string `xml:"truncated"`
	Difficult string `xml:"difficult"`
	Occluded  string `xml:"occluded"`
	Box       struct {
		XMin string `xml:"xmin"`
		YMin string `xml:"ymin"`
		XMax string `xml:"xmax"`
		YMax string `xml:"ymax"`
	} `xml:"bndbox"`
}

// parse reads one picture's XML from in, called path, into img. Objects that make no
// sense are dropped; an error is of the whole file.
func (r *reader) parse(in io.Reader, path string, img *dataset.Image) error {
	dec := xml.NewDecoder(in)
	if err := root(dec); err != nil {
		return err
	}
	type found struct {
		object
		line int
	}
	var objects []found
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch line, _ := dec.InputPos(); start.Name.Local {
		case "size":
			var v size
			if err := dec.DecodeElement(&v, &start); err != nil {
				return err
			}
			img.W, img.H = pixels(v.Width), pixels(v.Height)
		case "object":
			o := found{line: line}
			if err := dec.DecodeElement(&o.object, &start); err != nil {
				return err
			}
			objects = append(objects, o)
		default:
			if err := dec.Skip(); err != nil {
				return err
			}
		}
	}
	for _, f := range objects { // after size, wherever it stood
		if o, err := r.object(f.object); err != nil {
			r.set.Dropf(path, f.line, "%v", err)
		} else {
			r.set.Add(img, o, path, f.line)
		}
	}
	return nil
}

// root reads up to the annotation element.
func root(dec *xml.Decoder) error {
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return errors.New("no annotation element")
		} else if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if e.Name.Local != "annotation" {
				return fmt.Errorf("begins with the element %.50q, not with annotation", e.Name.Local)
			}
			return nil
		}
	}
}

// pixels reads a side of a picture; 0, unknown, where it is no sensible number.
func pixels(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return n
}

// isTrue reads a flag: 1, or the shares above 0 that some tools write for truncated.
func isTrue(text string) bool {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil && v > 0
}

func (r *reader) object(f object) (dataset.Object, error) {
	name := strings.TrimSpace(f.Name)
	if name == "" {
		return dataset.Object{}, errors.New("an object without a name")
	}
	var v [4]float64
	for i, text := range [...]string{f.Box.XMin, f.Box.YMin, f.Box.XMax, f.Box.YMax} {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return dataset.Object{}, fmt.Errorf("bndbox: %.50q is no number", text)
		}
		v[i] = n
	}
	o := dataset.Object{Class: r.classes.Class(name), Box: geom.Rect{X: v[0], Y: v[1], W: v[2] - v[0], H: v[3] - v[1]}}
	o.Area = o.Box.Area()
	o.Difficult, o.Truncated, o.Occluded = isTrue(f.Difficult), isTrue(f.Truncated), isTrue(f.Occluded)
	return o, nil
}
