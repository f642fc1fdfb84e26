package segment

import "trilobite/geom"

// RLE returns the pixels of each class as COCO's run lengths; nil for a class that the
// image does not show.
func (m *Mask) RLE() []*geom.RLE {
	all := make([]*geom.RLE, len(m.Labels))
	var end [maxClasses]int // of each class's last run; pixels are counted column after column
	from, class := 0, -1
	flush := func(to int) {
		if class < 0 {
			return
		}
		r := all[class]
		if r == nil {
			r = &geom.RLE{W: m.W, H: m.H}
			all[class] = r
		}
		r.Runs = append(r.Runs, uint32(from-end[class]), uint32(to-from))
		end[class] = to
	}
	at := 0
	for x := range m.W {
		for y := range m.H {
			if c := int(m.Class[y*m.W+x]); c != class {
				flush(at)
				from, class = at, c
			}
			at++
		}
	}
	flush(at)
	for c, r := range all {
		if r != nil && end[c] < at {
			r.Runs = append(r.Runs, uint32(at-end[c]))
		}
	}
	return all
}
