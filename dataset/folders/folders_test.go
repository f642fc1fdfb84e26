package folders

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset/internal/treetest"
)

func TestRead(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(treetest.New(t, map[string]string{"x.jpg": "x"}), "x.jpg")
	tests := []struct {
		name    string
		files   map[string]string
		classes []string
		images  []string // split class path
		dropped []string // path: reason
	}{
		{"a folder for each class", map[string]string{"bees/b.JPG": "x", "ants/a.png": "x", "ants/A.webp": "x", "LICENSE": "x"},
			[]string{"ants", "bees"}, []string{" 0 ants/A.webp", " 0 ants/a.png", " 1 bees/b.JPG"}, nil},
		{"splits, in their order, classes together", map[string]string{"test/b/1.jpg": "x", "Valid/b/2.jpg": "x", "train/a/3.jpg": "x", "train/b/4.jpg": "x"},
			[]string{"a", "b"}, []string{"train 0 train/a/3.jpg", "train 1 train/b/4.jpg", "val 1 Valid/b/2.jpg", "test 1 test/b/1.jpg"}, nil},
		{"a test alone", map[string]string{"test/a/1.jpg": "x"}, []string{"a"}, []string{"test 0 test/a/1.jpg"}, nil},
		{"a class called test", map[string]string{"test/1.jpg": "x", "real/2.jpg": "x"},
			[]string{"real", "test"}, []string{" 0 real/2.jpg", " 1 test/1.jpg"}, nil},
		{"a folder beside the splits", map[string]string{"train/a/1.jpg": "x", "extra/a/2.jpg": "x"},
			[]string{"a"}, []string{"train 0 train/a/1.jpg"}, []string{"extra: a folder beside train/ that is neither train/, val/ nor test/"}},
		{"deeper folders belong to the class", map[string]string{"a/2024/may/1.jpg": "x", "b/1.jpg": "x"},
			[]string{"a", "b"}, []string{" 0 a/2024/may/1.jpg", " 1 b/1.jpg"}, nil},
		{"an empty class stays", map[string]string{"a/1.jpg": "x", "b/": ""}, []string{"a", "b"}, []string{" 0 a/1.jpg"}, nil},
		{"hidden files are not spoken of", map[string]string{"a/1.jpg": "x", "a/.DS_Store": "x", "a/Thumbs.db": "x", "a/._1.jpg": "x", ".git/x.jpg": "x", "a/.cache/1.jpg": "x"},
			[]string{"a"}, []string{" 0 a/1.jpg"}, nil},
		{"no pictures among them", map[string]string{"a/1.jpg": "x", "a/notes.TXT": "x", "a/2.jpg": "", "3.jpg": "x"},
			[]string{"a"}, []string{" 0 a/1.jpg"},
			[]string{"3.jpg: lies outside the folders", "a/2.jpg: the file is empty", `a/notes.TXT: no picture by its name, which ends in ".txt"`}},
		{"a picture beside the classes of a split", map[string]string{"train/a/1.jpg": "x", "train/2.jpg": "x"},
			[]string{"a"}, []string{"train 0 train/a/1.jpg"}, []string{"train/2.jpg: lies outside the classes' folders"}},
		{"links", map[string]string{"a/1.jpg": "x", "a/in.jpg": "-> 1.jpg", "a/out.jpg": "-> " + outside, "a/gone.jpg": "-> nowhere.jpg", "a/up": "-> ..", "b": "-> a"},
			[]string{"a"}, []string{" 0 a/1.jpg", " 0 a/in.jpg"},
			[]string{"b: a link to a folder, which is not followed", "a/gone.jpg: a link to nothing", "a/out.jpg: a link out of the data set", "a/up: a link to a folder, which is not followed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := treetest.New(t, tt.files)
			s, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			var images []string
			for _, i := range s.Images {
				images = append(images, i.Split+" "+string(rune('0'+i.Classes[0]))+" "+strings.TrimPrefix(i.File, dir+"/"))
			}
			if diff := cmp.Diff([][]string{tt.classes, tt.images, tt.dropped}, [][]string{s.Classes, images, treetest.Dropped(s, dir)}); diff != "" {
				t.Errorf("classes, images, dropped (-want +got):\n%s", diff)
			}
			if s.Ignore != -1 {
				t.Errorf("Ignore = %d", s.Ignore)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"nothing there", nil, "holds no pictures in folders"},
		{"pictures without folders", map[string]string{"1.jpg": "x"}, "1.jpg: lies outside the folders"},
		{"two names for a split", map[string]string{"val/a/1.jpg": "x", "valid/a/1.jpg": "x"}, "both val/ and valid/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(treetest.New(t, tt.files))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := Read(filepath.Join(t.TempDir(), "nowhere")); !os.IsNotExist(err) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestCheckClassification is of dataset.Set, as trainers meet it.
func TestCheckClassification(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  string // empty: fit to train on
	}{
		{"two classes", map[string]string{"a/1.jpg": "x", "b/1.jpg": "x"}, ""},
		{"one class", map[string]string{"a/1.jpg": "x"}, `of one class, "a"`},
		{"an empty class", map[string]string{"a/1.jpg": "x", "b/1.jpg": "x", "c/": ""}, `no pictures to train on for "c": add`},
		{"a class that only the test has", map[string]string{"train/a/1.jpg": "x", "train/b/1.jpg": "x", "test/c/1.jpg": "x"}, `no pictures to train on for "c"`},
		{"a class of nothing but dropped files", map[string]string{"a/1.jpg": "x", "b/1.jpg": "x", "c/1.doc": "x"}, `for "c" (1 left out, the first: `},
		{"a test alone", map[string]string{"test/a/1.jpg": "x"}, "no labelled pictures to train on"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Read(treetest.New(t, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			err = s.CheckClassification()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
		})
	}
}
