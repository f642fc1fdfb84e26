package cvat

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trilobite/dataset"
	"trilobite/geom"
)

// Says is what the format can write down.
const Says = dataset.Labels | dataset.ManyLabels | dataset.Boxes | dataset.Polygons | dataset.Parts | dataset.Pixels | dataset.Parted |
	dataset.Occluded | dataset.ClassOrder | dataset.UnusedClasses | dataset.Unlabelled

type savedShape struct {
	XMLName  xml.Name
	Label    string   `xml:"label,attr"`
	Source   string   `xml:"source,attr"`
	Occluded *int     `xml:"occluded,attr"`
	XTL      *float64 `xml:"xtl,attr"`
	YTL      *float64 `xml:"ytl,attr"`
	XBR      *float64 `xml:"xbr,attr"`
	YBR      *float64 `xml:"ybr,attr"`
	Points   string   `xml:"points,attr,omitempty"`
	RLE      string   `xml:"rle,attr,omitempty"`
	Left     *int     `xml:"left,attr"`
	Top      *int     `xml:"top,attr"`
	Width    *int     `xml:"width,attr"`
	Height   *int     `xml:"height,attr"`
	Z        *int     `xml:"z_order,attr"`
	Group    int      `xml:"group_id,attr,omitempty"`
}

type savedPicture struct {
	XMLName xml.Name `xml:"image"`
	ID      int      `xml:"id,attr"`
	Name    string   `xml:"name,attr"`
	Subset  string   `xml:"subset,attr,omitempty"`
	Width   int      `xml:"width,attr"`
	Height  int      `xml:"height,attr"`
	Shapes  []savedShape
}

type savedMeta struct {
	XMLName xml.Name `xml:"meta"`
	Work    savedWork
	Dumped  string `xml:"dumped"`
}

// savedWork is a task, whose pictures are of one subset, or a project.
type savedWork struct {
	XMLName xml.Name
	Size    int          `xml:"size"`
	Mode    string       `xml:"mode"`
	Subsets []string     `xml:"subset"`
	Labels  []savedLabel `xml:"labels>label"`
}

type savedLabel struct {
	Name       string   `xml:"name"`
	Attributes struct{} `xml:"attributes"`
}

// subsets lists those of the pictures, in the order of the splits.
func subsets(s *dataset.Set) []string {
	var out []string
	for _, split := range dataset.Splits() {
		if slices.ContainsFunc(s.Images, func(img dataset.Image) bool { return img.Split == split }) {
			out = append(out, subset(split))
		}
	}
	return out
}

// Write writes annotations.xml and the pictures to images/. Parts of an outline share a
// group. The pictures' sizes are known.
func Write(out *dataset.Folder, s *dataset.Set) error {
	return out.Write("annotations.xml", func(b *bufio.Writer) error {
		fmt.Fprint(b, xml.Header+"<annotations>\n<version>1.1</version>\n")
		enc := xml.NewEncoder(b)
		enc.Indent("", " ")
		m := savedMeta{Work: savedWork{XMLName: xml.Name{Local: "task"}, Size: len(s.Images), Mode: "annotation", Subsets: subsets(s)}, Dumped: out.Created}
		if len(m.Work.Subsets) > 0 {
			m.Work.XMLName.Local = "project"
		}
		for _, name := range s.Classes {
			m.Work.Labels = append(m.Work.Labels, savedLabel{Name: name})
		}
		if err := enc.Encode(m); err != nil {
			return err
		}
		for i := range s.Images {
			img := &s.Images[i]
			if err := out.Add(img.File, dataset.In(img.Name, "images")); err != nil {
				return err
			}
			p := savedPicture{ID: i, Name: img.Name, Subset: subset(img.Split), Width: img.W, Height: img.H, Shapes: shapes(s, img)}
			if err := enc.Encode(p); err != nil {
				return err
			}
		}
		_, err := fmt.Fprint(b, "\n</annotations>\n")
		return err
	})
}

// subset returns CVAT's name of a split.
func subset(split string) string {
	return map[string]string{dataset.Train: "Train", dataset.Val: "Validation", dataset.Test: "Test"}[split]
}

func shapes(s *dataset.Set, img *dataset.Image) []savedShape {
	var all []savedShape
	for _, c := range img.Classes {
		all = append(all, savedShape{XMLName: xml.Name{Local: "tag"}, Label: s.Classes[c], Source: "manual"})
	}
	groups := 0
	for _, o := range img.Objects {
		var occluded, z int
		if o.Occluded {
			occluded = 1
		}
		v := savedShape{Label: s.Classes[o.Class], Source: "manual", Occluded: &occluded, Z: &z}
		switch {
		case o.RLE != nil:
			v.XMLName.Local = "mask"
			v.mask(o.RLE)
			all = append(all, v)
		case len(o.Polygons) > 0:
			v.XMLName.Local = "polygon"
			if len(o.Polygons) > 1 {
				groups++
				v.Group = groups
			}
			for _, p := range o.Polygons {
				v.Points = list(p)
				all = append(all, v)
			}
		default:
			v.XMLName.Local = "box"
			right, bottom := o.Box.X+o.Box.W, o.Box.Y+o.Box.H
			v.XTL, v.YTL, v.XBR, v.YBR = &o.Box.X, &o.Box.Y, &right, &bottom
			all = append(all, v)
		}
	}
	return all
}

func list(p geom.Polygon) string {
	text := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	pairs := make([]string, len(p))
	for i, q := range p {
		pairs[i] = text(q.X) + "," + text(q.Y)
	}
	return strings.Join(pairs, ";")
}

// mask writes pixels as runs of their bounds' rows, the first of them out.
func (v *savedShape) mask(r *geom.RLE) {
	b := r.Bounds()
	left, top, width, height := int(b.X), int(b.Y), int(b.W), int(b.H)
	v.Left, v.Top, v.Width, v.Height = &left, &top, &width, &height
	pixels := make([]uint8, r.W*r.H)
	r.Fill(pixels, 1)
	var runs []string
	run, now := 0, uint8(0)
	for i := range width * height {
		if p := pixels[(top+i/width)*r.W+left+i%width]; p != now {
			runs = append(runs, strconv.Itoa(run))
			run, now = 0, p
		}
		run++
	}
	v.RLE = strings.Join(append(runs, strconv.Itoa(run)), ", ")
}
