package classification

import (
	"fmt"
	"math"
	"slices"
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
	d.Set, d.Network = HoldOutSeveral(set, 0.2, 1), tinyNetwork(t, 2)
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

func TestHoldOutSeveral(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		classes [][]int // by picture
		held    int
	}{
		{"a label's only picture is trained on", [][]int{{0}, {1}, {1}, {1}, {1}, {1}}, 1},
		{"two labels that only meet each other's rare ones", [][]int{{0, 1}, {0, 2}, {1}, {2}, {1}, {2}}, 3},
		{"pictures without labels are held out too", [][]int{{0}, nil, nil}, 1},
		{"none", nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				set := &dataset.Set{Classes: []string{"a", "b", "c"}}
				for i, of := range tt.classes {
					set.Images = append(set.Images, dataset.Image{File: fmt.Sprint(i), Classes: of})
				}
				s := HoldOutSeveral(set, 0.2, seed)
				learned, held := s.Part(dataset.Train), s.Part(dataset.Val)
				seen := map[int]bool{}
				for _, i := range learned {
					for _, c := range tt.classes[i] {
						seen[c] = true
					}
				}
				for i, of := range tt.classes {
					if slices.ContainsFunc(of, func(c int) bool { return !seen[c] }) {
						t.Errorf("seed %d: a label of picture %d is not trained on: %v", seed, i, learned)
					}
				}
				if len(held) > tt.held || len(learned)+len(held) != len(tt.classes) {
					t.Errorf("seed %d: %v, want at most %d held out", seed, held, tt.held)
				}
			}
		})
	}
}

// TestSeveralJudge's figures are those of torchmetrics' multilabel_average_precision and
// PyTorch 2.15's binary_cross_entropy_with_logits.
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
