package zoo

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trilobite"
)

// installed pulls a model from the packages that `make deps` brings; nothing is
// fetched.
func installed(t *testing.T, name string) (*Store, Model) {
	t.Helper()
	s := NewStore(t.TempDir())
	m, fresh, err := Puller{Store: s, Packages: "../.deps", Log: io.Discard}.Pull(t.Context(), name, false)
	if err != nil || !fresh {
		t.Fatalf("Pull(%s) = fresh %v, %v (run `make deps`)", name, fresh, err)
	}
	return s, m
}

func TestPull(t *testing.T) {
	t.Parallel()
	s, m := installed(t, "coco-ssd")
	if err := s.Verify(m); err != nil {
		t.Error(err)
	}
	l, err := m.ReadLabels()
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Classes) != 90 || l.Classes[1].Label.Name != "Bicycle" || l.Classes[11].Name != "" {
		t.Errorf("classes are not COCO's 90 with gaps: %d, second %q", len(l.Classes), l.Classes[1].Label.Name)
	}
	if !slices.Contains(l.Classes[1].Label.Parents, "Vehicle") {
		t.Errorf("Bicycle has parents %v, want Vehicle among them", l.Classes[1].Label.Parents)
	}
	again, fresh, err := Puller{Store: s, Packages: "../.deps", Log: io.Discard}.Pull(t.Context(), "coco-ssd", false)
	if err != nil || fresh || again.Dir != m.Dir {
		t.Errorf("second Pull = %v, fresh %v, %v; want the installed one", again.Dir, fresh, err)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	s, m := installed(t, "efficientnet-lite0")
	if err := os.WriteFile(m.GraphFile(), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(m); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("Verify = %v, want damage named", err)
	}
}

func TestGetRefusesNames(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "secret", "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := NewStore(home)
	for _, ref := range []string{"", "../secret", "..", "a/b", "UPPER", "nothing", "nothing@1", "x@../1"} {
		if _, err := s.Get(ref); trilobite.CodeOf(err) != trilobite.NotFound {
			t.Errorf("Get(%q) = %v, want NotFound", ref, err)
		}
		if err := s.Remove(ref); trilobite.CodeOf(err) != trilobite.NotFound {
			t.Errorf("Remove(%q) = %v, want NotFound", ref, err)
		}
	}
}

// TestRemoveGoesOn removes what a program that died had begun to remove.
func TestRemoveGoesOn(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := NewStore(home)
	half := filepath.Join(s.Dir("x", "1"), "model.onnx")
	if err := os.MkdirAll(filepath.Dir(half), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get("x@1"); trilobite.CodeOf(err) != trilobite.NotFound {
		t.Errorf("Get = %v, want NotFound", err)
	}
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("List = %v, %v, want none", all, err)
	}
	if err := s.Remove("x@1"); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(half)), "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestKnownCardsAreComplete(t *testing.T) {
	t.Parallel()
	cards, err := Known()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cards {
		if c.Licence == "" || c.Title == "" || c.Version < 1 {
			t.Errorf("card %s lacks licence, title or version", c.Name)
		}
	}
}
