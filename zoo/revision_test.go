package zoo

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"

	"trilobite"
	"trilobite/imageio"
	"trilobite/pipeline"
)

func TestRevisions(t *testing.T) {
	t.Parallel()
	s := NewStore(t.TempDir())
	card := Card{Name: "m", Version: 1, Task: Segment, Decoder: Decoder{Name: "mask"}, Pipeline: pipeline.Spec{Width: 8, Height: 8, Filter: imageio.Lanczos}}
	text, err := yaml.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.Dir("m", "1"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir("m", "1"), "card.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(m Model, err error, revision, steps int) {
		t.Helper()
		if err != nil || m.Revision != revision || len(m.Pipeline.Steps) != steps {
			t.Fatalf("revision %d with %d steps, %v; want %d with %d", m.Revision, len(m.Pipeline.Steps), err, revision, steps)
		}
	}
	m, err := s.SetPipeline("m", "a.yaml", []byte("steps: [greyscale]\n"))
	check(m, err, 1, 1)
	m, err = s.SetPipeline("m@1", "b.yaml", []byte("steps:\n  - gamma: 2\n  - equalise\nmean: [1]\n"))
	check(m, err, 2, 2)
	if _, err := s.SetPipeline("m", "c.yaml", []byte("steps: [grayscale]\n")); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("a bad file: %v, want Invalid", err)
	}
	m, err = s.Get("m")
	check(m, err, 2, 2)
	m, err = s.RollBack("m")
	check(m, err, 1, 1)
	m, err = s.SetPipeline("m", "d.yaml", []byte("# nothing\n"))
	check(m, err, 3, 0)
	m, err = s.RollBack("m")
	check(m, err, 1, 1) // what was in use before, not the number before
	m, err = s.RollBack("m")
	check(m, err, 0, 0)
	if _, err := s.RollBack("m"); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("nothing before: %v, want Invalid", err)
	}
}

// TestRevisionsAtOnce: none of many that are set at a time is lost.
func TestRevisionsAtOnce(t *testing.T) {
	t.Parallel()
	s := NewStore(t.TempDir())
	card := Card{Name: "m", Version: 1, Task: Segment, Decoder: Decoder{Name: "mask"}, Pipeline: pipeline.Spec{
		Width: 8, Height: 8, Filter: imageio.Lanczos, Steps: []pipeline.Step{{Name: "greyscale", Op: &pipeline.Greyscale{}}},
	}}
	text, err := yaml.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.Dir("m", "1"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir("m", "1"), "card.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Get("m"); err != nil || len(m.Pipeline.Steps) != 1 {
		t.Fatalf("%d steps of the card, %v; want 1", len(m.Pipeline.Steps), err)
	}
	const n = 16
	var g sync.WaitGroup
	for range n {
		g.Go(func() {
			if _, err := s.SetPipeline("m", "a.yaml", []byte("steps: [equalise]\n")); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	m, err := s.Get("m")
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Revisions()
	if err != nil || len(r.All) != n || m.Revision != n {
		t.Errorf("%d revisions, %d in use, %v; want %d", len(r.All), m.Revision, err, n)
	}
}
