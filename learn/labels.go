package learn

import (
	"context"
	"fmt"
	"math"
	"slices"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/metric"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/zoo"
)

// labels learns a classifier, of one label an image or of any number: the best that a
// search finds, calibrated by what models that had not seen them said of the training images.
func (e *Engine) labels(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	s := &search{Engine: e, run: r, several: r.Learning == custom.ManyLabels}
	s.reads = readingOf(s.several)
	f, err := s.find(ctx)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	g, err := f.cooled()
	if err != nil {
		return custom.TrainingResult{}, err
	}
	card := e.cardOf(r, f, s.reads)
	test, err := e.answers(ctx, r, card, g, r.Test.Images)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	installed, err := e.install(ctx, card, g, r.Train.Classes)
	return custom.TrainingResult{
		Model: installed.Ref(), Base: fmt.Sprintf("%s at %d pixels", f.network, f.spec.Width), Predictions: test, Tried: s.tried,
		Thresholds:  s.reads.thresholds(len(r.Train.Classes), r.Train.Images, f),
		Calibration: s.reads.calibration(len(r.Train.Classes), r.Test.Images, test, f.Temperature),
	}, err
}

// cardOf describes the model that f becomes.
func (e *Engine) cardOf(r custom.TrainingRun, f *found, read reading) zoo.Card {
	return zoo.Card{
		Name: r.Name, Title: fmt.Sprintf("%d labels learned from %d images", len(r.Train.Classes), len(r.Train.Images)),
		Task: zoo.Classify, Source: f.card.Source, Convert: f.card.Convert, Pipeline: f.spec,
		Decoder: zoo.Decoder{Name: read.decoder}, Licence: f.card.Licence,
	}
}

func readingOf(several bool) reading {
	if several {
		return reading{"sigmoid", eachOf, sigmoidLogits, scaledEach}
	}
	return reading{"softmax", oneOf, softmaxLogits, scaled}
}

// reading is how a classifier's scores come of its logits.
type reading struct {
	decoder string // of package classify
	// samples are the decisions that a temperature is found on: rows of logits, and which
	// of them is true. An image of one label is one; any number of labels are decided one
	// by one, each between 0 and its logit, whose softmax is the logit's sigmoid.
	samples func(logits [][]float64, images []dataset.Image) (rows [][]float64, classes []int)
	logit   func(score float64) float64 // up to a constant of the row
	scaled  func(row []float64, t float64) []float64
}

func oneOf(logits [][]float64, images []dataset.Image) ([][]float64, []int) {
	classes := make([]int, len(images))
	for i, img := range images {
		classes[i] = img.Classes[0]
	}
	return logits, classes
}

func eachOf(logits [][]float64, images []dataset.Image) (rows [][]float64, classes []int) {
	for i, row := range logits {
		for c, x := range row {
			is := 0
			if slices.Contains(images[i].Classes, c) {
				is = 1
			}
			rows, classes = append(rows, []float64{0, x}), append(classes, is)
		}
	}
	return rows, classes
}

func softmaxLogits(p float64) float64 { return math.Log(max(p, 1e-12)) }

// sigmoidLogits is the inverse of the sigmoid. Scores are float32: nearer to 0 or 1 than
// 1e-7 they tell nothing more.
func sigmoidLogits(p float64) float64 {
	p = min(max(p, 1e-7), 1-1e-7)
	return math.Log(p / (1 - p))
}

// scaledEach is the sigmoid of each logit divided by t.
func scaledEach(row []float64, t float64) []float64 {
	out := make([]float64, len(row))
	for i, x := range row {
		out[i] = 1 / (1 + math.Exp(-x/t))
	}
	return out
}

// thresholds are each label's score of the best F1 on the training images, by models that had
// not seen them.
func (r reading) thresholds(classes int, images []dataset.Image, f *found) []float64 {
	scores, positive := make([][]float64, classes), make([][]bool, classes)
	for i, row := range f.logits {
		if row == nil {
			continue
		}
		for c, s := range r.scaled(row, f.Temperature) {
			scores[c], positive[c] = append(scores[c], s), append(positive[c], slices.Contains(images[i].Classes, c))
		}
	}
	out := make([]float64, classes)
	for c := range out {
		out[c] = threshold(scores[c], positive[c], count(positive[c]))
	}
	return out
}

// calibration compares confidences with how often they are right on the test images, where
// one label is decided by the surest and several each on their own; as they are, and as
// they were before they were divided by t.
func (r reading) calibration(classes int, images []dataset.Image, seen [][]custom.Prediction, t float64) *custom.Calibration {
	if len(images) == 0 {
		return nil
	}
	const bins = 15 // usual; Guo et al., section 4
	was, is := metric.NewCalibration(bins), metric.NewCalibration(bins)
	for i, row := range r.logits(seen, classes) {
		if row == nil {
			continue
		}
		for _, x := range []struct {
			to     *metric.Calibration
			scores []float64
		}{{was, r.scaled(row, 1/t)}, {is, r.scaled(row, 1)}} {
			best := 0
			for c, s := range x.scores {
				if r.decoder == "sigmoid" {
					x.to.Add(s, slices.Contains(images[i].Classes, c))
				} else if s > x.scores[best] {
					best = c
				}
			}
			if r.decoder != "sigmoid" {
				x.to.Add(x.scores[best], slices.Contains(images[i].Classes, best))
			}
		}
	}
	return &custom.Calibration{Before: was.ECE(), After: is.ECE()}
}

// logits returns by image, then class, the logits of scores; nil of an image that has none.
func (r reading) logits(seen [][]custom.Prediction, classes int) [][]float64 {
	out := make([][]float64, len(seen))
	for i, list := range seen {
		if list == nil {
			continue
		}
		out[i] = make([]float64, classes)
		for _, p := range list {
			out[i][p.Class] = r.logit(p.Score)
		}
	}
	return out
}

// withLast is a network with a last layer.
func withLast(net *nn.Network, l layer) (*onnx.Graph, error) {
	g := onnx.Clone(net.Graph)
	return g, train.Assign(g, l.named(net))
}

// named is the layer by the names of the network's last two parameters.
func (l layer) named(net *nn.Network) map[string]*tensor.Tensor {
	last := net.Params[len(net.Params)-2:]
	return map[string]*tensor.Tensor{last[0].Name: l.weight, last[1].Name: l.bias}
}

// cooled is the network that was found, its last layer divided by the temperature.
func (f *found) cooled() (*onnx.Graph, error) {
	scaled := map[string]*tensor.Tensor{}
	for _, p := range f.net.Params[len(f.net.Params)-2:] {
		scaled[p.Name] = nil
	}
	g := onnx.Clone(f.graph)
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v == nil || !v.IsConst() {
				continue
			}
			if _, last := scaled[v.Name]; !last {
				continue
			}
			from, _ := tensor.Data[float32](v.Data)
			to := make([]float32, len(from))
			for i, x := range from {
				to[i] = x / float32(f.Temperature)
			}
			scaled[v.Name] = tensor.Of(v.Shape, to)
		}
	}
	if err := train.Assign(g, scaled); err != nil {
		return nil, err
	}
	return g, onnx.Simplify(g)
}
