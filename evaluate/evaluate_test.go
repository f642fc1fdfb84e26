package evaluate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/metric"
	"trilobite/zoo"
)

// answers looks at an "image", whose bytes are a key of the map.
type answers map[string]*trilobite.Analysis

func (a answers) Analyze(_ context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	if len(p.Models) != 1 || p.Models[0] != "net@2" || !p.Objects {
		return nil, fmt.Errorf("asked for %+v", p)
	}
	if found, ok := a[string(image)]; ok {
		return found, nil
	}
	return nil, errors.New("no picture")
}

// images writes one file for each content.
func images(t *testing.T, contents ...string) []dataset.Image {
	t.Helper()
	all := make([]dataset.Image, len(contents))
	dir := t.TempDir()
	for i, c := range contents {
		all[i].File = filepath.Join(dir, fmt.Sprintf("%d.jpg", i))
		if err := os.WriteFile(all[i].File, []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func labels(names ...string) zoo.Labels {
	var l zoo.Labels
	for _, n := range names {
		l.Classes = append(l.Classes, zoo.Class{Name: n})
	}
	return l
}

func ranked(classes ...int) *trilobite.Analysis {
	a := &trilobite.Analysis{}
	for _, c := range classes {
		a.Classifications = append(a.Classifications, trilobite.Classification{Class: c})
	}
	return a
}

func TestAccuracy(t *testing.T) {
	t.Parallel()
	to := map[int]int{0: 1, 1: 0} // classes 2 to 7 of the model are not in the set
	tests := []struct {
		name       string
		classes    [][]int // of each image
		seen       []*trilobite.Analysis
		top1, top5 float64
	}{
		{"the set's numbers count", [][]int{{1}}, []*trilobite.Analysis{ranked(0, 1)}, 1, 1},
		{"the first and a later one", [][]int{{1}, {1}}, []*trilobite.Analysis{ranked(0), ranked(1, 0)}, 0.5, 1},
		{"strangers keep their places", [][]int{{1}, {1}}, []*trilobite.Analysis{ranked(2, 3, 4, 5, 0), ranked(2, 3, 4, 5, 6, 0)}, 0, 0.5},
		{"nothing seen is wrong", [][]int{{1}}, []*trilobite.Analysis{ranked()}, 0, 0},
		{"a class that the model does not know is wrong", [][]int{{5}}, []*trilobite.Analysis{ranked(5, 0)}, 0, 0},
		{"images of no class or of several do not count", [][]int{{}, {0, 1}, {0}}, []*trilobite.Analysis{ranked(0), ranked(0), ranked(1)}, 1, 1},
		{"no image is no accuracy, not NaN", nil, nil, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set := &dataset.Set{}
			for _, c := range tt.classes {
				set.Images = append(set.Images, dataset.Image{Classes: c})
			}
			rankings, classes := rankingsOf(tt.seen, set, to)
			top1, top5 := metric.TopK(rankings, classes, 1), metric.TopK(rankings, classes, 5)
			if top1 != tt.top1 || top5 != tt.top5 {
				t.Errorf("accuracy = %v, %v, want %v, %v", top1, top5, tt.top1, tt.top5)
			}
		})
	}
}

func TestRunClassifier(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"dog", "cat", "yeti"}, Images: images(t, "a dog", "a cat")}
	set.Images[0].Classes, set.Images[1].Classes = []int{0}, []int{1}
	var steps atomic.Int32
	m := Model{Analyzer: answers{"a dog": ranked(1, 0), "a cat": ranked(1, 0)}, Ref: "net@2", Task: zoo.Classify, Labels: labels("cat", "dog")}
	got, err := Run(t.Context(), m, set, Options{Parallel: 2, Step: func() { steps.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	half, one := 0.5, 1.0
	want := &Result{Model: "net@2", Images: 2, Unmatched: []string{"yeti"}, Top1: &half, Top5: &one,
		Classes:   []Class{{"dog", 1, 0.5, 1}, {"cat", 1, 0, 0}, {"yeti", 0, 0, 0}},
		Confusion: &Confusion{Names: set.Classes, Counts: [][]int64{{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := steps.Load(); n != 2 {
		t.Errorf("%d steps, want 2", n)
	}
}

// One dog is found exactly and one is not: precision is 1 up to a recall of half, so
// that 51 of COCO's 101 recall points count.
func TestRunDetector(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"dog"}, Images: images(t, "a dog", "another")}
	for i := range set.Images {
		set.Images[i].Objects = []dataset.Object{{Box: geom.Rect{X: 10, Y: 20, W: 30, H: 40}, Area: 1200}}
	}
	m := Model{Ref: "net@2", Task: zoo.Detect, Labels: labels("cat", "dog"), Analyzer: answers{
		"a dog": {Detections: []trilobite.Detection{
			{Class: 1, Score: 0.75, Box: geom.Box{X1: 10, Y1: 20, X2: 40, Y2: 60}},
			{Class: 0, Score: 0.875, Box: geom.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}}, // the set has no cats
		}},
		"another": {},
	}}
	got, err := Run(t.Context(), m, set, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ap := 51.0 / 101
	want := &Result{
		Model: "net@2", Images: 2, COCO: &COCO{AP: ap, AP50: ap, AP75: ap, AR100: 0.5},
		Objects: []Objects{{Name: "dog", Count: 2, AP: ap, AP50: ap}},
		Found:   []metric.Prediction{{Image: 0, Class: 0, Box: geom.Rect{X: 10, Y: 20, W: 30, H: 40}, Score: 0.75}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunNamesTheBadImage(t *testing.T) {
	t.Parallel()
	set := &dataset.Set{Classes: []string{"dog"}, Images: images(t, "a dog", "static")}
	m := Model{Analyzer: answers{"a dog": ranked(0)}, Ref: "net@2", Task: zoo.Classify, Labels: labels("dog")}
	if _, err := Run(t.Context(), m, set, Options{Parallel: 1}); trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), "nothing to measure") {
		t.Errorf("pictures without classes: %v, want that there is nothing to measure", err)
	}
	set.Images[0].Classes = []int{0}
	stranger := m
	stranger.Labels = labels("yak", "background")
	if _, err := Run(t.Context(), stranger, set, Options{}); trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), "it has dog, the model yak, background") {
		t.Errorf("classes of something else: %v", err)
	}
	if _, err := Run(t.Context(), m, set, Options{Parallel: 1}); err == nil || !strings.Contains(err.Error(), "1.jpg: no picture") {
		t.Errorf("Run: %v, want the file's name", err)
	}
	set.Images[0].File += "x"
	if _, err := Run(t.Context(), m, set, Options{}); err == nil || !strings.Contains(err.Error(), "0.jpgx") {
		t.Errorf("Run: %v, want the file's name", err)
	}
}
