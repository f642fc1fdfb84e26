package detect

import (
	"cmp"
	"slices"

	"trilobite/geom"
)

// candidate is a box of one class before suppression, in pixels of the model's input.
type candidate struct {
	box   geom.Box
	class int
	score float32
}

// perClass bounds the candidates of a class that suppression compares with each other,
// best first. torchvision's SSD keeps 400 as well (topk_candidates, ssd.py).
const perClass = 400

// suppress returns what greedy non-maximum suppression within each class leaves, the
// best most of all classes together, best first; equal scores in the order of classes.
func suppress(all []candidate, iou float32, most int) []candidate {
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(b.score, a.score))
	})
	var kept []candidate
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].class == all[0].class {
			n++
		}
		kept = append(kept, greedy(all[:min(n, perClass)], iou, most)...)
		all = all[n:]
	}
	slices.SortStableFunc(kept, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	return kept[:min(len(kept), most)]
}

// greedy suppresses within one class. The candidates come best first, and so the first
// most that stay are the answer: geom.NMS would go on.
func greedy(class []candidate, iou float32, most int) []candidate {
	kept := class[:0]
	for _, c := range class {
		if len(kept) == most {
			break
		}
		if !slices.ContainsFunc(kept, func(k candidate) bool { return geom.IoU(k.box, c.box) > iou }) {
			kept = append(kept, c)
		}
	}
	return kept
}
