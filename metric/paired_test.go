package metric

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// paired is testdata/paired.json, which scipy wrote (golden/paired.py).
type paired struct {
	McNemar []struct {
		A, B int
		P    float64
	}
	Share []struct {
		K, N      int
		Low, High float64
	}
	Permutation      []pairs
	PermutationDrawn pairs `json:"permutation_drawn"`
	BootstrapMean    struct {
		X         []float64
		Low, High float64
	} `json:"bootstrap_mean"`
	BootstrapF1 struct {
		Truth, Said   []int
		F1, Low, High float64
	} `json:"bootstrap_f1"`
}

type pairs struct {
	A, B []float64
	P    float64
}

// p is the permutation test of the difference of means.
func (x pairs) p(rounds int) float64 {
	return Permutation(len(x.A), rounds, 1, func(swap []bool) float64 {
		d := 0.0
		for i, s := range swap {
			if s {
				d += x.B[i] - x.A[i]
			} else {
				d += x.A[i] - x.B[i]
			}
		}
		return d / float64(len(swap))
	})
}

func readPaired(t *testing.T) paired {
	t.Helper()
	data, err := os.ReadFile("testdata/paired.json")
	if err != nil {
		t.Fatal(err)
	}
	var g paired
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func agree(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestPairedGolden(t *testing.T) {
	t.Parallel()
	g := readPaired(t)
	for _, c := range g.McNemar {
		agree(t, "McNemar", McNemar(c.A, c.B), c.P, 1e-10)
	}
	for _, c := range g.Share {
		in := Share(c.K, c.N)
		agree(t, "low of a share", in.Low, c.Low, 1e-9)
		agree(t, "high of a share", in.High, c.High, 1e-9)
	}
	for _, c := range g.Permutation {
		agree(t, "permutation, every assignment", c.p(0), c.P, 1e-12)
	}
	agree(t, "permutation, drawn", g.PermutationDrawn.p(20000), g.PermutationDrawn.P, 0.02)
}

// TestBootstrapGolden: draws differ, so intervals agree within what draws do.
func TestBootstrapGolden(t *testing.T) {
	t.Parallel()
	g := readPaired(t)
	x := g.BootstrapMean.X
	in := Bootstrap(len(x), 20000, 1, func(samples []int) float64 {
		sum := 0.0
		for _, i := range samples {
			sum += x[i]
		}
		return sum / float64(len(samples))
	})
	agree(t, "low of a mean", in.Low, g.BootstrapMean.Low, 0.003)
	agree(t, "high of a mean", in.High, g.BootstrapMean.High, 0.003)
	f := g.BootstrapF1
	macro := func(samples []int) float64 {
		c := NewConfusion(3)
		for _, i := range samples {
			c.Add(f.Truth[i], f.Said[i])
		}
		return c.Mean(c.F1)
	}
	all := make([]int, len(f.Truth))
	for i := range all {
		all[i] = i
	}
	agree(t, "macro F1", macro(all), f.F1, 1e-12)
	in = Bootstrap(len(all), 10000, 1, macro)
	agree(t, "low of a macro F1", in.Low, f.Low, 0.006)
	agree(t, "high of a macro F1", in.High, f.High, 0.006)
}

// TestSampledAP: over every image once an AP is COCOBoxes', which is pycocotools'; over
// an image twice it is that of a set with the image twice.
func TestSampledAP(t *testing.T) {
	t.Parallel()
	for name, s := range cocoScenes(t) {
		want := COCOBoxes(s.truth, s.predictions)
		images := byImage(s.truth, s.predictions)
		ap, ap50 := AP(images)
		agree(t, name+": AP", ap, max(0, want.AP), 1e-12)
		agree(t, name+": AP50", ap50, max(0, want.AP50), 1e-12)

		n := len(images)
		truth, predictions := s.truth, s.predictions
		for _, x := range s.truth {
			x.Image += n
			truth = append(slices.Clip(truth), x)
		}
		for _, x := range s.predictions {
			x.Image += n
			predictions = append(slices.Clip(predictions), x)
		}
		want = COCOBoxes(truth, predictions)
		ap, _ = AP(append(images, images...))
		agree(t, name+": AP of all twice", ap, max(0, want.AP), 1e-12)
	}
	if ap, ap50 := AP(nil); ap != 0 || ap50 != 0 {
		t.Errorf("AP of nothing = %v, %v", ap, ap50)
	}
}

func byImage(truth []Truth, predictions []Prediction) []Matched {
	n := 0
	for _, x := range truth {
		n = max(n, x.Image+1)
	}
	for _, x := range predictions {
		n = max(n, x.Image+1)
	}
	out := make([]Matched, n)
	for i := range out {
		var tr []Truth
		var pr []Prediction
		for _, x := range truth {
			if x.Image == i {
				tr = append(tr, x)
			}
		}
		for _, x := range predictions {
			if x.Image == i {
				pr = append(pr, x)
			}
		}
		out[i] = MatchImage(tr, pr)
	}
	return out
}
