package learn

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/nn/nntest"
	"trilobite/ort"
	"trilobite/tensor"
)

// deepSearch is a search over 80 rows of what is before the last block: class 1 has more of
// channel 5, among noise. Two folds.
func deepSearch(t *testing.T) *deep {
	t.Helper()
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	net := nntest.Blocks(t, 4, 8, 2)
	_, after, err := cut(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	set, f, r := &dataset.Set{Classes: []string{"a", "b"}}, &features{}, rand.New(rand.NewPCG(5, 7))
	var folds []int
	for i := range 80 {
		x := make([]float32, 8*16)
		for k := range x {
			x[k] = float32(r.Float64())
			if k/16 == 5 && i%2 == 1 {
				x[k] += 0.7
			}
		}
		f.rows = append(f.rows, []*tensor.Tensor{tensor.Of([]int64{1, 8, 4, 4}, x)})
		set.Images = append(set.Images, dataset.Image{Classes: []int{i % 2}})
		folds = append(folds, i/2%2)
	}
	f.rows[79] = nil // unreadable
	s := &search{Engine: &Engine{Runtime: rt}, reads: readingOf(false), folds: folds, run: custom.TrainingRun{Train: set, Progress: func(string) error { return nil }}}
	return &deep{
		search: s, rows: f, after: after, net: net, c: candidate{network: "blocks", blocks: 1, setting: setting{3e-2, 1e-2}},
		logits: make([][]float64, 80),
	}
}

// start is a last layer that knows nothing.
func start() layer {
	return layer{tensor.Of([]int64{2, 8}, make([]float32, 16)), tensor.Of([]int64{2}, make([]float32, 2))}
}

// TestDeepFold: the last block is learned without the fold's images, of which it answers
// most rightly, and whose labels change nothing; those of others do.
func TestDeepFold(t *testing.T) {
	t.Parallel()
	learn := func(d *deep) [][]float64 {
		weights, err := d.learn(t.Context(), start(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		const moved = "_blocks.1.conv.weight"
		for _, p := range d.net.Params {
			_, learned := weights[p.Name]
			if want := p.Name != "_blocks.0.conv.weight" && p.Name != "_blocks.0.conv.bias"; learned != want {
				t.Errorf("%s learned: %v", p.Name, learned)
			}
			if p.Name == moved && cmp.Equal(p.Data.Raw(), weights[moved].Raw()) {
				t.Errorf("%s stayed as it was", moved)
			}
		}
		return d.logits
	}
	d := deepSearch(t)
	before := learn(d)
	for i, row := range before {
		if (row != nil) != (d.folds[i] == 0) {
			t.Errorf("image %d of fold %d: logits %v", i, d.folds[i], row)
		}
	}
	if m := measure(d.reads, before, d.run.Train.Images); m.Right < 0.9 || len(m.each) != 40 {
		t.Errorf("%.2f of %d are right, want 0.9 of 40", m.Right, len(m.each))
	}
	own, other := deepSearch(t), deepSearch(t)
	own.run.Train.Images[0].Classes = []int{1}
	other.run.Train.Images[2].Classes = []int{1}
	if !cmp.Equal(before, learn(own)) {
		t.Error("a fold's label changes what is answered of it")
	}
	if cmp.Equal(before, learn(other)) {
		t.Error("a label that is learned changes nothing")
	}
}

// TestDeepLate: after an epoch a training sees that all of them would be late.
func TestDeepLate(t *testing.T) {
	t.Parallel()
	d := deepSearch(t)
	d.until = time.Now().Add(30 * time.Second)
	_, err := d.learn(t.Context(), start(), 0, 1e6)
	if l, ok := errors.AsType[late](err); !ok || l.need < time.Minute {
		t.Errorf("a million trainings in half a minute: %v", err)
	}
	if _, err := d.learn(t.Context(), start(), 0, 1); err != nil {
		t.Errorf("one training in half a minute: %v", err)
	}
}
