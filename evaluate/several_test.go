package evaluate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/dataset"
	"trilobite/zoo"
)

// The model knows cat, dog and, unlike the set, fish; dogs are ranked right but decided on
// too high.
func TestRunSeveral(t *testing.T) {
	t.Parallel()
	answer := func(cat, dog float32) *trilobite.Analysis {
		return &trilobite.Analysis{Classifications: []trilobite.Classification{{Class: 2, Score: 1}, {Class: 0, Score: cat}, {Class: 1, Score: dog}}}
	}
	set := &dataset.Set{Classes: []string{"dog", "cat", "yeti", ""}, Images: images(t, "both", "a dog", "a cat", "nobody has looked")}
	set.Images[0].Classes, set.Images[1].Classes, set.Images[2].Classes = []int{1, 0}, []int{0}, []int{1}
	m := Model{Ref: "net@2", Task: zoo.Classify, Labels: labels("cat", "dog", "fish"), Several: true, Analyzer: answers{
		"both": answer(0.75, 0.5625), "a dog": answer(0.875, 0.375), "a cat": answer(0.625, 0.125), "nobody has looked": answer(1, 1),
	}}
	got, err := Run(t.Context(), m, set, Options{Parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	catAP := (1./2 + 2./3) / 2
	want := &Result{Model: "net@2", Images: 4, Unmatched: []string{"yeti"}, Several: &Several{
		Images: 3, MAP: (1 + catAP) / 2, F1: (2./3 + 4./5) / 2,
		Labels: []Label{
			{"dog", 2, 1, 1, 1. / 2, 2. / 3},
			{"cat", 2, catAP, 2. / 3, 1, 4. / 5},
			{"yeti", 0, 0, 0, 0, 0},
		},
	}}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
