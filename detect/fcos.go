package detect

import (
	"fmt"
	"math"

	"trilobite/geom"
	"trilobite/ort"
	"trilobite/tensor"
)

// newFCOS reads the outputs of nn.FCOS, by name, and of models that are like it:
//
//	logits   [1, A, C]  of each class on its own
//	boxes    [1, A, 4]  xyxy, pixels of the input
//	quality  [1, A]     logits
//
// A class's score is √(σ(logit)·σ(quality)), and boxes end where the input does.
// Source: torchvision's models/detection/fcos.py, postprocess_detections.
func newFCOS(out []ort.ValueInfo, c Config) (decoder, error) {
	classes := len(c.Labels) - c.Offset
	logits, boxes, quality := -1, -1, -1
	for i, v := range out {
		switch {
		case v.Name == "logits" && like(v, 1, -1, int64(classes)):
			logits = i
		case v.Name == "boxes" && like(v, 1, -1, 4):
			boxes = i
		case v.Name == "quality" && like(v, 1, -1):
			quality = i
		}
	}
	if len(out) != 3 || classes < 1 || logits < 0 || boxes < 0 || quality < 0 {
		return nil, fmt.Errorf("decoder fcos expects float32 outputs logits [1,A,%d] for %d labels, boxes [1,A,4] and quality [1,A], the model has %v",
			classes, classes, out)
	}
	w, h := float32(c.Pipeline.Width), float32(c.Pipeline.Height)
	return func(out []*tensor.Tensor, minScore float32) []candidate {
		l, _ := tensor.Data[float32](out[logits])
		b, _ := tensor.Data[float32](out[boxes])
		q, _ := tensor.Data[float32](out[quality])
		var found []candidate
		for a := range min(len(l)/classes, len(b)/4, len(q)) {
			fit := sigmoid(q[a])
			if !(fit >= minScore*minScore) {
				continue // no class can reach the score
			}
			for class, x := range l[a*classes : (a+1)*classes] {
				score := float32(math.Sqrt(float64(fit * sigmoid(x))))
				if score >= minScore {
					r := b[4*a:]
					found = append(found, candidate{geom.Box{X1: r[0], Y1: r[1], X2: r[2], Y2: r[3]}.Clip(w, h), class, score})
				}
			}
		}
		return found
	}, nil
}

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }
