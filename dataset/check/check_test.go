package check

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/dataset"
	"trilobite/geom"
)

// photo writes a picture of noise that a seed decides.
func photo(t testing.TB, dir, name string, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	m := image.NewGray(image.Rect(0, 0, 80, 60))
	var cells [48]uint8
	for i := range cells {
		cells[i] = uint8(r.UintN(256))
	}
	for i := range m.Pix {
		m.Pix[i] = cells[i/80/10*8+i%80/10]
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// healthy has nothing to find.
func healthy(t testing.TB) (*dataset.Set, string) {
	t.Helper()
	dir := t.TempDir()
	s := &dataset.Set{Classes: []string{"ant", "bee"}, Ignore: dataset.NoIgnore}
	for i := range 6 {
		img := dataset.Image{File: photo(t, dir, string(rune('a'+i))+".png", uint64(i+1)), Split: dataset.Splits()[i/2], Classes: []int{i % 2}, W: 80, H: 60, Source: "x.csv", Line: i + 2}
		img.Objects = []dataset.Object{{Class: 0, Box: geom.Rect{X: 1, Y: 1, W: 20, H: 20}, Line: 100 + i}, {Class: 1, Box: geom.Rect{X: 1, Y: 1, W: 20, H: 20}}}
		s.Images = append(s.Images, img)
	}
	return s, dir
}

func TestSet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(s *dataset.Set, dir string)
		kind  string
		level string
		want  string
	}{
		{"nothing", func(*dataset.Set, string) {}, "", "", ""},
		{"a file of text", func(s *dataset.Set, _ string) {
			_ = os.WriteFile(s.Images[1].File, []byte("hello, this is text"), 0o600)
		}, "unreadable", Error, "x.csv:3: b.png: "},
		{"a file that is not there", func(s *dataset.Set, _ string) { s.Images[1].File += "x" }, "unreadable", Error, "no such file"},
		{"a half file", func(s *dataset.Set, _ string) {
			data, _ := os.ReadFile(s.Images[1].File)
			_ = os.WriteFile(s.Images[1].File, data[:len(data)/2], 0o600)
		}, "unreadable", Error, "x.csv:3: b.png: "},
		{"another size", func(s *dataset.Set, _ string) { s.Images[1].H = 61 }, "size", Error, "x.csv:3: b.png: it has 80×60 pixels and is annotated as 80×61"},
		{"what was left out", func(s *dataset.Set, _ string) { s.Dropf("x.csv", 9, "why") }, "unusable", Error, "x.csv:9: why"},
		{"a box outside", func(s *dataset.Set, _ string) {
			s.Clipped = append(s.Clipped, dataset.Dropped{File: "x.csv", Line: 9, Reason: "why"})
		}, "outside", Warning, "x.csv:9: why"},
		{"train and test", func(s *dataset.Set, _ string) { s.Images[4].File = s.Images[0].File }, "leak", Error, `x.csv:6: a.png: the same file as a.png, which is in "train"; this is in "test"`},
		{"twice in train", func(s *dataset.Set, _ string) { s.Images[1].File, s.Images[1].Classes = s.Images[0].File, []int{0} }, "duplicate", Warning, "x.csv:3: a.png: the same file as a.png"},
		{"two labels", func(s *dataset.Set, _ string) { s.Images[1].File = s.Images[0].File }, "conflict", Error, `x.csv:3: a.png: the same file as a.png, which is labelled "ant"; this is labelled "bee"`},
		{"a tiny box", func(s *dataset.Set, _ string) { s.Images[0].Objects[0].Box.W = 2 }, "tiny", Warning, "x.csv:100: a.png: the box of a ant has 2×20 pixels"},
		{"a box twice", func(s *dataset.Set, _ string) { s.Images[0].Objects[0].Class = 1 }, "doubled", Warning, "x.csv:2: a.png: two boxes of a bee lie on one another at 1, 1"},
		{"a class of nothing", func(s *dataset.Set, _ string) { s.Classes = append(s.Classes, "wasp") }, "no-class", Error, `x.csv: no picture to train on shows the class "wasp"`},
		{"a class that validation lacks", func(s *dataset.Set, _ string) {
			for i := 2; i < 4; i++ {
				s.Images[i].Classes, s.Images[i].Objects = []int{0}, nil
			}
		}, "missing", Warning, `x.csv: the val part has no picture of the class "bee"`},
		{"few and rare", func(s *dataset.Set, _ string) {
			s.Classes = append(s.Classes, "wasp")
			s.Images[0].Classes = append(s.Images[0].Classes, 2)
			s.Images[2].Classes, s.Images[4].Classes = []int{2}, []int{2}
		}, "few", Warning, `x.csv: 1 pictures to train on show the class "wasp"`},
		{"no label", func(s *dataset.Set, _ string) { s.Images[5].Classes, s.Images[5].Objects = nil, nil }, "unlabelled", Warning, "x.csv:7: f.png: it has no label"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, dir := healthy(t)
			tt.spoil(s, dir)
			o := Default()
			o.Few, o.Balance = 2, 20
			found, err := Set(t.Context(), s, o)
			if err != nil {
				t.Fatal(err)
			}
			hit := tt.kind == "" && len(found) == 0
			for _, f := range found {
				hit = hit || f.Kind == tt.kind && f.Level == tt.level && strings.Contains(f.String(), tt.want)
			}
			if !hit {
				t.Errorf("found %v, want a %s %q", found, tt.kind, tt.want)
			}
		})
	}
}

func TestBalance(t *testing.T) {
	t.Parallel()
	s := &dataset.Set{Classes: []string{"ant", "bee"}}
	for i := range 50 {
		s.Images = append(s.Images, dataset.Image{File: "x.png", Classes: []int{max(0, i-48)}})
	}
	o := Default()
	o.Pictures = false
	found, err := Set(t.Context(), s, o)
	if err != nil || len(found) != 2 || found[1].Text != `1 pictures show the class "bee", and 49 the most frequent one` {
		t.Errorf("found %v, error %v", found, err)
	}
}
