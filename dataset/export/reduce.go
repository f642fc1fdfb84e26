package export

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/geom"
	"trilobite/imageio"
)

// Loss is one kind of thing that a format cannot say of a set.
type Loss struct {
	What  string `json:"what"`
	Count int    `json:"count"`
	First string `json:"first"` // the picture or class that was the first to lose it
}

// Reduce returns what of s a format can say, and counts what it cannot. Masks that have
// to be drawn go to the folder drawn.
//
// In short: outlines become boxes where there are only boxes, and pixels outlines; masks
// become objects, one of each class, and outlined objects masks, where the format has but
// the other; labels beyond the first, splits and flags fall away; pictures of which
// nothing is left to say are left out where the format cannot list them.
func Reduce(s *dataset.Set, can dataset.Feature, drawn string) (*dataset.Set, []Loss, error) {
	r := &reducer{can: can, set: copySet(s)}
	splits(r.set)
	r.measure()
	if err := r.kinds(drawn); err != nil {
		return nil, nil, err
	}
	for i := range r.set.Images {
		r.picture(&r.set.Images[i])
	}
	r.set.Images = slices.DeleteFunc(r.set.Images, r.unsayable)
	if err := r.classes(); err != nil {
		return nil, nil, err
	}
	return r.set, r.losses, nil
}

// copySet copies what Reduce changes.
func copySet(s *dataset.Set) *dataset.Set {
	out := *s
	out.Classes = slices.Clone(s.Classes)
	out.Images = slices.Clone(s.Images)
	for i := range out.Images {
		img := &out.Images[i]
		img.Classes, img.Objects = slices.Clone(img.Classes), slices.Clone(img.Objects)
	}
	return &out
}

type reducer struct {
	can    dataset.Feature
	set    *dataset.Set
	losses []Loss
}

// losef counts a loss.
func (r *reducer) losef(first, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	for i := range r.losses {
		if r.losses[i].What == what {
			r.losses[i].Count++
			return
		}
	}
	r.losses = append(r.losses, Loss{what, 1, first})
}

// measure looks up the sizes that are not known, and leaves out pictures that cannot be
// read.
func (r *reducer) measure() {
	r.set.Images = slices.DeleteFunc(r.set.Images, func(img dataset.Image) bool {
		_, err := os.Stat(img.File)
		if err != nil {
			r.losef(img.File, "pictures that are not there")
		}
		return err != nil
	})
	for i := range r.set.Images {
		img := &r.set.Images[i]
		if img.W > 0 && img.H > 0 {
			continue
		}
		h, err := imageio.ProbeFile(img.File)
		if err != nil && (len(img.Objects) > 0 || img.Mask != "") {
			r.losef(img.File, "objects and masks of pictures whose size cannot be read")
			img.Objects, img.Mask = nil, ""
		}
		img.W, img.H = h.W, h.H
	}
}

// kinds turns masks into objects or objects into masks where the format has but the
// other.
func (r *reducer) kinds(drawn string) error {
	masked := slices.ContainsFunc(r.set.Images, func(img dataset.Image) bool { return img.Mask != "" })
	objects := slices.ContainsFunc(r.set.Images, func(img dataset.Image) bool { return len(img.Objects) > 0 })
	switch {
	case masked && !r.can.Has(dataset.Masks):
		return r.masksToObjects()
	case objects && !masked && r.can.Has(dataset.Masks) && !r.can.Has(dataset.Boxes):
		return r.objectsToMasks(drawn)
	}
	return nil
}

func (r *reducer) masksToObjects() error {
	for i := range r.set.Images {
		img := &r.set.Images[i]
		if img.Mask == "" {
			continue
		}
		if r.can&(dataset.Pixels|dataset.Polygons) == 0 {
			r.losef(img.Title(), "masks")
			img.Mask = ""
			continue
		}
		r.losef(img.Title(), "masks, which became an object for each of their classes")
		m, err := masks.Load(r.set, img)
		if err != nil {
			return err
		}
		if slices.Contains(m.Pix, dataset.IgnoreValue) {
			r.losef(img.Title(), "masks with pixels that count nowhere, which became background")
		}
		for c, name := range r.set.Classes {
			in := make([]uint8, len(m.Pix))
			for p, v := range m.Pix {
				if int(v) == c {
					in[p] = 1
				}
			}
			rle := geom.EncodeRLE(in, m.W, m.H)
			if rle.Area() > 0 && name != masks.Background {
				img.Objects = append(img.Objects, dataset.Object{Class: c, Box: rle.Bounds(), Area: float64(rle.Area()), RLE: &rle})
			}
		}
		img.Mask = ""
	}
	r.set.Ignore, r.set.Colors, r.set.Values = dataset.NoIgnore, nil, nil
	return nil
}

func (r *reducer) objectsToMasks(drawn string) error {
	out, err := masks.Outlined(r.set)
	if err != nil {
		return err
	}
	for _, d := range out.Dropped[len(r.set.Dropped):] {
		r.losef(d.String(), "pictures with objects that have no outline")
	}
	out.Colors, out.Values = nil, nil
	for i := range out.Images {
		img := &out.Images[i]
		m, err := masks.Draw(img)
		if err != nil {
			return err
		}
		data, err := m.Encode()
		if err != nil {
			return err
		}
		for range img.Objects {
			r.losef(img.Title(), "objects, which became pixels of masks")
		}
		img.Mask, img.Objects = filepath.Join(drawn, fmt.Sprintf("%d.png", i)), nil
		if err := os.WriteFile(img.Mask, data, 0o644); err != nil {
			return err
		}
	}
	r.set = out
	return nil
}

