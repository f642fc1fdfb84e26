package masks

import (
	"cmp"
	"fmt"
	"slices"

	"trilobite/dataset"
	"trilobite/geom"
)

// Background is the class of pixels that no outline covers.
const Background = "background"

// Outlined returns the set, whose objects have outlines, as one for semantic
// segmentation: class 0 is the background and the other classes follow. Draw makes the
// masks. A picture with an object that has no outline, or of unknown size, is dropped:
// part of it would be called background and is not. Pixels of crowds do not count.
func Outlined(s *dataset.Set) (*dataset.Set, error) {
	out := *s
	out.Classes = []string{Background}
	to := make([]int, len(s.Classes)) // 0: the background itself, where the set names it
	for c, name := range s.Classes {
		if name != Background {
			to[c] = len(out.Classes)
			out.Classes = append(out.Classes, name)
		}
	}
	if len(out.Classes) > maxClasses {
		return nil, fmt.Errorf("%d classes, a mask has room for %d", len(out.Classes), maxClasses)
	}
	out.Images, out.Dropped = nil, slices.Clone(s.Dropped)
	for _, img := range s.Images {
		without := slices.IndexFunc(img.Objects, func(o dataset.Object) bool { return len(o.Polygons) == 0 && o.RLE == nil })
		switch {
		case without >= 0:
			out.Dropf(img.File, 0, "object %d, a %s, has no outline", without+1, s.Classes[img.Objects[without].Class])
			continue
		case img.W < 1 || img.H < 1:
			out.Dropf(img.File, 0, "its size is not known")
			continue
		}
		img.Objects = slices.Clone(img.Objects)
		for i := range img.Objects {
			img.Objects[i].Class = to[img.Objects[i].Class]
			if img.Objects[i].Crowd {
				out.Ignore = IgnoreValue
			}
		}
		out.Images = append(out.Images, img)
	}
	return &out, nil
}

// Draw returns the mask that a picture's outlines make: 0 where there is none, and where
// they overlap the smaller object, which is likely the one in front. The parts of one
// object are united. The picture is one of a set of Outlined.
func Draw(img *dataset.Image) (*Mask, error) {
	if img.W < 1 || img.H < 1 || img.W > maxDrawn/img.H {
		return nil, fmt.Errorf("%s: a mask of %d×%d pixels", img.File, img.W, img.H)
	}
	m := &Mask{img.W, img.H, make([]uint8, img.W*img.H)}
	objects := slices.Clone(img.Objects)
	slices.SortStableFunc(objects, func(a, b dataset.Object) int { return cmp.Compare(b.Area, a.Area) })
	for _, o := range objects {
		value := uint8(o.Class)
		if o.Crowd {
			value = IgnoreValue
		}
		for _, r := range outlines(o, img) {
			r.Fill(m.Pix, value)
		}
	}
	return m, nil
}

// maxDrawn bounds the pixels of a mask, as imageio does of a picture.
const maxDrawn = 100_000_000

func outlines(o dataset.Object, img *dataset.Image) []geom.RLE {
	if o.RLE != nil && o.RLE.W == img.W && o.RLE.H == img.H {
		return []geom.RLE{*o.RLE}
	}
	var out []geom.RLE
	for _, p := range o.Polygons {
		out = append(out, p.RLE(img.W, img.H))
	}
	return out
}
