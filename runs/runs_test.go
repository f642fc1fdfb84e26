package runs

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite"
)

var started = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// create makes a run; the caller ends it.
func create(t *testing.T, s *Store, name string) *Folder {
	t.Helper()
	f, err := s.Create(Run{Name: name, Task: "segment", Started: started, Seed: 7, Epochs: 2, Recipe: json.RawMessage(`{"batch":4}`)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// abandon ends a run as a crash does.
func abandon(t *testing.T, f *Folder) {
	t.Helper()
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	s := NewStore(t.TempDir())
	f := create(t, s, "road")
	events := []Event{
		{Kind: "start", Time: started},
		{Kind: "step", Time: started, Stage: "head", Epoch: 1, Step: 1, Steps: 10, Loss: 2.5, LR: 0.001, ImagesPerSecond: 12, ETA: 3 * time.Second},
		{Kind: "step", Time: started, Step: 2, Loss: math.NaN(), LR: math.Inf(1)},
		{Kind: "evaluation", Time: started, Epoch: 1, Metrics: map[string]float64{"mIoU": 0.5, "gone": math.NaN()}},
	}
	for _, e := range events {
		if err := f.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Update(func(r *Run) { r.Epoch, r.Best = 1, &Best{"mIoU", 0.5, 1, 10} }); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get("road"); err != nil || got.State != Running || got.Best.Value != 0.5 || got.Seed != 7 {
		t.Errorf("while it runs: %+v, %v", got, err)
	}
	if _, err := s.Open("road"); trilobite.CodeOf(err) != trilobite.InUse {
		t.Errorf("opened twice: %v, want in use", err)
	}
	if err := f.Finish(Failed, errors.New("the loss is not finite")); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get("road-2026")
	if err != nil || r.State != Failed || r.Error != "the loss is not finite" || r.ID != "road-20260301-120000" || r.Elapsed(started) <= 0 {
		t.Errorf("afterwards: %+v, %v", r, err)
	}
	got, err := s.Events(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	events[2].LR = math.NaN() // JSON knows neither
	if diff := cmp.Diff(events, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestCrash leaves a run as a killed process does: state running, the lock gone, half a
// line at the end.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := NewStore(t.TempDir())
	f := create(t, s, "road")
	if err := f.Append(Event{Kind: "step", Step: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.events.WriteString(`{"kind":"st`); err != nil {
		t.Fatal(err)
	}
	abandon(t, f)
	r, err := s.Get("road")
	if err != nil || r.State != Interrupted {
		t.Errorf("state %q, %v; want interrupted", r.State, err)
	}
	if e, err := s.Events(r.ID); err != nil || len(e) != 1 {
		t.Errorf("%d events, %v; want the whole one", len(e), err)
	}
	again, err := s.Open("road")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.Append(Event{Kind: "step", Step: 2}), again.Finish(Done, nil)); err != nil {
		t.Fatal(err)
	}
	e, err := s.Events(r.ID)
	if err != nil || len(e) != 2 || e[1].Step != 2 {
		t.Errorf("after going on: %+v, %v", e, err)
	}
	if r, err = s.Get("road"); err != nil || r.State != Done {
		t.Errorf("state %q, %v; want done", r.State, err)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir(r.ID), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := NewStore(t.TempDir())
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("without a folder: %v, %v", all, err)
	}
	for range 2 { // in the same second
		abandon(t, create(t, s, "road"))
	}
	abandon(t, create(t, s, "cells"))
	if err := os.Mkdir(s.Dir("broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if len(all) != 3 || err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("List: %d runs, %v; want 3 and the broken one named", len(all), err)
	}
	tests := []struct {
		name, ref, want string
		code            trilobite.Code
	}{
		{"ID", "road-20260301-120000-2", "road-20260301-120000-2", ""},
		{"beginning of one", "cel", "cells-20260301-120000", ""},
		{"beginning of two", "ro", "", trilobite.Invalid},
		{"unknown", "blood", "", trilobite.NotFound},
		{"empty", "", "", trilobite.NotFound},
		{"out of the folder", "../../etc", "", trilobite.NotFound},
	}
	for _, tt := range tests {
		r, err := s.Get(tt.ref)
		if r.ID != tt.want || (tt.code != "") != (err != nil) || err != nil && trilobite.CodeOf(err) != tt.code {
			t.Errorf("%s: %q, %v; want %q %s", tt.name, r.ID, err, tt.want, tt.code)
		}
	}
	if _, err := s.Create(Run{Name: "../x"}); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("name that leads out: %v, want invalid", err)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"kind":"step","time":"2026-03-01T12:00:00Z","loss":null,"metrics":{"a":1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var e Event
		if json.Unmarshal([]byte(text), &e) != nil {
			return
		}
		if _, err := json.Marshal(e); err != nil && e.Time.Year() < 10000 {
			t.Errorf("read but not written: %v", err)
		}
	})
}
