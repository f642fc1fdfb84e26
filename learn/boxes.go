package learn

import (
	"context"
	"fmt"
	"slices"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/metric"
	"trilobite/train"
	"trilobite/train/detection"
	"trilobite/train/transfer"
	"trilobite/zoo"
)

// boxes learns a detector, and calibrates its scores on the images that are held out.
func (e *Engine) boxes(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	set := r.Train.HoldOut(heldOut, seed)
	if err := detection.Check(set); err != nil {
		return custom.TrainingResult{}, err
	}
	base, classifier, err := e.Puller.Backbone(ctx, backbone, len(r.Train.Classes))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	p := detection.Params{Backbone: backbone, Seed: seed, Epochs: e.Epochs, Budget: e.Budget}
	spec := transfer.SpecOf(set, base.Pipeline)
	net, err := detection.NewNetwork(p, base.Convert.Network, classifier, len(r.Train.Classes), spec)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	var m *detection.Model
	tell := func(v train.Event) error {
		if text := progress(v, "AP50"); text != "" {
			return r.Progress(text)
		}
		return nil
	}
	err = e.heard(ctx, set, r.Dir, tell, func(ctx context.Context, o train.Options) (err error) {
		m, err = detection.Train(ctx, e.Runtime, detection.Data{Set: set, Network: net, Spec: spec}, p, o)
		return err
	})
	if err != nil {
		return custom.TrainingResult{}, err
	}
	card := zoo.Card{
		Name: r.Name, Title: fmt.Sprintf("%d kinds of objects learned from %d images", len(r.Train.Classes), len(r.Train.Images)),
		Task: zoo.Detect, Source: base.Source, Convert: zoo.Convert{Format: "torch", Network: "fcos/" + base.Convert.Network},
		Pipeline: spec, Decoder: zoo.Decoder{Name: detection.Decoder}, Licence: base.Licence,
	}
	out := held(set)
	seen, err := e.answers(ctx, r, card, m.Graph, slices.Concat(out, r.Test.Images))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	here, test := seen[:len(out)], seen[len(out):]
	calibration := &custom.Calibration{Before: boxesECE(r.Test.Images, test)}
	card.Decoder.Calibration = platt(judgeBoxes(out, here))
	for _, list := range seen {
		calibrate(card.Decoder.Calibration, list)
	}
	calibration.After = boxesECE(r.Test.Images, test)
	installed, err := e.install(ctx, card, m.Graph, r.Train.Classes)
	return custom.TrainingResult{
		Calibration: calibration,
		Model:       installed.Ref(), Base: backbone, Thresholds: boxThresholds(len(r.Train.Classes), out, here), Predictions: test,
	}, err
}

// boxThresholds are the scores of the best F1 of each class, where a box is right that has
// an object of its class to itself at an IoU of 0.5.
func boxThresholds(classes int, images []dataset.Image, seen [][]custom.Prediction) []float64 {
	scores, right, objects := make([][]float64, classes), make([][]bool, classes), make([]int, classes)
	truth := (&dataset.Set{Images: images}).Truth()
	for i, list := range seen {
		var here []metric.Truth
		for len(truth) > 0 && truth[0].Image == i {
			here, truth = append(here, truth[0]), truth[1:]
			objects[here[len(here)-1].Class]++
		}
		found := make([]metric.Prediction, len(list))
		for k, p := range list {
			found[k] = metric.Prediction{Image: i, Class: p.Class, Score: p.Score, Box: *p.Box}
		}
		for k, hit := range metric.MatchBoxes(here, found, 0.5) {
			c := found[k].Class
			scores[c], right[c] = append(scores[c], found[k].Score), append(right[c], hit)
		}
	}
	out := make([]float64, classes)
	for c := range out {
		out[c] = threshold(scores[c], right[c], objects[c])
	}
	return out
}
