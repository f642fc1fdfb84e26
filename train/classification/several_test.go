package classification

import (
	"math"
	"slices"
	"testing"

	"trilobite/dataset"
	"trilobite/dataset/folders"
	"trilobite/nn/nntest"
	"trilobite/ort"
	"trilobite/tensor"
	"trilobite/train"
)

// TestTrainSeveral: of pictures with one or both of two labels, both are learned.
func TestTrainSeveral(t *testing.T) {
	t.Parallel()
	set, err := folders.Read(colours(t, 10)) // of blue, green and red
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Images {
		set.Images[i].Classes = [][]int{{0, 1}, {1}, {0}}[set.Images[i].Classes[0]]
	}
	set.Classes = []string{"no green", "no red"}
	d := tiny(t)
	d.Set, d.Network = set.HoldOut(0.2, 1), nntest.Blocks(t, 8, 6, 2)
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Train(t.Context(), rt, d, Params{Several: true, Epochs: 400}, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Best.Metrics; got["mAP"] < 0.95 || got["F1"] < 0.95 || len(d.Set.Part(dataset.Val)) != 7 {
		t.Errorf("%v on %d held-out pictures, want 0.95 on 7", got, len(d.Set.Part(dataset.Val)))
	}
	e, err := EvaluateSeveral(t.Context(), rt, set, d.Spec, m.Graph, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Images != 30 || e.Figures[0].Name != "mAP" || e.Figures[0].Value < 0.95 || e.Figures[1].Value < 0.95 || e.Classes[1].Samples != 20 || len(e.Curves) != 2 {
		t.Errorf("as it is served: %+v", e)
	}
}

// The surest mistake of a picture is what the report shows of it, the surest picture first.
func TestSeveralFigures(t *testing.T) {
	t.Parallel()
	answers := []*scored{
		{picture: dataset.Image{File: "right", Classes: []int{0}}, scores: []float64{0.75, 0.25, 0}, class: -1},
		{picture: dataset.Image{File: "missed", Classes: []int{0, 1}}, scores: []float64{0.625, 0.375, 0}, class: 1},
		{picture: dataset.Image{File: "imagined", Classes: []int{1}}, scores: []float64{0.875, 0.625, 0}, class: 0},
	}
	e := severalFigures([]string{"a", "b", "c"}, answers)
	var worst []string
	for _, p := range e.Worst {
		worst = append(worst, p.File+": "+p.Note+"; "+p.Truth+"; "+p.Predicted)
	}
	want := []string{"imagined: a scores 88%; b; a, b", "missed: b scores 38%; a, b; a"}
	if !slices.Equal(worst, want) {
		t.Errorf("worst %q, want %q", worst, want)
	}
	if ap := float64(e.Figures[0].Value); math.Abs(ap-(7./12+1)/2) > 1e-12 {
		t.Errorf("mAP %v, want that of the two classes that pictures bear", ap)
	}
	if !math.IsNaN(float64(e.Classes[2].Values[0])) {
		t.Errorf("a class that no picture bears has AP %v", e.Classes[2].Values[0])
	}
}

func TestSeveralJudge(t *testing.T) {
	t.Parallel()
	j := newSeveralJudge(3)
	for _, row := range []struct{ logits, target []float32 }{
		{[]float32{2, -1, 0}, []float32{1, 0, 0}}, {[]float32{1, 3, 0}, []float32{0, 1, 0}}, {[]float32{0.5, -3, 0}, []float32{1, 1, 0}},
	} {
		if err := j.Add(0, []*tensor.Tensor{tensor.Of([]int64{1, 3}, row.logits)}, []*tensor.Tensor{tensor.Of([]int64{1, 3}, row.target)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]float64{"mAP": 5. / 6, "F1": 0.8, "loss": 0.8226827} {
		if got := j.Metrics()[name]; math.Abs(got-want) > 1e-6 {
			t.Errorf("%s %v, want %v", name, got, want)
		}
	}
}
