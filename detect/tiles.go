package detect

import (
	"cmp"
	"slices"

	"trilobite"
	"trilobite/geom"
)

// part is what was found in a part of an image, and where the part ends: pipeline.Part's
// Cut.
type part struct {
	found []trilobite.Detection
	cut   geom.Box
}

// sighting is a box under way to the answer.
type sighting struct {
	trilobite.Detection

	part    int
	limits  geom.Box // what was looked at
	cutOff  bool     // the box ends where its part ends: there may be more of it
	dropped bool
}

// sameWithin is from what IoU on two boxes that parts have cut off are one object: within
// the pixels that both parts have.
const sameWithin = 0.5

// join makes one answer of those of overlapping parts, best first, the best most. Boxes of
// a class from different parts are one object where their IoU is above iou, or, where a
// part's edge has cut one of them off, where they agree on the pixels that both parts have.
// Of an object that one part sees whole its box is kept; one that no part does gets the box
// around what each sees.
func join(parts []part, iou float32, most int) []trilobite.Detection {
	var all []sighting
	for i, p := range parts {
		for _, d := range p.found {
			all = append(all, sighting{Detection: d, part: i, limits: p.cut, cutOff: cutOff(d.Box, p.cut)})
		}
	}
	slices.SortStableFunc(all, func(a, b sighting) int { return cmp.Compare(b.Score, a.Score) })
	var kept []sighting
	for _, s := range all {
		for i := range kept {
			if kept[i].Class == s.Class && kept[i].part != s.part && same(kept[i], s, iou) {
				kept[i].take(s)
				s.dropped = true
				break
			}
		}
		if !s.dropped {
			kept = append(kept, s)
		}
	}
	found := make([]trilobite.Detection, min(len(kept), most))
	for i := range found {
		found[i] = kept[i].Detection
	}
	return found
}

// cutOff reports whether a box ends, give or take what a detector errs, at a part's edge.
func cutOff(b, cut geom.Box) bool {
	near := 2 + 0.03*max(b.X2-b.X1, b.Y2-b.Y1)
	return b.X1-cut.X1 < near || b.Y1-cut.Y1 < near || cut.X2-b.X2 < near || cut.Y2-b.Y2 < near
}

func same(a, b sighting, iou float32) bool {
	if geom.IoU(a.Box, b.Box) > iou {
		return true
	}
	if !a.cutOff && !b.cutOff {
		return false
	}
	both := within(a.limits, b.limits)
	x, y := within(a.Box, both), within(b.Box, both)
	return x.Area() > 0 && y.Area() > 0 && geom.IoU(x, y) > sameWithin
}

// take makes s a sighting of the same object.
func (k *sighting) take(s sighting) {
	switch {
	case !k.cutOff:
	case !s.cutOff:
		k.Box, k.cutOff, k.limits = s.Box, false, s.limits
	default:
		k.Box = around(k.Box, s.Box)
		k.limits = around(k.limits, s.limits)
	}
}

func within(a, b geom.Box) geom.Box {
	return geom.Box{X1: max(a.X1, b.X1), Y1: max(a.Y1, b.Y1), X2: min(a.X2, b.X2), Y2: min(a.Y2, b.Y2)}
}

func around(a, b geom.Box) geom.Box {
	return geom.Box{X1: min(a.X1, b.X1), Y1: min(a.Y1, b.Y1), X2: max(a.X2, b.X2), Y2: max(a.Y2, b.Y2)}
}
