package learn

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/ort"
	"trilobite/tensor"
)

// clusters are n images of two classes around (1, 0) and (0, 1), the last one unreadable.
func clusters(n int, several bool) (*features, []dataset.Image, []int) {
	r := rand.New(rand.NewPCG(3, 5))
	f := &features{}
	var images []dataset.Image
	var folds []int
	for i := range n {
		row := []float32{float32(0.6 * r.NormFloat64()), float32(0.6 * r.NormFloat64())}
		row[i%2]++
		f.rows = append(f.rows, []*tensor.Tensor{tensor.Of([]int64{1, 2}, row)})
		img := dataset.Image{Classes: []int{i % 2}}
		if several && i%5 == 0 {
			img.Classes = []int{0, 1}
		}
		images, folds = append(images, img), append(folds, i/2%3)
	}
	f.rows[n-1] = nil
	return f, images, folds
}

// TestHeadsDoNotSeeTheirFold: another label in fold 0 changes what the others answer, and
// nothing of what head 0 does; what an image is judged by is head 0's answer.
func TestHeadsDoNotSeeTheirFold(t *testing.T) {
	t.Parallel()
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, several := range []bool{false, true} {
		f, images, folds := clusters(30, several)
		learn := func() *heads {
			h, err := learnHeads(t.Context(), rt, f, images, 2, several, folds, usualSetting, 0)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		before := learn()
		if m := measure(readingOf(several), before.logits, images); m.Right < 0.7 || len(m.each) != map[bool]int{false: 29, true: 58}[several] {
			t.Errorf("several %v: %.2f of %d decisions are right, want 0.7", several, m.Right, len(m.each))
		}
		if before.logits[29] != nil {
			t.Error("an unreadable image has an answer")
		}
		after := &heads{}
		for i := 1; i < len(images) && after.steps != before.steps; i += 6 { // of fold 0
			own := images[i].Classes
			images[i].Classes = []int{0}
			if after = learn(); after.steps != before.steps {
				images[i].Classes = own // another step is the best now: no two heads can be compared
			}
		}
		if after.steps != before.steps {
			t.Fatal("no label can change without another step being the best")
		}
		for i := range images {
			if same := cmp.Equal(before.logits[i], after.logits[i]); same != (folds[i] == 0 || i == 29) {
				t.Errorf("several %v, image %d of fold %d: the same answer: %v", several, i, folds[i], same)
			}
		}
	}
}

func TestFolds(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"a", "b"}}
	for i := range 40 {
		c := 0
		if i >= 30 {
			c = 1
		}
		set.Images = append(set.Images, dataset.Image{Classes: []int{c}})
	}
	count := make([][2]int, manyFolds)
	for i, k := range foldsOf(set, false) {
		count[k][set.Images[i].Classes[0]]++
	}
	for k, n := range count {
		if n != [2]int{6, 2} {
			t.Errorf("fold %d has %v of the labels, want 6 and 2", k, n)
		}
	}
	for i := range 10 {
		set.Images[i].Classes = []int{0, 1}
	}
	rare := make([]int, manyFolds)
	for i, k := range foldsOf(set, true) {
		if len(set.Images[i].Classes) == 2 || set.Images[i].Classes[0] == 1 {
			rare[k]++
		}
	}
	for k, n := range rare {
		if n != 4 {
			t.Errorf("fold %d has %d images of the rare label, want 4", k, n)
		}
	}
}

func TestSurelyBetter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		a, b []float64
		want bool
	}{
		"each a little":     {[]float64{0.9, 0.9, 0.9, 0.9}, []float64{1, 1, 1.01, 1}, true},
		"one much, one not": {[]float64{0, 1, 1, 1.9}, []float64{1, 1, 1, 1}, false},
		"worse":             {[]float64{1, 1.1, 1}, []float64{1, 1, 1}, false},
		"equal":             {[]float64{1, 1}, []float64{1, 1}, false},
	} {
		if got := surelyBetter(measured{each: tt.a}, measured{each: tt.b}); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
