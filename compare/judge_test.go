package compare

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/metric"
)

// learned is testdata/classes.json, which scikit-learn wrote (golden/compare.py).
type learned struct {
	Least   float64
	Truth   [][]int
	Scores  [][]float64
	Figures []float64
}

func TestClassesGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/classes.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct{ One, Several learned }
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	check := func(name string, j judge, want []float64) {
		for i, got := range j.figures(every(j.images())) {
			if !(math.Abs(got-want[i]) < 1e-12) {
				t.Errorf("%s: %s = %v, want %v", name, j.names()[i], got, want[i])
			}
		}
	}
	rows := func(l learned) []imageRow {
		out := make([]imageRow, len(l.Truth))
		for i := range out {
			out[i] = imageRow{truth: l.Truth[i], scores: l.Scores[i], answer: len(l.Scores[i])}
			if best := slices.Max(l.Scores[i]); best >= l.Least {
				out[i].answer = slices.Index(l.Scores[i], best)
			}
		}
		return out
	}
	check("one class each", oneClass(rows(g.One), 4, nil), g.One.Figures)
	check("several classes", manyClasses(rows(g.Several), 4, g.Several.Least, nil), g.Several.Figures)
}

// TestKnownAlone: of four images the route has no word for the class of two; of the others
// it has one right.
func TestKnownAlone(t *testing.T) {
	t.Parallel()
	rows := []imageRow{
		{[]int{0}, 0, []float64{0.9, 0}},
		{[]int{0}, 2, []float64{0, 0}},
		{[]int{1}, 0, []float64{0.4, 0}},
		{[]int{1}, 2, []float64{0, 0}},
	}
	if got := oneClass(rows, 2, nil).figures(every(4))[0]; got != 0.25 {
		t.Errorf("accuracy over all = %v, want 0.25", got)
	}
	j := oneClass(rows, 2, []bool{true, false})
	if got := j.figures(every(j.images()))[0]; j.images() != 2 || got != 0.5 {
		t.Errorf("accuracy over what is known = %v of %d images, want 0.5 of 2", got, j.images())
	}
}

// TestBoxes: the first image's dog is found exactly, the second's is not, and a cat that
// the set does not have counts for nothing.
func TestBoxes(t *testing.T) {
	t.Parallel()
	dog := dataset.Object{Box: geom.Rect{X: 10, Y: 20, W: 30, H: 40}, Area: 1200}
	images := []dataset.Image{{Objects: []dataset.Object{dog}}, {Objects: []dataset.Object{dog}}}
	at := dog.Box
	records := []*record{
		{Answer: Answer{Labels: []Label{{Name: "Dog", Score: 0.75, Box: &at}, {Name: "Cat", Score: 0.9, Box: &at}, {Name: "Dog", Score: 0.2, Box: &geom.Rect{W: 5, H: 5}}}}},
		{},
	}
	s := newSorted(NewMatcher([]string{"dog", "yeti"}, words(t), nil))
	f := boxes(images, records, s, 0.5, nil).figures(every(2))
	ap := 51.0 / 101 // precision is 1 up to a recall of half
	for i, want := range []float64{ap, ap, 1, 0.5, 2.0 / 3} {
		if math.Abs(f[i]-want) > 1e-12 {
			t.Errorf("figure %d = %v, want %v", i, f[i], want)
		}
	}
	matches, strangers := s.lists()
	if len(matches) != 1 || matches[0].Class != "dog" || len(strangers) != 0 {
		t.Errorf("matches %v, strangers %v", matches, strangers)
	}
}

func TestPixels(t *testing.T) {
	t.Parallel()
	c := metric.NewConfusion(3) // road, tree, other
	c.Add(0, 0)
	c.Add(0, 0)
	c.Add(0, 1)
	c.Add(1, 2) // a tree that is called what the set does not have
	f := pixels([]*metric.Confusion{c}, nil).figures([]int{0})
	if want := (2.0/3 + 0) / 2; math.Abs(f[0]-want) > 1e-12 || f[1] != 0.5 {
		t.Errorf("mIoU, accuracy = %v, %v, want %v, 0.5", f[0], f[1], want)
	}
	if f := pixels([]*metric.Confusion{c}, []bool{true, false}).figures([]int{0}); math.Abs(f[0]-2.0/3) > 1e-12 || math.Abs(f[1]-2.0/3) > 1e-12 {
		t.Errorf("over the road alone: %v", f)
	}
}

// TestMeasureAllRight: a bootstrap of nothing but hits is a point; the interval is exact.
func TestMeasureAllRight(t *testing.T) {
	t.Parallel()
	var rows []imageRow
	for range 39 {
		rows = append(rows, imageRow{[]int{0}, 0, []float64{1}})
	}
	f := measure(oneClass(rows, 1, nil), 50, 1)[0]
	if !f.Exact || math.Abs(f.Interval.Low-0.9097) > 1e-4 || f.Interval.High != 1 { // scipy: see metric/testdata/paired.json
		t.Errorf("accuracy %+v in %+v", f, f.Interval)
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	right, wrong := imageRow{[]int{0}, 0, []float64{1}}, imageRow{[]int{0}, 1, []float64{0}}
	a := oneClass([]imageRow{right, right, right, right, right, right, wrong}, 1, nil)
	b := oneClass([]imageRow{wrong, wrong, wrong, wrong, wrong, wrong, wrong}, 1, nil)
	x := test(a, b, 200, 1)
	if x.Method != "McNemar" || math.Abs(x.P-2.0/64) > 1e-12 || math.Abs(x.Difference-6.0/7) > 1e-12 {
		t.Errorf("%+v", x)
	}
	road := func(right int) *metric.Confusion {
		c := metric.NewConfusion(2)
		for i := range 4 {
			c.Add(0, map[bool]int{true: 0, false: 1}[i < right])
		}
		return c
	}
	x = test(pixels([]*metric.Confusion{road(4), road(3)}, nil), pixels([]*metric.Confusion{road(1), road(2)}, nil), 50, 1)
	if x.Method != "permutation" || x.P != 0.5 || math.Abs(x.Difference-0.5) > 1e-12 { // two of the four assignments are as extreme
		t.Errorf("%+v", x)
	}
	same := test(a, a, 50, 1)
	most := 1 - math.Pow(0.025, 1.0/7) // Clopper and Pearson's for none of seven
	if same.P != 1 || !same.Exact || math.Abs(same.Interval.High-most) > 1e-9 || same.Interval.Low != -same.Interval.High {
		t.Errorf("a route against itself: %+v", same)
	}
}

// Where nothing is found in any image, every choice of images says 0: that is no interval.
func TestNoInterval(t *testing.T) {
	t.Parallel()
	nothing := boxRow{fn: 1}
	for _, f := range measure(sheet[boxRow]{title: []string{"F1"}, rows: []boxRow{nothing, nothing, nothing}, reckon: func(rows []boxRow) []float64 {
		return []float64{share(0, float64(len(rows)))}
	}}, 50, 1) {
		if f.Value != 0 || f.Interval != nil {
			t.Errorf("%+v", f)
		}
	}
}
