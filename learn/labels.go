package learn

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/classification"
	"trilobite/zoo"
)

// labels learns a classifier, of one label an image or of any number.
func (e *Engine) labels(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	base, net, err := e.Puller.Backbone(ctx, backbone, len(r.Train.Classes))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	p := classification.Params{Backbone: backbone, Seed: seed, Budget: e.Budget, Several: r.Learning == custom.ManyLabels}
	set, read, metric := r.Train.HoldOut(heldOut, seed), reading{"softmax", oneOf, softmaxLogits, scaled}, "accuracy"
	if p.Several {
		set = classification.HoldOutSeveral(r.Train, heldOut, seed)
		read, metric = reading{"sigmoid", eachOf, sigmoidLogits, scaledEach}, "mAP"
	}
	var m *classification.Model
	err = e.heard(ctx, r, set, metric, func(ctx context.Context, o train.Options) (err error) {
		m, err = classification.Train(ctx, e.Runtime, classification.Data{Set: set, Network: net, Spec: base.Pipeline}, p, o)
		return err
	})
	if err != nil {
		return custom.TrainingResult{}, err
	}
	card := zoo.Card{
		Name: r.Name, Title: fmt.Sprintf("%d labels learned from %d images", len(r.Train.Classes), len(r.Train.Images)),
		Task: zoo.Classify, Source: base.Source, Convert: base.Convert, Pipeline: base.Pipeline,
		Decoder: zoo.Decoder{Name: read.decoder}, Licence: base.Licence,
	}
	seen, test, err := e.trained(ctx, r, card, m.Graph, held(set))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	j := read.judge(len(r.Train.Classes), held(set), seen, test)
	g, err := cooled(net.Graph, net.Params, m.Weights, j.temperature)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	installed, err := e.install(card, g, r.Train.Classes)
	return custom.TrainingResult{
		Model: installed.Ref(), Base: backbone, Thresholds: j.thresholds, Predictions: j.test,
	}, err
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

// judged is what a model's own answers say.
type judged struct {
	temperature float64
	thresholds  []float64 // by class
	test        [][]custom.Prediction
}

// judge finds the temperature and the thresholds by what was seen in the held-out images,
// and applies the temperature to the test images.
func (r reading) judge(classes int, held []dataset.Image, seen, test [][]custom.Prediction) judged {
	logits := r.logits(seen, classes)
	j := judged{temperature: temperature(r.samples(logits, held))}
	scores, positive := make([][]float64, classes), make([][]bool, classes)
	for i, row := range logits {
		for c, s := range r.scaled(row, j.temperature) {
			scores[c], positive[c] = append(scores[c], s), append(positive[c], slices.Contains(held[i].Classes, c))
		}
	}
	for c := range classes {
		j.thresholds = append(j.thresholds, threshold(scores[c], positive[c], count(positive[c])))
	}
	for _, row := range r.logits(test, classes) {
		var list []custom.Prediction
		for c, s := range r.scaled(row, j.temperature) {
			list = append(list, custom.Prediction{Class: c, Score: s})
		}
		slices.SortStableFunc(list, func(a, b custom.Prediction) int { return cmp.Compare(b.Score, a.Score) })
		j.test = append(j.test, list)
	}
	return j
}

// logits returns by image, then class, the logits of scores.
func (r reading) logits(seen [][]custom.Prediction, classes int) [][]float64 {
	out := make([][]float64, len(seen))
	for i, list := range seen {
		out[i] = make([]float64, classes)
		for _, p := range list {
			out[i][p.Class] = r.logit(p.Score)
		}
	}
	return out
}

// cooled is the network with its weights, the last layer's divided by the temperature.
func cooled(network *onnx.Graph, params []*onnx.Value, weights map[string]*tensor.Tensor, temperature float64) (*onnx.Graph, error) {
	all := maps.Clone(weights)
	for _, p := range params[len(params)-2:] {
		w, ok := all[p.Name]
		if !ok {
			return nil, fmt.Errorf("the training has no weights of its last layer, %s", p.Name)
		}
		from, _ := tensor.Data[float32](w)
		to := make([]float32, len(from))
		for i, v := range from {
			to[i] = v / float32(temperature)
		}
		all[p.Name] = tensor.Of(w.Shape, to)
	}
	g := onnx.Clone(network)
	if err := train.Assign(g, all); err != nil {
		return nil, err
	}
	return g, onnx.Simplify(g)
}
