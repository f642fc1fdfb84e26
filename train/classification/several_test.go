package classification

import (
	"math"
	"testing"

	"trilobite/dataset"
	"trilobite/dataset/folders"
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
	d.Set, d.Network = set.HoldOut(0.2, 1), tinyNetwork(t, 2)
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Train(t.Context(), rt, d, Params{Several: true, Epochs: 400}, train.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Best.Metrics; got["mAP"] < 0.95 || got["F1"] < 0.95 || len(d.Set.Part(dataset.Val)) != 6 {
		t.Errorf("%v on %d held-out pictures, want 0.95 on 6", got, len(d.Set.Part(dataset.Val)))
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
