// Package cvat reads and writes the XML of CVAT, version 1.1 "for images"
// (docs.cvat.ai/docs/dataset_management/formats/format-cvat and docs.cvat.ai/docs/reference/xml_format).
// Tags are labels of the picture; boxes, ellipses, polygons and masks are objects.
package cvat

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"trilobite/dataset"
	"trilobite/geom"
)

// maxBytes bounds a file from outside.
const maxBytes = 4 << 30

// Is reports whether a file begins as CVAT's do.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	dec := xml.NewDecoder(io.LimitReader(f, 1<<16))
	for {
		t, err := dec.Token()
		if err != nil {
			return false
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name.Local == "annotations"
		}
	}
}

// Find returns the file that a picture's name stands for.
type Find func(name string) (path string, err error)

type meta struct {
	Task    []string `xml:"task>labels>label>name"`
	Job     []string `xml:"job>labels>label>name"`
	Project []string `xml:"project>labels>label>name"`
}

type picture struct {
	Name   string  `xml:"name,attr"`
	Subset string  `xml:"subset,attr"`
	Width  int     `xml:"width,attr"`
	Height int     `xml:"height,attr"`
	Shapes []shape `xml:",any"`
}

type shape struct {
	XMLName  xml.Name
	Label    string  `xml:"label,attr"`
	Occluded int     `xml:"occluded,attr"`
	Group    string  `xml:"group_id,attr"`
	XTL      float64 `xml:"xtl,attr"`
	YTL      float64 `xml:"ytl,attr"`
	XBR      float64 `xml:"xbr,attr"`
	YBR      float64 `xml:"ybr,attr"`
	Rotation float64 `xml:"rotation,attr"` // degrees, clockwise, about the middle
	CX       float64 `xml:"cx,attr"`
	CY       float64 `xml:"cy,attr"`
	RX       float64 `xml:"rx,attr"`
	RY       float64 `xml:"ry,attr"`
	Points   string  `xml:"points,attr"` // x,y;x,y
	RLE      string  `xml:"rle,attr"`
	Left     int     `xml:"left,attr"`
	Top      int     `xml:"top,attr"`
	Width    int     `xml:"width,attr"`
	Height   int     `xml:"height,attr"`
}

// Part is a file of a set.
type Part struct {
	Split string // of pictures without a subset: dataset.Train and so on, or ""
	Path  string
}

// Read returns the set of XML files, such as CVAT exports of each job, in the order of
// their pictures. Classes are the labels of their meta elements, and others that occur.
// What makes no sense is dropped: a picture, also where it comes twice, or one of its shapes.
func Read(parts []Part, find Find) (*dataset.Set, error) {
	r := &reader{set: &dataset.Set{Ignore: dataset.NoIgnore}, find: find, seen: map[string]bool{}}
	for _, p := range parts {
		if err := r.part(p); err != nil {
			return nil, fmt.Errorf("reading %s: %w", p.Path, err)
		}
	}
	if len(r.set.Images) == 0 {
		why := "it has no image elements"
		if len(r.set.Dropped) > 0 {
			why = r.set.Dropped[0].String()
		}
		return nil, fmt.Errorf("%s has no picture that is here: %s", parts[0].Path, why)
	}
	return r.set, nil
}

type reader struct {
	set     *dataset.Set
	find    Find
	classes dataset.Naming
	seen    map[string]bool

	Part // that is being read
}

func (r *reader) part(p Part) error {
	f, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.Part = p
	return r.parse(dataset.Limit(f, maxBytes, p.Path))
}

func (r *reader) parse(in io.Reader) error {
	dec := xml.NewDecoder(in)
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
		line, _ := dec.InputPos()
		switch start.Name.Local {
		case "meta":
			var m meta
			if err := dec.DecodeElement(&m, &start); err != nil {
				return err
			}
			for _, label := range slices.Concat(m.Project, m.Task, m.Job) {
				r.classes.Class(strings.TrimSpace(label))
			}
		case "image":
			var p picture
			err := dec.DecodeElement(&p, &start)
			if syntax := (*xml.SyntaxError)(nil); errors.As(err, &syntax) {
				return err
			}
			if err == nil {
				err = r.picture(&p, line)
			}
			if err != nil {
				r.set.Dropf(r.Path, line, "%v", err)
			}
		case "track":
			return errors.New("it is of a video: export the task as \"CVAT for images 1.1\"")
		}
	}
	r.set.Classes = r.classes.Names()
	return nil
}

