package classification

import (
	"math"

	"trilobite/metric"
	"trilobite/tensor"
	"trilobite/train"
)

// judge measures top-1 accuracy, the mean of the classes' recalls, and the mean
// cross-entropy, which tells evaluations of equal accuracy apart.
type judge struct {
	confusion *metric.Confusion
	classes   int
	n         int
	loss      float64
}

func newJudge(classes int) train.Judge {
	return &judge{confusion: metric.NewConfusion(classes), classes: classes}
}

// Add counts an answer: logits (1, classes), target (1).
func (j *judge) Add(_ int, outputs, targets []*tensor.Tensor) error {
	logits, _ := tensor.Data[float32](outputs[0])
	class, _ := tensor.Data[int64](targets[0])
	best, sum := 0, 0.0
	for i, x := range logits {
		if x > logits[best] {
			best = i
		}
	}
	for _, x := range logits {
		sum += math.Exp(float64(x - logits[best]))
	}
	j.confusion.Add(int(class[0]), best)
	j.loss += math.Log(sum) - float64(logits[class[0]]-logits[best])
	j.n++
	return nil
}

// Metrics returns "accuracy", "recall" and "loss".
func (j *judge) Metrics() map[string]float64 {
	recall := 0.0
	for c := range j.classes {
		recall += j.confusion.Recall(c) / float64(j.classes)
	}
	return map[string]float64{"accuracy": j.confusion.Accuracy(), "recall": recall, "loss": j.loss / float64(max(j.n, 1))}
}
