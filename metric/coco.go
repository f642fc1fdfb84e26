package metric

import (
	"cmp"
	"slices"

	"trilobite/geom"
)

// Truth is an annotated object.
type Truth struct {
	Image, Class int
	Box          geom.Rect
	Area         float64 // pixels; tells small from large. COCO's files give the segmentation's
	Crowd        bool    // a group: predictions inside are neither right nor wrong
}

// Prediction is a model's box. Equal scores rank by Image, then by place in the list.
type Prediction struct {
	Image, Class int
	Box          geom.Rect
	Score        float64
}

// COCO are the twelve figures of COCO's detection challenge, 0 to 1; -1 where no
// object of that size is annotated.
type COCO struct {
	AP       float64 // mean over IoU 0.50, 0.55 … 0.95 and the classes that have objects
	AP50     float64 // at IoU 0.5
	AP75     float64
	APSmall  float64 // objects below 32² pixels
	APMedium float64 // 32² to 96²
	APLarge  float64
	AR1      float64 // recall of the best prediction per image and class, mean as for AP
	AR10     float64
	AR100    float64
	ARSmall  float64 // of 100
	ARMedium float64
	ARLarge  float64

	ByClass map[int]float64 // AP of each class that has objects
	// Curves50 has for each of those the precision at IoU 0.5 and recall 0, 0.01 … 1.
	Curves50 map[int][]float64
}

// Stats returns the figures in the order that pycocotools prints them.
func (c COCO) Stats() [12]float64 {
	return [12]float64{c.AP, c.AP50, c.AP75, c.APSmall, c.APMedium, c.APLarge,
		c.AR1, c.AR10, c.AR100, c.ARSmall, c.ARMedium, c.ARLarge}
}

// AP50Of returns the AP at IoU 0.5 of a class that has objects; −1 of any other.
func (c COCO) AP50Of(class int) float64 {
	var m mean
	m.add(c.Curves50[class]...)
	return m.value()
}

const (
	cocoThresholds = 10  // IoU
	cocoRecalls    = 101 // points of the precision-recall curve
)

// Area ranges and detections per image and class of pycocotools, class Params.
var (
	cocoAreas   = [4][2]float64{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}
	cocoMaxDets = [3]int{1, 10, 100}
)

// COCOBoxes evaluates predictions as pycocotools' COCOeval does for "bbox", to which it
// is equal in every figure (github.com/cocodataset/cocoapi, cocoeval.py, with the
// defaults of Params). Predictions of classes without truth count for nothing, those on
// images without truth are wrong.
func COCOBoxes(truth []Truth, predictions []Prediction) COCO {
	classes := groupByClass(truth, predictions)
	var means [4][3]mean // of precision, by area range and detections per image
	var at50, at75 mean
	var recalls [4][3]mean
	out := COCO{ByClass: map[int]float64{}, Curves50: map[int][]float64{}}
	for _, class := range classes {
		images := class.match()
		for a := range cocoAreas {
			for m, maxDets := range cocoMaxDets {
				c, ok := accumulate(images, a, maxDets)
				if !ok {
					continue
				}
				for t := range cocoThresholds {
					means[a][m].add(c.precision[t][:]...)
					recalls[a][m].add(c.recall[t])
				}
				if a == 0 && m == 2 {
					at50.add(c.precision[0][:]...)
					at75.add(c.precision[5][:]...)
					var own mean
					for t := range cocoThresholds {
						own.add(c.precision[t][:]...)
					}
					out.ByClass[class.id] = own.value()
					out.Curves50[class.id] = slices.Clone(c.precision[0][:])
				}
			}
		}
	}
	out.AP, out.AP50, out.AP75 = means[0][2].value(), at50.value(), at75.value()
	out.APSmall, out.APMedium, out.APLarge = means[1][2].value(), means[2][2].value(), means[3][2].value()
	out.AR1, out.AR10, out.AR100 = recalls[0][0].value(), recalls[0][1].value(), recalls[0][2].value()
	out.ARSmall, out.ARMedium, out.ARLarge = recalls[1][2].value(), recalls[2][2].value(), recalls[3][2].value()
	return out
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v ...float64) {
	for _, x := range v {
		m.sum += x
	}
	m.n += len(v)
}

func (m *mean) value() float64 {
	if m.n == 0 {
		return -1
	}
	return m.sum / float64(m.n)
}

// curve is what one class comes to in one area range, by IoU threshold.
type curve struct {
	precision [cocoThresholds][cocoRecalls]float64
	recall    [cocoThresholds]float64
}

// accumulate joins the images of a class. It reports false where nothing is annotated
// in the area range.
func accumulate(images []matched, area, maxDets int) (*curve, bool) {
	type ref struct{ image, det int }
	var order []ref
	objects := 0
	for i := range images {
		for d := range min(len(images[i].scores), maxDets) {
			order = append(order, ref{i, d})
		}
		objects += images[i].objects[area]
	}
	if objects == 0 {
		return nil, false
	}
	slices.SortStableFunc(order, func(a, b ref) int {
		return descending(images[a.image].scores[a.det], images[b.image].scores[b.det])
	})
	c := new(curve)
	precision, recall := make([]float64, len(order)), make([]float64, len(order))
	for t := range cocoThresholds {
		var tp, fp float64
		for i, r := range order {
			switch images[r.image].verdicts[area][t][r.det] {
			case right:
				tp++
			case wrong:
				fp++
			case ignored:
			}
			recall[i] = tp / float64(objects)
			precision[i] = tp / (tp + fp + 0x1p-52) // numpy.spacing(1)
		}
		for i := len(order) - 1; i > 0; i-- {
			precision[i-1] = max(precision[i-1], precision[i])
		}
		if len(order) > 0 {
			c.recall[t] = recall[len(order)-1]
		}
		for r := range cocoRecalls {
			at, _ := slices.BinarySearch(recall, recallPoint(r))
			if at == len(order) {
				break
			}
			c.precision[t][r] = precision[at]
		}
	}
	return c, true
}

// recallPoint is numpy.linspace(0, 1, 101)[i], bit for bit.
func recallPoint(i int) float64 {
	if i == cocoRecalls-1 {
		return 1
	}
	return float64(i) * (1.0 / 100)
}

// iouThreshold is numpy.linspace(0.5, 0.95, 10)[i], bit for bit: the product must
// round before the sum, which the conversion sees to.
func iouThreshold(i int) float64 {
	start, stop := 0.5, 0.95
	if i == cocoThresholds-1 {
		return stop
	}
	return float64(float64(i)*((stop-start)/9)) + start
}

// descending orders scores as numpy.argsort(-scores) does: NaN, which cmp holds for
// the smallest number, comes last.
func descending(a, b float64) int { return cmp.Compare(b, a) }
