package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvalLeavesOut: what cannot be measured is counted and listed; where nothing can, that
// is said in place of zeros.
func TestEvalLeavesOut(t *testing.T) {
	t.Parallel()
	root, home := halves(t), t.TempDir()
	runIn(t, home, "train", root, "--name", "colours", "--epochs", "1")
	if err := os.Remove(filepath.Join(root, "images", "20.png")); err != nil {
		t.Fatal(err)
	}
	said := runIn(t, home, "eval", "colours", root)
	for _, want := range []string{"images\t5\nleft out\t1\n", "labels.csv:", "there is no picture"} {
		if !strings.Contains(said, want) {
			t.Errorf("eval does not say %q:\n%s", want, said)
		}
	}
	boxes := filepath.Join(root, "boxes.csv")
	text := "file,label,xmin,ymin,xmax,ymax\nimages/0.png,red,1,1,20,20\n"
	if err := os.WriteFile(boxes, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"eval", "colours", boxes, "--format", "csv", "--images", root}, here(t, home)...)
	if _, _, err := command(t, args...); err == nil || !strings.Contains(errorText(err), "None of 1 pictures is labelled with a class") {
		t.Errorf("a classifier on boxes: %v", err)
	}
}
