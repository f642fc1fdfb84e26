package learn

import (
	"context"
	"fmt"
	"slices"
	"time"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/metric"
	"trilobite/nn"
	"trilobite/pipeline"
	"trilobite/train"
	"trilobite/train/detection"
	"trilobite/train/transfer"
	"trilobite/zoo"
)

// boxes learns a detector on the input that a search finds (boxsearch.go), and calibrates its
// scores on the images that are held out.
func (e *Engine) boxes(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	t, err := e.boxTraining(ctx, r)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	spec, tried, err := (&boxSearch{boxTraining: t}).find(ctx)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	m, card, err := t.learn(ctx, spec, detection.Params{Epochs: e.Epochs, Budget: t.left()}, r.Dir, "The model is being trained")
	if err != nil {
		return custom.TrainingResult{}, err
	}
	out := held(t.set)
	seen, err := e.answers(ctx, r, card, m.Graph, slices.Concat(out, r.Test.Images))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	here, test := seen[:len(out)], seen[len(out):]
	if len(tried) == 1 {
		tried[0].Steps, tried[0].Seconds = m.Steps, m.Seconds
		tried[0].AP50, _ = ap50(out, here)
	}
	calibration := &custom.Calibration{Before: boxesECE(r.Test.Images, test)}
	card.Decoder.Calibration = platt(judgeBoxes(out, here))
	for _, list := range seen {
		calibrate(card.Decoder.Calibration, list)
	}
	calibration.After = boxesECE(r.Test.Images, test)
	installed, err := e.install(ctx, card, m.Graph, r.Train.Classes)
	return custom.TrainingResult{
		Calibration: calibration, Model: installed.Ref(), Base: fmt.Sprintf("%s at %d×%d pixels", backbone, spec.Width, spec.Height),
		Thresholds: boxThresholds(len(r.Train.Classes), out, here), Predictions: test, Tried: tried,
	}, err
}

// boxTraining is what trainings of detectors of one run share.
type boxTraining struct {
	*Engine

	run        custom.TrainingRun
	set        *dataset.Set // with a part held out
	base       zoo.Card     // of the backbone
	classifier *nn.Network
	usual      pipeline.Spec
	began      time.Time
	before     time.Duration // spent by who died
}

func (e *Engine) boxTraining(ctx context.Context, r custom.TrainingRun) (*boxTraining, error) {
	t := &boxTraining{Engine: e, run: r, set: r.Train.HoldOut(heldOut, seed), began: time.Now()}
	if err := detection.Check(t.set); err != nil {
		return nil, err
	}
	var err error
	t.base, t.classifier, err = e.Puller.Backbone(ctx, backbone, len(r.Train.Classes))
	t.usual = transfer.SpecOf(t.set, t.base.Pipeline)
	return t, err
}

// spent is the time since the training began.
func (t *boxTraining) spent() time.Duration { return t.before + time.Since(t.began) }

// left is what remains of the budget; 0: there is none.
func (t *boxTraining) left() time.Duration {
	if t.Budget <= 0 {
		return 0
	}
	return max(t.Budget-t.spent(), time.Second)
}

// learn trains a detector on an input, and tells what is done in words.
func (t *boxTraining) learn(ctx context.Context, spec pipeline.Spec, p detection.Params, dir, what string) (*detection.Model, zoo.Card, error) {
	p.Backbone, p.Seed = backbone, seed
	card := zoo.Card{
		Name: t.run.Name, Title: fmt.Sprintf("%d kinds of objects learned from %d images", len(t.run.Train.Classes), len(t.run.Train.Images)),
		Task: zoo.Detect, Source: t.base.Source, Convert: zoo.Convert{Format: "torch", Network: "fcos/" + t.base.Convert.Network},
		Pipeline: spec, Decoder: zoo.Decoder{Name: detection.Decoder}, Licence: t.base.Licence,
	}
	net, err := detection.NewNetwork(p, t.base.Convert.Network, t.classifier, len(t.run.Train.Classes), spec)
	if err != nil {
		return nil, card, err
	}
	tell := func(v train.Event) error {
		if text := progress(v, what); text != "" {
			return t.run.Progress(text)
		}
		return nil
	}
	var m *detection.Model
	err = t.heard(ctx, t.set, dir, tell, func(ctx context.Context, o train.Options) (err error) {
		m, err = detection.Train(ctx, t.Runtime, detection.Data{Set: t.set, Network: net, Spec: spec}, p, o)
		return err
	})
	return m, card, err
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
