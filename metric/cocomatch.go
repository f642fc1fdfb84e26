package metric

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"trilobite/geom"
)

// verdict is what becomes of a prediction at one IoU threshold in one area range.
type verdict uint8

const (
	ignored verdict = iota // matches a crowd or an object outside the range, or is outside itself
	right
	wrong
)

// matched is one class in one image, after matching.
type matched struct {
	scores   []float64                    // best first, at most 100
	verdicts [4][cocoThresholds][]verdict // by area range and threshold, as scores
	objects  [4]int                       // to be found, by area range
}

type classData struct {
	id     int
	images []imageData // by number
}

type imageData struct {
	truth []Truth
	dets  []Prediction
}

// groupByClass returns the classes that have truth, each with its images in order.
func groupByClass(truth []Truth, predictions []Prediction) []classData {
	byClass := map[int]map[int]*imageData{}
	at := func(class, image int) *imageData {
		if byClass[class][image] == nil {
			byClass[class][image] = &imageData{}
		}
		return byClass[class][image]
	}
	for _, t := range truth {
		if byClass[t.Class] == nil {
			byClass[t.Class] = map[int]*imageData{}
		}
		d := at(t.Class, t.Image)
		d.truth = append(d.truth, t)
	}
	for _, p := range predictions {
		if byClass[p.Class] != nil {
			d := at(p.Class, p.Image)
			d.dets = append(d.dets, p)
		}
	}
	var out []classData
	for _, class := range slices.Sorted(maps.Keys(byClass)) {
		c := classData{id: class}
		for _, image := range slices.Sorted(maps.Keys(byClass[class])) {
			c.images = append(c.images, *byClass[class][image])
		}
		out = append(out, c)
	}
	return out
}

func (c classData) match() []matched {
	out := make([]matched, len(c.images))
	for i, img := range c.images {
		out[i] = img.match()
	}
	return out
}

// match gives each prediction, best score first, the free object of largest IoU.
func (img imageData) match() matched {
	dets := slices.Clone(img.dets)
	slices.SortStableFunc(dets, func(a, b Prediction) int { return descending(a.Score, b.Score) })
	dets = dets[:min(len(dets), cocoMaxDets[len(cocoMaxDets)-1])]
	var m matched
	ious := make([][]float64, len(dets)) // by prediction and object
	for i, d := range dets {
		m.scores = append(m.scores, d.Score)
		for _, t := range img.truth {
			ious[i] = append(ious[i], cocoIoU(d.Box, t.Box, t.Crowd))
		}
	}
	for a, limits := range cocoAreas {
		outside := func(area float64) bool { return area < limits[0] || area > limits[1] }
		ignore := make([]bool, len(img.truth))
		order := make([]int, len(img.truth)) // objects that count first
		for i, t := range img.truth {
			order[i] = i
			ignore[i] = t.Crowd || outside(t.Area)
			if !ignore[i] {
				m.objects[a]++
			}
		}
		slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(btoi(ignore[x]), btoi(ignore[y])) })
		for t := range cocoThresholds {
			m.verdicts[a][t] = img.verdicts(dets, ious, order, ignore, iouThreshold(t), outside)
		}
	}
	return m
}

func (img imageData) verdicts(dets []Prediction, ious [][]float64, order []int, ignore []bool, threshold float64, outside func(float64) bool) []verdict {
	out := make([]verdict, len(dets))
	taken := make([]bool, len(img.truth))
	for i, d := range dets {
		best, iou := -1, min(threshold, 1-1e-10)
		for _, g := range order {
			if taken[g] && !img.truth[g].Crowd {
				continue
			}
			if best >= 0 && !ignore[best] && ignore[g] {
				break // an object that counts is never given up for one that does not
			}
			if ious[i][g] >= iou { // an equal, later object wins
				best, iou = g, ious[i][g]
			}
		}
		switch {
		case best >= 0:
			taken[best] = true
			out[i] = right
			if ignore[best] {
				out[i] = ignored
			}
		case !outside(d.Box.Area()):
			out[i] = wrong
		}
	}
	return out
}

// cocoIoU is bbIou of maskApi.c: against a crowd the union is the prediction alone.
// The conversions keep products from being fused into sums, which would round otherwise.
func cocoIoU(d, g geom.Rect, crowd bool) float64 {
	w := math.Min(d.W+d.X, g.W+g.X) - math.Max(d.X, g.X)
	h := math.Min(d.H+d.Y, g.H+g.Y) - math.Max(d.Y, g.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	inter, union := float64(w*h), float64(d.W*d.H)
	if !crowd {
		union = union + float64(g.W*g.H) - inter
	}
	return inter / union
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
