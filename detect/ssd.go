package detect

import (
	"fmt"
	"slices"

	"trilobite/geom"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
)

// newSSD reads the outputs of TensorFlow's SSDs (COCO-SSD among them), in any order:
//
//	scores  [1, A, C]               per anchor and class, 0 to 1
//	boxes   [1, A, 4] or [1, A, 1, 4]  ymin, xmin, ymax, xmax, decoded, relative: 0 to 1
//
// C is all classes, after the background where the Config says so, or those that have a
// name alone.
//
// Source: object_detection/core/box_list.py and post_processing.py of TensorFlow's
// models repository.
func newSSD(out []ort.ValueInfo, c Config) (decoder, error) {
	class := c.columns()
	scores, boxes, ok := ssdOutputs(out, int64(len(class)))
	if named := withName(class); !ok && len(named) < len(class) {
		if scores, boxes, ok = ssdOutputs(out, int64(len(named))); ok {
			class = named
		}
	}
	if !ok {
		return nil, fmt.Errorf("decoder ssd expects scores [1,A,%d] for %d labels and boxes [1,A,4] or [1,A,1,4] in float32, the model has %v",
			len(class), len(c.Labels)-c.Offset, out)
	}
	w, h, columns := float32(c.Pipeline.Width), float32(c.Pipeline.Height), len(class)
	return func(out []*tensor.Tensor, minScore float32) []candidate {
		s, _ := tensor.Data[float32](out[scores])
		b, _ := tensor.Data[float32](out[boxes])
		anchors := min(len(s)/columns, len(b)/4)
		var found []candidate
		for a := range anchors {
			for i, score := range s[a*columns : (a+1)*columns] {
				if score >= minScore && class[i] >= 0 {
					y1, x1, y2, x2 := b[4*a], b[4*a+1], b[4*a+2], b[4*a+3]
					found = append(found, candidate{geom.Box{X1: x1 * w, Y1: y1 * h, X2: x2 * w, Y2: y2 * h}, class[i], score})
				}
			}
		}
		return found
	}, nil
}

// columns returns the class of each column of an ssd's scores; -1 where nothing is answered:
// the background, and classes without a name.
func (c Config) columns() []int {
	var class []int
	if c.Background {
		class = append(class, -1)
	}
	for i, name := range c.Labels[min(c.Offset, len(c.Labels)):] {
		if name == "" {
			i = -1
		}
		class = append(class, i)
	}
	return class
}

func withName(class []int) []int {
	return slices.DeleteFunc(slices.Clone(class), func(c int) bool { return c < 0 })
}

// Answered says which places of which axis of which output a model's answers come from,
// where that is not all of it: New reads what is left of such an output as well. ok is
// false where it is all, or where the decoder needs it.
func Answered(out []ort.ValueInfo, c Config) (output string, axis int, places []int64, ok bool) {
	class := c.columns()
	scores, _, fits := ssdOutputs(out, int64(len(class)))
	if c.Decoder != "ssd" || !fits {
		return "", 0, nil, false
	}
	for i, c := range class {
		if c >= 0 {
			places = append(places, int64(i))
		}
	}
	return out[scores].Name, 2, places, len(places) > 0 && len(places) < len(class)
}

// ssdOutputs finds which output is which. With four columns of scores both look the
// same and the name decides.
func ssdOutputs(out []ort.ValueInfo, columns int64) (scores, boxes int, ok bool) {
	if len(out) != 2 || columns < 1 {
		return 0, 0, false
	}
	isScores := func(v ort.ValueInfo) bool { return like(v, 1, -1, columns) }
	isBoxes := func(v ort.ValueInfo) bool { return like(v, 1, -1, 4) || like(v, 1, -1, 1, 4) }
	for i := range out {
		j := 1 - i
		if isScores(out[i]) && isBoxes(out[j]) && sameAnchors(out[i].Shape, out[j].Shape) {
			if isScores(out[j]) && isBoxes(out[i]) && namesBoxes(out[i].Name) {
				continue
			}
			return i, j, true
		}
	}
	return 0, 0, false
}

func sameAnchors(a, b onnx.Shape) bool { return a[1] < 0 || b[1] < 0 || a[1] == b[1] }
