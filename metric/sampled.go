package metric

import (
	"maps"
	"slices"
)

// Matched is one image of a detection set after matching, by class: what an AP of any
// choice of images is made of without matching again.
type Matched map[int]matched

// MatchImage matches the predictions of one image against its objects, as COCOBoxes does.
func MatchImage(truth []Truth, predictions []Prediction) Matched {
	byClass := map[int]*imageData{}
	at := func(class int) *imageData {
		if byClass[class] == nil {
			byClass[class] = &imageData{}
		}
		return byClass[class]
	}
	for _, t := range truth {
		d := at(t.Class)
		d.truth = append(d.truth, t)
	}
	for _, p := range predictions {
		d := at(p.Class)
		d.dets = append(d.dets, p)
	}
	out := Matched{}
	for class, d := range byClass {
		out[class] = d.match()
	}
	return out
}

// AP returns COCO's AP and AP50 over images, of which some may occur several times; of no
// objects at all 0. Over every image once they are COCOBoxes'.
func AP(images []Matched) (ap, ap50 float64) {
	byClass := map[int][]matched{}
	for _, img := range images {
		for class, m := range img {
			byClass[class] = append(byClass[class], m)
		}
	}
	var all, at50 mean
	for _, class := range slices.Sorted(maps.Keys(byClass)) {
		c, ok := accumulate(byClass[class], 0, cocoMaxDets[len(cocoMaxDets)-1])
		if !ok {
			continue
		}
		for t := range cocoThresholds {
			all.add(c.precision[t][:]...)
		}
		at50.add(c.precision[0][:]...)
	}
	return max(0, all.value()), max(0, at50.value())
}