// picture reads the picture at a line.
func (r *reader) picture(p *picture, line int) error {
	if r.seen[p.Name] {
		return fmt.Errorf("the picture %.200q comes twice", p.Name)
	}
	r.seen[p.Name] = true
	img := dataset.Image{W: max(0, p.Width), H: max(0, p.Height), Split: r.Split, Source: r.Path, Line: line}
	var err error
	if img.File, err = r.find(p.Name); err != nil {
		return err
	}
	if p.Subset != "" && !strings.EqualFold(p.Subset, "default") {
		var ok bool
		if img.Split, ok = dataset.SplitOf(p.Subset); !ok {
			r.set.Dropf(r.Path, line, "subset %.50q is neither Train, Validation nor Test: the picture has no split", p.Subset)
		}
	}
	groups := map[string]int{} // place in objects, by group and label
	var objects []dataset.Object
	for i := range p.Shapes {
		s := &p.Shapes[i]
		kind := s.XMLName.Local
		if s.Label == "" {
			r.set.Dropf(r.Path, line, "%.30s %d has no label", kind, i)
			continue
		}
		class := r.classes.Class(s.Label)
		if kind == "tag" {
			if !slices.Contains(img.Classes, class) {
				img.Classes = append(img.Classes, class)
			}
			continue
		}
		o, err := s.object(img.W, img.H)
		if err != nil {
			r.set.Dropf(r.Path, line, "%.30s %d, a %.50s: %v", kind, i, s.Label, err)
			continue
		}
		o.Class, o.Occluded = class, s.Occluded != 0
		key := s.Group + " " + s.Label
		if at, ok := groups[key]; ok && kind == "polygon" { // a further part of the same object
			objects[at].Polygons = append(objects[at].Polygons, o.Polygons...)
			continue
		}
		if kind == "polygon" && s.Group != "" && s.Group != "0" {
			groups[key] = len(objects)
		}
		objects = append(objects, o)
	}
	for _, o := range objects {
		if len(o.Polygons) > 1 {
			o.Box = slices.Concat(o.Polygons...).Bounds()
		}
		o.Area = o.OwnArea()
		r.set.Add(&img, o, r.Path, line)
	}
	r.set.Images = append(r.set.Images, img)
	return nil
}

// object returns a shape as an object of a picture of w×h.
func (s *shape) object(w, h int) (dataset.Object, error) {
	var o dataset.Object
	switch s.XMLName.Local {
	case "box":
		o.Box = geom.Rect{X: s.XTL, Y: s.YTL, W: s.XBR - s.XTL, H: s.YBR - s.YTL}
		if s.Rotation != 0 {
			middle := geom.Point{X: s.XTL + o.Box.W/2, Y: s.YTL + o.Box.H/2}
			o.Polygons = []geom.Polygon{o.Box.Rotate(middle, s.Rotation*math.Pi/180)}
		}
	case "ellipse":
		o.Polygons = []geom.Polygon{geom.Ellipse(geom.Point{X: s.CX, Y: s.CY}, s.RX, s.RY, s.Rotation*math.Pi/180)}
	case "polygon":
		p, err := points(s.Points)
		if err != nil {
			return o, err
		}
		o.Polygons = []geom.Polygon{p}
	case "mask":
		rle, err := s.mask(w, h)
		if err != nil {
			return o, err
		}
		o.RLE, o.Box = rle, rle.Bounds()
	default:
		return o, errors.New("it encloses nothing")
	}
	if len(o.Polygons) > 0 {
		if err := dataset.CheckPolygon(o.Polygons[0]); err != nil {
			return o, err
		}
		o.Box = o.Polygons[0].Bounds()
	}
	return o, nil
}

func points(text string) (geom.Polygon, error) {
	var p geom.Polygon
	for pair := range strings.SplitSeq(text, ";") {
		x, y, _ := strings.Cut(pair, ",")
		px, errX := strconv.ParseFloat(strings.TrimSpace(x), 64)
		py, errY := strconv.ParseFloat(strings.TrimSpace(y), 64)
		if errX != nil || errY != nil {
			return nil, fmt.Errorf("%.50q is no point", pair)
		}
		p = append(p, geom.Point{X: px, Y: py})
	}
	return p, nil
}

// maxMask bounds the pixels of a mask, as imageio does of a picture.
const maxMask = 100_000_000

// mask reads the pixels of a mask: runs that are out and in by turns, row by row, of the
// part of the picture that begins at left, top and has width and height.
func (s *shape) mask(w, h int) (*geom.RLE, error) {
	if w < 1 || h < 1 || w > maxMask/h || s.Left < 0 || s.Top < 0 || s.Width < 1 || s.Height < 1 || s.Left > w-s.Width || s.Top > h-s.Height {
		return nil, fmt.Errorf("a mask of %d×%d at %d, %d of a picture of %d×%d", s.Width, s.Height, s.Left, s.Top, w, h)
	}
	pixels := make([]uint8, w*h)
	at, in := 0, false
	for field := range strings.SplitSeq(s.RLE, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 0 || n > s.Width*s.Height-at {
			return nil, fmt.Errorf("a run of %.20q pixels at %d of %d", field, at, s.Width*s.Height)
		}
		for end := at + n; at < end; at++ {
			if in {
				pixels[(s.Top+at/s.Width)*w+s.Left+at%s.Width] = 1
			}
		}
		in = !in
	}
	r := geom.EncodeRLE(pixels, w, h)
	if r.Area() == 0 {
		return nil, errors.New("the mask is empty")
	}
	return &r, nil
}
