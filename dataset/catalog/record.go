package catalog

import (
	"fmt"
	"strconv"

	"trilobite/blobs"
	"trilobite/dataset"
	"trilobite/geom"
)

// record is a picture's line. Classes go by name, so that a line can be written before
// all classes are known.
type record struct {
	Name     string    `json:"name"`
	Sum      blobs.Sum `json:"sha256"`
	W        int       `json:"w,omitempty"`
	H        int       `json:"h,omitempty"`
	Split    string    `json:"split,omitempty"`
	Labels   []string  `json:"labels,omitempty"`
	Negative bool      `json:"negative,omitempty"`
	Objects  []object  `json:"objects,omitempty"`
	Mask     blobs.Sum `json:"mask,omitempty"`
	Source   string    `json:"source,omitempty"`
	Line     int       `json:"line,omitempty"`
}

type object struct {
	Class     string      `json:"class"`
	Box       [4]float64  `json:"box"` // left, top, width, height
	Area      float64     `json:"area"`
	Crowd     bool        `json:"crowd,omitempty"`
	Difficult bool        `json:"difficult,omitempty"`
	Truncated bool        `json:"truncated,omitempty"`
	Occluded  bool        `json:"occluded,omitempty"`
	Polygons  [][]float64 `json:"polygons,omitempty"` // x and y by turns
	RLE       *rle        `json:"rle,omitempty"`
	Line      int         `json:"line,omitempty"`
}

type rle struct {
	W      int    `json:"w"`
	H      int    `json:"h"`
	Counts string `json:"counts"` // COCO's compressed run lengths
}

// newRecord returns the line of img, whose files have the sums.
func newRecord(classes []string, img *dataset.Image, name string, sum, mask blobs.Sum) record {
	r := record{Name: name, Sum: sum, W: img.W, H: img.H, Split: img.Split, Mask: mask, Source: img.Source, Line: img.Line, Negative: img.Negative}
	for _, c := range img.Classes {
		r.Labels = append(r.Labels, className(classes, c))
	}
	for _, o := range img.Objects {
		v := object{Class: className(classes, o.Class), Box: [4]float64{o.Box.X, o.Box.Y, o.Box.W, o.Box.H}, Area: o.Area,
			Crowd: o.Crowd, Difficult: o.Difficult, Truncated: o.Truncated, Occluded: o.Occluded, Line: o.Line}
		for _, p := range o.Polygons {
			flat := make([]float64, 0, 2*len(p))
			for _, q := range p {
				flat = append(flat, q.X, q.Y)
			}
			v.Polygons = append(v.Polygons, flat)
		}
		if o.RLE != nil {
			v.RLE = &rle{o.RLE.W, o.RLE.H, o.RLE.String()}
		}
		r.Objects = append(r.Objects, v)
	}
	return r
}

// className is what a class is called in lines: its number after # where it has no name of
// its own.
func className(classes []string, c int) string {
	if classes[c] == "" {
		return "#" + strconv.Itoa(c)
	}
	return classes[c]
}

// image returns the picture of a line, whose files are at the paths. byName has the
// number of each class.
func (r *record) image(byName map[string]int, file, mask string) (dataset.Image, error) {
	img := dataset.Image{File: file, Name: r.Name, Split: r.Split, W: r.W, H: r.H, Mask: mask, Source: r.Source, Line: r.Line, Negative: r.Negative}
	for _, name := range r.Labels {
		c, ok := byName[name]
		if !ok {
			return img, fmt.Errorf("class %q is not in the list", name)
		}
		img.Classes = append(img.Classes, c)
	}
	for _, v := range r.Objects {
		c, ok := byName[v.Class]
		if !ok {
			return img, fmt.Errorf("class %q is not in the list", v.Class)
		}
		o := dataset.Object{Class: c, Box: geom.Rect{X: v.Box[0], Y: v.Box[1], W: v.Box[2], H: v.Box[3]}, Area: v.Area,
			Crowd: v.Crowd, Difficult: v.Difficult, Truncated: v.Truncated, Occluded: v.Occluded, Line: v.Line}
		for _, flat := range v.Polygons {
			var p geom.Polygon
			for i := 0; i+1 < len(flat); i += 2 {
				p = append(p, geom.Point{X: flat[i], Y: flat[i+1]})
			}
			o.Polygons = append(o.Polygons, p)
		}
		if v.RLE != nil {
			m, err := geom.ParseRLE(v.RLE.W, v.RLE.H, v.RLE.Counts)
			if err != nil {
				return img, err
			}
			o.RLE = &m
		}
		img.Objects = append(img.Objects, o)
	}
	return img, nil
}
