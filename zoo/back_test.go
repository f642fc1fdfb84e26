package zoo

import (
	"testing"

	"trilobite"
	"trilobite/onnx"
)

// TestBackTo goes back twice, and back from there: versions are added, never changed.
func TestBackTo(t *testing.T) {
	t.Parallel()
	s, first := installed(t, "efficientnet-lite0")
	if _, err := s.BackTo(first.Name); trilobite.CodeOf(err) != trilobite.Invalid {
		t.Errorf("of one version: %v, want Invalid", err)
	}
	if _, err := s.SetPipeline(first.Ref(), "grey.yaml", []byte("steps: [greyscale]\n")); err != nil {
		t.Fatal(err)
	}
	g, err := onnx.Load(first.GraphFile())
	if err != nil {
		t.Fatal(err)
	}
	labels, err := first.ReadLabels()
	if err != nil {
		t.Fatal(err)
	}
	card := first.Card
	card.Version, card.Title = 0, "worse"
	if _, err := s.Put(card, g, labels); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		ref      string
		version  int
		title    string
		revision int
	}{
		{first.Name, 3, first.Title, 1},
		{first.Name + "@2", 4, "worse", 0},
		{first.Name + "@1", 5, first.Title, 1},
	} {
		m, err := s.BackTo(step.ref)
		if err != nil || m.Version != step.version || m.Title != step.title || m.Revision != step.revision {
			t.Fatalf("BackTo(%s) = version %d %q, revision %d, %v; want %+v", step.ref, m.Version, m.Title, m.Revision, err, step)
		}
		if now, err := s.Get(first.Name); err != nil || now.Version != step.version || s.Verify(now) != nil {
			t.Errorf("%s is version %d, %v", first.Name, now.Version, err)
		}
	}
	for ref, want := range map[string]trilobite.Code{first.Name + "@5": trilobite.Invalid, first.Name + "@9": trilobite.NotFound, "none": trilobite.NotFound} {
		if _, err := s.BackTo(ref); trilobite.CodeOf(err) != want {
			t.Errorf("BackTo(%s): %v, want %s", ref, err, want)
		}
	}
}
