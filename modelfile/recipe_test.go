package modelfile

import (
	"math"
	"strings"
	"testing"

	"trilobite/optim"
)

// TestRecipe trains what a file says: the head alone, then what a stage unfreezes at its
// own rate.
func TestRecipe(t *testing.T) {
	t.Parallel()
	text, err := Init("detector", "", []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	deeper := "    - {name: deeper, epochs: 3, unfreeze: '_blocks\\.1[0-5]\\.', optimiser: sgd, lr: 0.01, schedule: poly, warm_up: 0.5, momentum: 0.9, backbone_rate: 0.3}\n"
	s, err := Parse("m", append(text, deeper...))
	if err != nil {
		t.Fatal(err)
	}
	net, err := s.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Recipe(net, func(name string) bool { return !strings.HasPrefix(name, "backbone.") })
	if err != nil {
		t.Fatal(err)
	}
	if r.Batch != 4 || r.ClipNorm != 10 || len(r.Stages) != 2 || r.Stages[0].Epochs != 14 || r.Stages[1].Epochs != 3 {
		t.Fatalf("%+v", r)
	}
	for _, p := range net.Params {
		of := strings.HasPrefix(p.Name, "backbone.")
		late := strings.Contains(p.Name, "_blocks.1") && !strings.Contains(p.Name, "_blocks.1.")
		for i, want := range []bool{!of, !of || late} {
			if got := r.Stages[i].Trainable(p.Name); got != want {
				t.Errorf("stage %d trains %s: %v, want %v", i, p.Name, got, want)
			}
		}
		if r.NoDecay(p.Name) != (len(p.Shape) < 2) {
			t.Errorf("%s of %v decays: %v", p.Name, p.Shape, !r.NoDecay(p.Name))
		}
	}
	if rule, ok := r.Stages[1].Rule.(optim.SGD); !ok || rule.Momentum != 0.9 {
		t.Errorf("rule %+v", r.Stages[1].Rule)
	}
	if f := r.Stages[1].LRScale("backbone.x"); f != 0.3 || r.Stages[0].LRScale("backbone.x") != 0.1 || r.Stages[1].LRScale("head.x") != 1 {
		t.Errorf("the backbone's rate is %v", f)
	}
	for step, want := range map[int64]float64{1: 0.01 * 0.01, 51: 0.01, 101: 0} {
		if got := r.Stages[1].Schedule(100).LR(step); math.Abs(got-want) > 1e-9 {
			t.Errorf("rate of step %d is %v, want %v", step, got, want)
		}
	}
}
