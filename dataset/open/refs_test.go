package open

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/dataset/internal/treetest"
)

// TestLinksOut: who hands on a data set does not choose which files of this machine are
// read, whatever the format.
func TestLinksOut(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret.png")
	if err := os.WriteFile(secret, []byte(picture(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := picture(t)
	tests := []struct {
		name  string
		files map[string]string
	}{
		{"csv", map[string]string{"labels.csv": "file,label\na.png,dog\nb.png,cat\n", "images/a.png": p, "images/b.png": "-> " + secret}},
		{"csv", map[string]string{"labels.csv": "file,label\na.png,dog\nsub/secret.png,cat\n", "images/a.png": p, "images/sub": "-> " + filepath.Dir(secret)}},
		{"masks", map[string]string{"images/a.png": p, "images/b.png": p, "masks/a.png": p, "masks/b.png": "-> " + secret}},
		{"yolo", map[string]string{"data.yaml": "names: [dog]", "labels/a.txt": "", "labels/b.txt": "", "images/a.png": p, "images/b.png": "-> " + secret}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := Dataset(treetest.New(t, tt.files), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s := found.Set; found.Format != tt.name || len(s.Images) != 1 || len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0].Reason, "a link out of the data set") {
				t.Errorf("%s: %d images, dropped %v", found.Format, len(s.Images), s.Dropped)
			}
		})
	}
	dir := treetest.New(t, map[string]string{"labels.csv": "file,label\na.png,dog\nb.png,dog\n", "images/a.png": p, "images/b.png": "-> a.png"})
	if found, err := Dataset(dir, Options{}); err != nil || len(found.Set.Images) != 2 {
		t.Errorf("a link that stays inside: %v", err)
	}
}

func TestBySplit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		paths []string
		want  string
	}{
		{"one alone is of no split", []string{"x/train.json"}, "x/train.json"},
		{"COCO's own", []string{"instances_val2017.json", "instances_train2017.json"}, "train instances_train2017.json,val instances_val2017.json"},
		{"two of one split", []string{"train_a.json", "train_b.json"}, ""},
		{"one of none", []string{"train.json", "captions.json"}, ""},
	} {
		var got []string
		for _, f := range bySplit(tt.paths) {
			got = append(got, strings.TrimSpace(f.split+" "+f.path))
		}
		if strings.Join(got, ",") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}
