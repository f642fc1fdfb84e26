package zoo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite"
	"trilobite/serving/servingtest"
	"trilobite/zoo"
)

func TestAdopt(t *testing.T) {
	t.Parallel()
	from := servingtest.Put(t, zoo.NewStore(t.TempDir()), "tint", zoo.Classify)
	dir := filepath.Join(t.TempDir(), "model")
	if err := from.CopyTo(dir); err != nil {
		t.Fatal(err)
	}
	store := zoo.NewStore(t.TempDir())
	for range 2 { // the second finds it there
		m, err := store.Adopt(dir)
		if err != nil || m.Ref() != "tint@1" {
			t.Fatalf("%s, %v", m.Ref(), err)
		}
		if err := store.Verify(m); err != nil {
			t.Error(err)
		}
		if l, err := m.ReadLabels(); err != nil || len(l.Classes) != 3 {
			t.Errorf("labels %v, %v", l, err)
		}
	}
	if _, err := store.Adopt(t.TempDir()); trilobite.CodeOf(err) != trilobite.NotFound {
		t.Errorf("an empty folder: %v, want NotFound", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.onnx"), []byte("else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := zoo.NewStore(t.TempDir()).Adopt(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged model: %v", err)
	}
}
