package objects

import (
	"os"
	"path/filepath"
	"testing"

	"trilobite"
)

func TestShelf(t *testing.T) {
	t.Parallel()
	s, err := OpenShelf(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{"card.yaml", "model.onnx"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), "custom-1/1", from); err != nil {
		t.Fatal(err)
	}
	if err := s.Get(t.Context(), "custom-1/1", to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(to, "model.onnx")); string(got) != "model.onnx" {
		t.Errorf("what came back: %q, %v", got, err)
	}
	if files, _ := os.ReadDir(to); len(files) != 2 {
		t.Errorf("%d files came back, want 2", len(files))
	}
	if err := s.bucket.WriteAll(t.Context(), "custom-2/1/card.yaml", nil, nil); err != nil { // whoever put it died
		t.Fatal(err)
	}
	for _, name := range []string{"custom-2/1", "custom-1", "custom-3/1"} {
		if err := s.Get(t.Context(), name, to); trilobite.CodeOf(err) != trilobite.NotFound {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	for range 2 {
		if err := s.Remove(t.Context(), "custom-1/1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Get(t.Context(), "custom-1/1", to); trilobite.CodeOf(err) != trilobite.NotFound {
		t.Errorf("after it was removed: %v", err)
	}
}
