package learn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"trilobite/dataset"
	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/tensor"
	"trilobite/train"
)

// setting is how a last layer is learned.
type setting struct {
	Rate  float64 `json:"rate"`  // of AdamW, constant
	Decay float64 `json:"decay"` // of AdamW
}

// usualSetting is what linear probes are learned with.
var usualSetting = setting{Rate: 1e-2, Decay: 1e-2}

const (
	headSteps = 200  // passes over all images
	headEvery = 50   // of them between judgements, the best of which counts
	mostRows  = 4096 // of a step
)

// heads are last layers learned side by side on the same features: one for each fold, which
// does not see the fold's images, and one that sees all. Their losses are summed, and
// AdamW goes by element, so that none knows of the others.
type heads struct {
	logits [][]float64 // by image, of the head that did not see it; nil: the image is unreadable
	layers []layer     // by fold that was not seen; the last one saw all
	steps  int64
}

// layer is a last layer: weight (classes, width), bias (classes).
type layer struct{ weight, bias *tensor.Tensor }

// learnHeads learns last layers of classes on features, within budget if it is not 0; folds
// has each image's.
func learnHeads(ctx context.Context, rt *ort.Runtime, f *features, images []dataset.Image, classes int, several bool, folds []int, s setting, budget time.Duration) (*heads, error) {
	rows := &rows{features: f, images: images, folds: folds, classes: classes, several: several}
	for i, r := range f.rows {
		if r != nil {
			rows.use = append(rows.use, i)
		}
	}
	n, first := slices.Max(folds)+1, f.rows[rows.use[0]][0]
	if len(first.Shape) != 2 {
		return nil, fmt.Errorf("the last layer reads %v, want a row for each image", first.Shape)
	}
	g, err := headGraph(first.Shape[1], int64(classes), n)
	if err != nil {
		return nil, err
	}
	rule := optim.NewAdamW()
	rule.WeightDecay = s.Decay
	batch := min(len(rows.use), mostRows)
	every := int64(headEvery) * int64((len(rows.use)+batch-1)/batch)
	res, err := train.Run(ctx, rt, train.Task{
		Graph: g, Train: rows, Validation: plain{rows}, Metric: "score",
		Loss:  func(b *onnx.Builder, out []*onnx.Value) *onnx.Value { return headLoss(b, out, several) },
		Judge: func() train.Judge { return &foldJudge{rows: rows, logits: make([][]float64, len(images))} },
	}, train.Recipe{Seed: seed, Budget: budget, Stages: []train.Stage{{
		Name: "last layers", Epochs: headSteps, Batch: batch, Every: every, Rule: rule,
		Schedule: func(int64) optim.Schedule { return optim.Constant(s.Rate) },
	}}}, train.Options{})
	if err != nil {
		return nil, err
	}
	h := &heads{steps: headSteps}
	for k := range n + 1 {
		name := fmt.Sprintf("head%d.fc.", k)
		h.layers = append(h.layers, layer{res.Weights[name+"weight"], res.Weights[name+"bias"]})
	}
	if res.Best != nil {
		h.steps = res.Best.Step / (every / headEvery)
	}
	h.logits = rows.apart(h.layers)
	return h, nil
}

// headGraph has n heads for the folds and one more: features (N, width) to logits.
func headGraph(width, classes int64, n int) (*onnx.Graph, error) {
	b := onnx.NewBuilder("last layers")
	m := nn.NewModule(b)
	x := b.Input("features", tensor.Float32, onnx.Shape{b.Dim("N"), width})
	for k := range n + 1 {
		b.Output(fmt.Sprintf("logits%d", k), m.Sub(fmt.Sprintf("head%d", k)).Linear("fc", x, classes))
	}
	return b.Graph()
}

// headLoss is the sum of the heads' losses, each over the images that are not of its fold.
func headLoss(b *onnx.Builder, out []*onnx.Value, several bool) *onnx.Value {
	n := out[0].Shape[0]
	kind, shape := tensor.Int64, onnx.Shape{n}
	if several {
		kind, shape = tensor.Float32, out[0].Shape
	}
	target := b.Input("target", kind, shape)
	fold := b.Input("fold", tensor.Int64, onnx.Shape{n})
	var sum *onnx.Value
	for k, x := range out {
		mine := b.Equal(fold, b.Int(int64(k)))
		var l *onnx.Value
		if several { // 0 has no derivative by the weights
			seen := b.Unsqueeze(b.Cast(b.Not(mine), tensor.Float32), 1)
			l = loss.BCEWithLogits(b, b.Mul(x, seen), target)
		} else {
			l = loss.CrossEntropy(b, x, b.Where(mine, b.Int(-100), target), loss.CrossEntropyAttrs{})
		}
		if sum == nil {
			sum = l
		} else {
			sum = b.Add(sum, l)
		}
	}
	return sum
}