// picture takes from a picture what cannot be said.
func (r *reducer) picture(img *dataset.Image) {
	name := img.Title()
	if img.Split != "" && !r.can.Has(dataset.Parted) {
		r.losef(name, "splits")
		img.Split = ""
	}
	switch n := len(img.Classes); {
	case n > 0 && !r.can.Has(dataset.Labels):
		for range n {
			r.losef(name, "labels of whole pictures")
		}
		img.Classes = nil
	case n > 1 && !r.can.Has(dataset.ManyLabels):
		for range n - 1 {
			r.losef(name, "labels beyond the first")
		}
		slices.SortFunc(img.Classes, func(a, b int) int { return cmp.Compare(r.set.Classes[a], r.set.Classes[b]) })
		img.Classes = img.Classes[:1] // by the alphabet: labels have no order
	}
	if !r.can.Has(dataset.Boxes) {
		for range img.Objects {
			r.losef(name, "objects")
		}
		img.Objects = nil
	}
	for i := range img.Objects {
		r.object(&img.Objects[i], img)
	}
}

// object takes from an object what cannot be said.
func (r *reducer) object(o *dataset.Object, img *dataset.Image) {
	name := img.Title()
	for _, f := range []struct {
		flag *bool
		of   dataset.Feature
		what string
	}{
		{&o.Crowd, dataset.Crowds, "marks of crowds"}, {&o.Difficult, dataset.Difficult, "marks of difficult objects"},
		{&o.Truncated, dataset.Truncated, "marks of truncated objects"}, {&o.Occluded, dataset.Occluded, "marks of occluded objects"},
	} {
		if *f.flag && !r.can.Has(f.of) {
			r.losef(name, "%s", f.what)
			*f.flag = false
		}
	}
	if o.RLE != nil && !r.can.Has(dataset.Pixels) {
		if r.can.Has(dataset.Polygons) {
			r.losef(name, "objects' pixels, which became outlines without holes")
			o.Polygons = trace(o.RLE)
		} else {
			r.losef(name, "outlines, of which boxes stay")
		}
		o.RLE = nil
	} else if len(o.Polygons) > 0 && !r.can.Has(dataset.Polygons) {
		r.losef(name, "outlines, of which boxes stay")
		o.Polygons = nil
	}
	if len(o.Polygons) > 1 && !r.can.Has(dataset.Parts) {
		r.losef(name, "parts of outlines, which were joined by lines")
		o.Polygons = []geom.Polygon{geom.Join(o.Polygons)}
	}
	r.box(o, img)
	if own := o.OwnArea(); !r.can.Has(dataset.Areas) {
		if math.Abs(own-o.Area) > 1e-6*own {
			r.losef(name, "areas other than those of outlines and boxes")
		}
		o.Area = own
	}
}

// box keeps a box inside its picture and, where it cannot be said beside the outline, to
// that.
func (r *reducer) box(o *dataset.Object, img *dataset.Image) {
	const nothing = 0.01 // pixels: boxes of COCO are rounded so
	if o.Outlined() && !r.can.Has(dataset.OwnBoxes) {
		b := slices.Concat(o.Polygons...).Bounds()
		if o.RLE != nil {
			b = o.RLE.Bounds()
		}
		if max(math.Abs(b.X-o.Box.X), math.Abs(b.Y-o.Box.Y), math.Abs(b.X+b.W-o.Box.X-o.Box.W), math.Abs(b.Y+b.H-o.Box.Y-o.Box.H)) > nothing {
			r.losef(img.Title(), "boxes other than their outlines'")
		}
		o.Box = b
	}
	if img.W < 1 || img.H < 1 {
		return
	}
	w, h := float64(img.W), float64(img.H)
	inside := geom.Rect{X: max(0, o.Box.X), Y: max(0, o.Box.Y)}
	inside.W, inside.H = min(w, o.Box.X+o.Box.W)-inside.X, min(h, o.Box.Y+o.Box.H)-inside.Y
	if inside != o.Box && max(o.Box.W-inside.W, o.Box.H-inside.H) > nothing {
		r.losef(img.Title(), "edges outside their picture")
	}
	if o.Area == o.Box.Area() {
		o.Area = inside.Area()
	}
	o.Box = inside
	for i, p := range o.Polygons {
		o.Polygons[i] = slices.Clone(p)
		for k, q := range p {
			o.Polygons[i][k] = geom.Point{X: min(w, max(0, q.X)), Y: min(h, max(0, q.Y))}
		}
	}
}

// trace returns the outer outlines of pixels.
func trace(r *geom.RLE) []geom.Polygon {
	mask := make([]uint8, r.W*r.H)
	r.Fill(mask, 1)
	var out []geom.Polygon
	for _, g := range geom.Trace(mask, r.W, r.H) {
		if g.Class == 1 {
			out = append(out, g.Outer)
		}
	}
	return out
}

// unsayable reports whether the format cannot list a picture, of which too little is
// said.
func (r *reducer) unsayable(img dataset.Image) bool {
	switch {
	case len(img.Classes)+len(img.Objects) > 0 || img.Mask != "" || r.can.Has(dataset.Unlabelled):
		return false
	case r.can.Has(dataset.Masks):
		r.losef(img.Title(), "pictures without masks")
	default:
		r.losef(img.Title(), "pictures without labels")
	}
	return true
}
