package metric

import "trilobite/geom"

// MatchBoxes tells which of an image's predictions are right: each, in the order given
// (the surest first, usually), that has an object of its class to itself with an IoU of
// at least iou. It takes the one of the greatest overlap that is left.
func MatchBoxes(truth []Truth, found []Prediction, iou float64) []bool {
	right, taken := make([]bool, len(found)), make([]bool, len(truth))
	for j, p := range found {
		best, at := iou, -1
		for k, o := range truth {
			if taken[k] || o.Class != p.Class {
				continue
			}
			if x := float64(geom.IoU(o.Box.Box(), p.Box.Box())); x >= best {
				best, at = x, k
			}
		}
		if at >= 0 {
			taken[at], right[j] = true, true
		}
	}
	return right
}
