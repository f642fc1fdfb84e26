package learn

import (
	"slices"
	"testing"
	"time"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/pipeline"
)

func searchOf(sides ...float64) *boxSearch {
	img := dataset.Image{W: 768, H: 576}
	for _, side := range sides {
		img.Objects = append(img.Objects, dataset.Object{Box: geom.Rect{W: side, H: side}})
	}
	return &boxSearch{boxTraining: &boxTraining{
		Engine: &Engine{}, usual: pipeline.Spec{Width: 384, Height: 288}, began: time.Now(),
		set: &dataset.Set{Images: []dataset.Image{img, {Objects: img.Objects[:1]}}}, // the second of unknown size
	}}
}

// TestInput: inputs have the pixels that are asked for and sides of multiples of 32; objects
// are small by their area there.
func TestInput(t *testing.T) {
	t.Parallel()
	s := searchOf(60, 100, 100, 100)
	for times, want := range map[int][2]int{0: {384, 288}, 1: {384, 288}, 2: {544, 416}, 4: {768, 576}} {
		if got := s.input(times); got.Width != want[0] || got.Height != want[1] {
			t.Errorf("%d times the pixels: %d×%d, want %v", times, got.Width, got.Height, want)
		}
	}
	for _, tt := range []struct {
		name  string
		sides []float64 // of squares, in a picture of twice the usual input's sides
		want  bool
	}{
		{"a quarter below 32 pixels", []float64{63, 65, 65, 65}, true},
		{"less than a quarter", []float64{63, 65, 65, 65, 65}, false},
		{"none", []float64{64}, false},
	} {
		if got := searchOf(tt.sides...).small(s.usual); got != tt.want {
			t.Errorf("%s: small %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestInputLate: a trial needs its own time and, of the budget, that of the training after it.
func TestInputLate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		search, budget time.Duration
		want           bool
	}{
		{"no limit", 0, 0, true},
		{"time for trying", 20 * time.Second, 0, true},
		{"too little of it", 5 * time.Second, time.Hour, false},
		{"half the budget", 0, time.Minute, true},
		{"no time for the training", 0, 45 * time.Second, false},
		{"not even given time for trying", time.Hour, 45 * time.Second, false},
	} {
		s := searchOf(1)
		s.Search, s.Budget = tt.search, tt.budget
		if err := s.lasts(10); (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestSurelyBetterInput: a model that misses another box than the other's two is better, not surely;
// one that finds all where the other finds none is. Draws are the same for both.
func TestSurelyBetterInput(t *testing.T) {
	t.Parallel()
	var images []dataset.Image
	for range 20 {
		images = append(images, dataset.Image{Objects: []dataset.Object{{Box: geom.Rect{W: 10, H: 10}, Area: 100}}})
	}
	finds := func(is func(image int) bool) inputTrial {
		seen := make([][]custom.Prediction, len(images))
		for i := range seen {
			if is(i) {
				seen[i] = []custom.Prediction{{Score: 0.9, Box: &geom.Rect{W: 10, H: 10}}}
			}
		}
		var t inputTrial
		t.AP50, t.Draws = ap50(images, seen)
		return t
	}
	none, all := finds(func(int) bool { return false }), finds(func(int) bool { return true })
	but1, but2 := finds(func(i int) bool { return i != 4 }), finds(func(i int) bool { return i != 7 && i != 8 })
	if none.AP50 != 0 || all.AP50 != 1 || slices.Min(all.Draws) != 1 || len(all.Draws) != draws {
		t.Errorf("AP50 of nothing found %v, of everything %v, of draws %v", none.AP50, all.AP50, all.Draws)
	}
	if !all.surelyBetter(none) || none.surelyBetter(all) || all.surelyBetter(all) || but1.AP50 <= but2.AP50 || but1.surelyBetter(but2) {
		t.Errorf("all beside none %v, none beside all %v, the same %v, one more %v", all.surelyBetter(none), none.surelyBetter(all), all.surelyBetter(all), but1.surelyBetter(but2))
	}
}
