package geom

import "slices"

// NMS returns the indices of the boxes that greedy non-maximum suppression keeps,
// best score first: a box falls when its IoU with a kept, better one is above iou.
// Equal scores keep their order. boxes and scores have the same length.
func NMS(boxes []Box, scores []float32, iou float32) []int {
	order := make([]int, len(boxes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		default:
			return 0
		}
	})
	kept := order[:0:0]
	for _, i := range order {
		if !slices.ContainsFunc(kept, func(k int) bool { return IoU(boxes[k], boxes[i]) > iou }) {
			kept = append(kept, i)
		}
	}
	return kept
}
