package segmentation

import (
	"fmt"

	"trilobite/dataset"
	"trilobite/metric"
	"trilobite/tensor"
)

// judge measures the mean IoU of the classes that are there, and pixel accuracy, at the
// size of the network's output: masks are brought to it by the nearest pixel. `trilobite
// eval` measures at the masks' own size, as people see them.
type judge struct {
	set       *dataset.Set
	confusion *metric.Confusion
}

func newJudge(set *dataset.Set) *judge {
	return &judge{set, metric.NewConfusion(len(set.Classes))}
}

// Add counts the pixels of an answer: logits (1, C, H, W), target (1, H, W).
func (j *judge) Add(_ int, outputs, targets []*tensor.Tensor) error {
	logits, _ := tensor.Data[float32](outputs[0])
	truth, _ := tensor.Data[int64](targets[0])
	n := len(truth)
	if len(logits) != n*len(j.set.Classes) {
		return fmt.Errorf("scores %v for a mask %v of %d classes", outputs[0].Shape, targets[0].Shape, len(j.set.Classes))
	}
	for i, t := range truth {
		if int(t) == j.set.Ignore {
			continue
		}
		best := 0
		for c := range j.set.Classes {
			if logits[c*n+i] > logits[best*n+i] {
				best = c
			}
		}
		j.confusion.Add(int(t), best)
	}
	return nil
}

// Metrics returns "mIoU", "pixel accuracy" and "IoU NAME" of each class that is there.
func (j *judge) Metrics() map[string]float64 {
	m := map[string]float64{"mIoU": j.confusion.MeanIoU(), "pixel accuracy": j.confusion.Accuracy()}
	for c, name := range j.set.Classes {
		if j.confusion.Present(c) {
			m["IoU "+name] = j.confusion.IoU(c)
		}
	}
	return m
}
