package learn_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/geom"
)

// TestSearchGoesOn interrupts a search after its first way to learn. Taken up again, it
// goes on with the second, and ends as one that was not interrupted would: with each way told
// once.
func TestSearchGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, 0)
	set := &dataset.Set{Classes: []string{"blue", "red"}, Ignore: dataset.NoIgnore}
	for n := range 16 {
		name := fmt.Sprintf("%d.png", n)
		w.put(t, name, scene(t, n, map[string]geom.Rect{set.Classes[n%2]: {X: 50 + float64(n), Y: 30, W: 60, H: 60}}))
		set.Images = append(set.Images, dataset.Image{File: filepath.Join(w.folder, name), W: 192, H: 144, Classes: []int{n % 2}})
	}
	run := custom.TrainingRun{Name: "custom-1", Learning: custom.OneLabel, Train: set, Test: set, Dir: t.TempDir()}
	var log bytes.Buffer
	w.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
	died := errors.New("it died")
	run.Progress = func(text string) error {
		if strings.Contains(text, "1 ways tried") {
			return died
		}
		return nil
	}
	if _, err := w.engine.Train(t.Context(), run); !errors.Is(err, died) {
		t.Fatalf("error %v, want that of its progress", err)
	}
	first := tried(log.String())
	log.Reset()
	run.Progress = func(string) error { return nil }
	result, err := w.engine.Train(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	again := tried(log.String())
	if !strings.Contains(log.String(), "search taken up") || len(first) != 1 || len(again) == 0 || strings.Contains(log.String(), way(first[0])) {
		t.Errorf("tried first:\n%s\nand then:\n%s", strings.Join(first, "\n"), log.String())
	}
	told := map[string]bool{}
	chosen := 0
	for _, x := range result.Tried {
		name := fmt.Sprint(x.Network, x.Size, x.Learned, x.Mirrored, x.Rate, x.Decay, x.Skipped)
		if told[name] {
			t.Errorf("%+v is told twice", x)
		}
		told[name] = true
		if x.Chosen {
			chosen++
		}
	}
	if chosen != 1 || result.Tried[0].Mirrored || result.Tried[0].Seconds == 0 || len(result.Tried) != len(again)+1 {
		t.Errorf("tried %+v, want the one of before first, and one chosen", result.Tried)
	}
	log.Reset()
	whole, err := w.engine.Train(t.Context(), run) // as after a death between the search and the record of its end
	if err != nil || len(tried(log.String())) != 0 {
		t.Fatalf("%v; the search was over, and went on:\n%s", err, log.String())
	}
	if diff := cmp.Diff(result.Predictions, whole.Predictions); diff != "" || result.Thresholds[0] != whole.Thresholds[0] {
		t.Errorf("predictions of the search that was over (-then +now):\n%s", diff)
	}
}

// tried are the log's lines of ways that were tried or skipped.
func tried(log string) []string {
	var out []string
	for line := range strings.SplitSeq(log, "\n") {
		if _, way, ok := strings.Cut(line, "training tried"); ok {
			out = append(out, way)
		}
	}
	return out
}

// way is what a line of tried tells of the way itself.
func way(line string) string {
	w, _, _ := strings.Cut(line, " right=")
	return w
}
