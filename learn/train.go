package learn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"

	"trilobite"
	"trilobite/classify"
	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/taxonomy"
	"trilobite/tensor"
	"trilobite/train"
	"trilobite/train/classification"
	"trilobite/zoo"
)

// backbone is what custom models start from.
const backbone = "efficientnet-lite0"

// heldOut is the share of the images that choose the checkpoint and the thresholds.
const heldOut = 0.2

const seed = 1

// Train learns a classifier of one label an image.
func (e *Engine) Train(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	if r.Learning != custom.OneLabel {
		return custom.TrainingResult{}, &trilobite.Error{
			Op: "learn.Train", Code: trilobite.Invalid,
			Msg: fmt.Sprintf("Trilobite does not learn %s yet: give each image exactly one label.", r.Learning),
		}
	}
	card, net, err := e.Puller.Backbone(ctx, backbone, len(r.Train.Classes))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	data := classification.Data{Set: r.Train.HoldOut(heldOut, seed), Network: net, Spec: card.Pipeline}
	m, err := e.learn(ctx, r, data)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	card = zoo.Card{
		Name: r.Name, Title: fmt.Sprintf("%d labels learned from %d images", len(r.Train.Classes), len(r.Train.Images)),
		Task: zoo.Classify, Source: card.Source, Convert: card.Convert, Pipeline: card.Pipeline,
		Decoder: zoo.Decoder{Name: "softmax"}, Licence: card.Licence,
	}
	j, err := e.judge(ctx, r, card, m, data.Set.Part(dataset.Val))
	if err != nil {
		return custom.TrainingResult{}, err
	}
	g, err := cooled(net.Graph, net.Params, m.Weights, j.temperature)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	installed, err := e.install(card, g, r.Train.Classes)
	if err != nil {
		return custom.TrainingResult{}, err
	}
	return custom.TrainingResult{
		Model: installed.Ref(), Base: backbone, Thresholds: j.thresholds, Predictions: j.test,
	}, nil
}

// learn trains, tells how it goes, and stops when nobody wants it any more.
func (e *Engine) learn(ctx context.Context, r custom.TrainingRun, data classification.Data) (*classification.Model, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	events := make(chan train.Event, 64)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for v := range events {
			if text := progress(v); text != "" {
				if err := r.Progress(text); err != nil {
					stop(err)
				}
			}
		}
	}()
	digest, err := data.Set.Digest()
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(filepath.Join(r.Dir, "last.safetensors"))
	m, err := classification.Train(ctx, e.Runtime, data, classification.Params{Backbone: backbone, Seed: seed}, train.Options{
		Dir: r.Dir, Resume: err == nil, Fingerprint: digest, Events: events, Runtime: e.Options,
	})
	close(events)
	<-heard
	if cause := context.Cause(ctx); cause != nil {
		err = errors.Join(cause, err)
	}
	return m, err
}

// progress is an event in words; "" says nothing new.
func progress(v train.Event) string {
	switch v.Kind {
	case "features":
		if v.Step%16 == 0 && v.Steps > 0 {
			return fmt.Sprintf("The model is being trained: %d of %d images are read.", v.Step, v.Steps)
		}
	case "evaluation":
		return fmt.Sprintf("The model is being trained: step %d of %d, accuracy %.3f.", v.Step, v.Steps, v.Metrics["accuracy"])
	}
	return ""
}

// judged is what a model's own answers say.
type judged struct {
	temperature float64
	thresholds  []float64
	test        [][]custom.Prediction
}

// judge runs the model as it was trained on the held-out images, places in r.Train, and
// on the test images.
func (e *Engine) judge(ctx context.Context, r custom.TrainingRun, card zoo.Card, m *classification.Model, validation []int) (judged, error) {
	file := filepath.Join(r.Dir, "model.onnx")
	if err := onnx.Save(file, m.Graph); err != nil {
		return judged{}, err
	}
	session, k, err := e.session(ctx, file, card, r.Train.Classes)
	if err != nil {
		return judged{}, err
	}
	defer session.Close()
	held := make([]dataset.Image, len(validation))
	classes := make([]int, len(held))
	for i, n := range validation {
		held[i], classes[i] = r.Train.Images[n], r.Train.Images[n].Classes[0]
	}
	logs, err := e.logs(ctx, k, held)
	if err != nil {
		return judged{}, err
	}
	j := judged{temperature: temperature(logs, classes)}
	for c := range r.Train.Classes {
		scores, positive := make([]float64, len(logs)), make([]bool, len(logs))
		for i, row := range logs {
			scores[i], positive[i] = scaled(row, j.temperature)[c], classes[i] == c
		}
		j.thresholds = append(j.thresholds, threshold(scores, positive))
	}
	if logs, err = e.logs(ctx, k, r.Test.Images); err != nil {
		return judged{}, err
	}
	for _, row := range logs {
		var list []custom.Prediction
		for c, s := range scaled(row, j.temperature) {
			list = append(list, custom.Prediction{Class: c, Score: s})
		}
		j.test = append(j.test, list)
	}
	return j, nil
}

// logs returns the logarithms of the model's scores on images, by class.
func (e *Engine) logs(ctx context.Context, k *classify.Classifier, images []dataset.Image) ([][]float64, error) {
	out := make([][]float64, len(images))
	for i, x := range images {
		img, release, err := e.read(ctx, k, x.File)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", x.File, err)
		}
		seen, err := k.Classify(ctx, img, 0, 0)
		release()
		if err != nil {
			return nil, err
		}
		out[i] = make([]float64, len(k.Labels()))
		for _, s := range seen {
			out[i][s.Class] = math.Log(max(float64(s.Score), 1e-12))
		}
	}
	return out, nil
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

// install keeps the model. One of the name is left from a training that was interrupted
// right after it was kept.
func (e *Engine) install(card zoo.Card, g *onnx.Graph, names []string) (zoo.Model, error) {
	if old, err := e.Models.Get(card.Name); err == nil {
		if err := e.Models.Remove(old.Ref()); err != nil {
			return zoo.Model{}, err
		}
	}
	labels := zoo.Labels{}
	for _, n := range names {
		labels.Classes = append(labels.Classes, zoo.Class{Name: n, Label: taxonomy.Entry{Name: n}})
	}
	return e.Models.Put(card, g, labels)
}