// rows are features as samples.
type rows struct {
	*features

	images  []dataset.Image
	folds   []int // nil: it is no target
	classes int
	several bool
	use     []int // images that are samples, readable ones
}

// Len is train.Source's.
func (r *rows) Len() int { return len(r.use) }

// Variants is train.Source's.
func (r *rows) Variants() int { return len(r.rows[r.use[0]]) }

// Sample is train.Source's.
func (r *rows) Sample(_ context.Context, n int, variant uint64) (train.Sample, error) {
	i := r.use[n]
	target := tensor.Vector(int64(r.images[i].Classes[0]))
	if r.several {
		row := make([]float32, r.classes)
		for _, c := range r.images[i].Classes {
			row[c] = 1
		}
		target = tensor.Of([]int64{1, int64(r.classes)}, row)
	}
	s := train.Sample{Inputs: []*tensor.Tensor{r.rows[i][variant]}, Targets: []*tensor.Tensor{target}}
	if r.folds != nil {
		s.Targets = append(s.Targets, tensor.Vector(int64(r.folds[i])))
	}
	return s, nil
}

// plain is rows without mirrors.
type plain struct{ *rows }

// Variants is train.Source's.
func (plain) Variants() int { return 1 }

// apart returns the logits of each image by the layer that did not see it.
func (r *rows) apart(layers []layer) [][]float64 {
	out := make([][]float64, len(r.images))
	for _, i := range r.use {
		out[i] = layers[r.folds[i]].logits(r.rows[i][0])
	}
	return out
}

// logits are the layer's of features (1, width).
func (l layer) logits(x *tensor.Tensor) []float64 {
	row, _ := tensor.Data[float32](x)
	w, _ := tensor.Data[float32](l.weight)
	b, _ := tensor.Data[float32](l.bias)
	out := make([]float64, len(b))
	for c := range out {
		out[c] = float64(b[c])
		for d, v := range row {
			out[c] += float64(v) * float64(w[c*len(row)+d])
		}
	}
	return out
}

// foldJudge measures each image by the head that did not see it, or the only one: "score" is
// minus the loss that is left once the confidences are calibrated.
type foldJudge struct {
	*rows

	logits [][]float64
}

// Add is train.Judge's.
func (j *foldJudge) Add(n int, outputs, _ []*tensor.Tensor) error {
	i, k := j.use[n], 0
	if j.folds != nil {
		k = j.folds[i]
	}
	x, _ := tensor.Data[float32](outputs[k])
	j.logits[i] = make([]float64, len(x))
	for c, v := range x {
		j.logits[i][c] = float64(v)
	}
	return nil
}

// Metrics is train.Judge's.
func (j *foldJudge) Metrics() map[string]float64 {
	m := measure(readingOf(j.several), j.logits, j.images)
	return map[string]float64{"score": -m.Loss, "right": m.Right}
}

// measured are the figures of logits of images that were not seen in training.
type measured struct {
	Temperature float64
	Right       float64   // share of the decisions that are right: of images, or of labels of images
	Loss        float64   // mean cross-entropy of a decision, calibrated
	each        []float64 // of every decision
}

func measure(r reading, logits [][]float64, images []dataset.Image) measured {
	var seen [][]float64
	var of []dataset.Image
	for i, row := range logits {
		if row != nil {
			seen, of = append(seen, row), append(of, images[i])
		}
	}
	decisions, classes := r.samples(seen, of)
	m := measured{Temperature: temperature(decisions, classes)}
	right := 0
	for i, row := range decisions {
		p := scaled(row, m.Temperature)
		m.each = append(m.each, -math.Log(max(p[classes[i]], 1e-12)))
		m.Loss += m.each[i] / float64(len(decisions))
		if p[classes[i]] == slices.Max(p) {
			right++
		}
	}
	m.Right = float64(right) / float64(max(len(decisions), 1))
	return m
}

// surelyBetter reports whether a's loss is below b's by more than the standard error of
// their difference, decision by decision.
func surelyBetter(a, b measured) bool {
	if len(a.each) != len(b.each) || len(a.each) < 2 {
		return a.Loss < b.Loss
	}
	mean, square := 0.0, 0.0
	for i := range a.each {
		d := b.each[i] - a.each[i]
		mean += d
		square += d * d
	}
	n := float64(len(a.each))
	mean /= n
	deviation := math.Sqrt(max(square/n-mean*mean, 0) / (n - 1))
	return mean > deviation
}
