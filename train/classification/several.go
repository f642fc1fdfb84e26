package classification

import (
	"math"
	"slices"

	"trilobite/loss"
	"trilobite/metric"
	"trilobite/onnx"
	"trilobite/tensor"
	"trilobite/train"
)

// eachCrossEntropy is the mean over pictures and classes of the binary cross-entropy.
func eachCrossEntropy(b *onnx.Builder, out []*onnx.Value) *onnx.Value {
	return loss.BCEWithLogits(b, out[0], b.Input("target", tensor.Float32, out[0].Shape))
}

// shown is (1, classes): 1 for each class of a picture, 0 for the others.
func shown(of []int, classes int) *tensor.Tensor {
	row := make([]float32, classes)
	for _, c := range of {
		row[c] = 1
	}
	return tensor.Of([]int64{1, int64(classes)}, row)
}

// severalJudge measures, over the classes that some picture shows, the means of the
// average precision and of the best F1, and the mean binary cross-entropy.
type severalJudge struct {
	scores   [][]float64 // by class, then picture: logits, which rank as scores do
	positive [][]bool
	loss     float64
	n        int
}

func newSeveralJudge(classes int) train.Judge {
	return &severalJudge{scores: make([][]float64, classes), positive: make([][]bool, classes)}
}

// Add counts an answer: logits and target (1, classes).
func (j *severalJudge) Add(_ int, outputs, targets []*tensor.Tensor) error {
	logits, _ := tensor.Data[float32](outputs[0])
	is, _ := tensor.Data[float32](targets[0])
	for c := range j.scores {
		x, t := float64(logits[c]), float64(is[c])
		j.scores[c] = append(j.scores[c], x)
		j.positive[c] = append(j.positive[c], t > 0)
		j.loss += max(x, 0) - x*t + math.Log1p(math.Exp(-math.Abs(x)))
		j.n++
	}
	return nil
}

// Metrics returns "mAP", "F1" and "loss".
func (j *severalJudge) Metrics() map[string]float64 {
	ap, f1, n := 0.0, 0.0, 0
	for c, scores := range j.scores {
		if !slices.Contains(j.positive[c], true) {
			continue
		}
		curve := metric.NewCurve(scores, j.positive[c])
		best, _ := curve.BestF1()
		ap, f1, n = ap+curve.AveragePrecision(), f1+best, n+1
	}
	return map[string]float64{"mAP": ap / float64(max(n, 1)), "F1": f1 / float64(max(n, 1)), "loss": j.loss / float64(max(j.n, 1))}
}
