package catalog

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/blobs"
	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/geom"
)

func picture(t testing.TB, path string, level uint8) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 4, 2))
	m.Pix[3] = level
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open1(t testing.TB) (*Catalog, string) {
	t.Helper()
	home := t.TempDir()
	store, err := blobs.OpenFolder(t.Context(), filepath.Join(home, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return New(home, store), home
}

// sample says everything; two of its pictures are the same file, and one is none.
func sample(t testing.TB) (*open.Found, string) {
	t.Helper()
	dir := t.TempDir()
	rle := geom.RLE{W: 4, H: 2, Runs: []uint32{1, 2, 5}}
	broken := filepath.Join(dir, "broken.png")
	if err := os.WriteFile(broken, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &open.Found{Format: "coco", ByIndex: true, Set: &dataset.Set{
		Classes: []string{"zebra", "", "ant"}, Ignore: 255, Colors: map[[3]uint8]int{{1, 2, 255}: 2, {0, 0, 0}: 255}, Values: map[int]int{7: 1},
		Images: []dataset.Image{
			{File: picture(t, dir+"/a/1.png", 1), Split: dataset.Train, W: 4, H: 2, Classes: []int{0, 1}, Source: "x.json", Line: 3},
			{File: picture(t, dir+"/b/1.png", 1), Split: dataset.Val, Mask: picture(t, dir+"/masks/1.png", 2)},
			{File: broken},
			{File: picture(t, dir+"/b/2.png", 3), W: 4, H: 2, Objects: []dataset.Object{
				{Class: 2, Box: geom.Rect{X: 0.1, Y: 0, W: 3, H: 2}, Area: 5.5, Crowd: true, Line: 9, RLE: &rle},
				{Class: 0, Box: geom.Rect{X: 1, Y: 1, W: 1, H: 1}, Area: 1, Difficult: true, Truncated: true, Occluded: true, Polygons: []geom.Polygon{{{X: 1, Y: 1}, {X: 2, Y: 1}, {X: 2, Y: 2}}}},
			}},
		},
	}}, dir
}

func TestImport(t *testing.T) {
	t.Parallel()
	c, home := open1(t)
	found, dir := sample(t)
	i, err := c.Import(t.Context(), "farm", found, Options{Source: "there", Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if i.Ref() != "farm@1" || i.Images != 3 || i.Objects != 2 || i.Masks != 1 || i.NewFiles != 3 || len(i.Dropped) != 1 || i.Unchanged {
		t.Errorf("imported %+v", i)
	}
	got, _, err := c.Open(t.Context(), "farm")
	if err != nil {
		t.Fatal(err)
	}
	want := *found.Set
	want.Images = append(append([]dataset.Image{}, want.Images[:2]...), want.Images[3])
	for k, name := range []string{"a/1.png", "b/1.png", "b/2.png"} {
		want.Images[k].Name = name
		for _, pair := range [][2]string{{want.Images[k].File, got.Set.Images[k].File}, {want.Images[k].Mask, got.Set.Images[k].Mask}} {
			before, _ := os.ReadFile(pair[0])
			after, err := os.ReadFile(pair[1])
			if !bytes.Equal(before, after) || err != nil && pair[0] != "" {
				t.Errorf("%s has other bytes, or %v", pair[1], err)
			}
		}
		want.Images[k].File, want.Images[k].Mask = got.Set.Images[k].File, got.Set.Images[k].Mask
	}
	if diff := cmp.Diff(&open.Found{Format: "coco", Ref: "farm@1", ByIndex: true, Set: &want}, got); diff != "" {
		t.Errorf("opened (-imported +opened):\n%s", diff)
	}
	if got.Set.Images[0].File != got.Set.Images[1].File {
		t.Error("one content is kept twice")
	}
	if again, err := c.Import(t.Context(), "farm", found, Options{Source: "there", Root: dir}); err != nil || !again.Unchanged || again.Version != 1 || again.NewFiles != 0 {
		t.Errorf("the same again: %+v, error %v", again, err)
	}
	found.Set.Images[0].Split = dataset.Test
	if second, err := c.Import(t.Context(), "farm", found, Options{Root: dir}); err != nil || second.Version != 2 || second.NewFiles != 0 {
		t.Errorf("another split: %+v, error %v", second, err)
	}
	leftovers(t, home, 2, 2)
}

// leftovers fails unless the home holds so many headers and files of lines, and nothing
// else beside them.
func leftovers(t *testing.T, home string, headers, lines int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(home, "datasets", "farm"))
	if err != nil && headers > 0 {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".json":
			headers--
		case ".jsonl":
			lines--
		default:
			t.Errorf("%s is left", e.Name())
		}
	}
	if headers != 0 || lines != 0 {
		t.Errorf("%d headers and %d files of lines are missing: %v", headers, lines, entries)
	}
}

func TestRemoveAndCollect(t *testing.T) {
	t.Parallel()
	c, home := open1(t)
	found, dir := sample(t)
	for _, split := range []string{dataset.Train, dataset.Test, dataset.Train} { // the third is as the first
		found.Set.Images[0].Split = split
		if _, err := c.Import(t.Context(), "farm", found, Options{Root: dir}); err != nil {
			t.Fatal(err)
		}
	}
	small := &open.Found{Format: "folders", Set: &dataset.Set{Classes: []string{"a"}, Images: []dataset.Image{{File: found.Set.Images[0].File, Classes: []int{0}}}}}
	if _, err := c.Import(t.Context(), "small", small, Options{}); err != nil {
		t.Fatal(err)
	}
	if removed, err := c.Remove("farm@1"); err != nil || len(removed) != 1 {
		t.Fatalf("removed %v, error %v", removed, err)
	}
	if _, _, err := c.Open(t.Context(), "farm@3"); err != nil {
		t.Errorf("a version that shared its lines with a removed one: %v", err)
	}
	if gone, err := c.Collect(t.Context(), 0); err != nil || gone.Files != 0 {
		t.Errorf("collected what versions need: %+v, error %v", gone, err)
	}
	leftovers(t, home, 2, 2)
	// What an import that was killed leaves.
	if err := os.WriteFile(filepath.Join(home, "datasets", "farm", ".import-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if removed, err := c.Remove("farm"); err != nil || len(removed) != 2 {
		t.Fatalf("removed %v, error %v", removed, err)
	}
	leftovers(t, home, 0, 0)
	if gone, err := c.Collect(t.Context(), time.Hour); err != nil || gone.Files != 0 {
		t.Errorf("collected young files: %+v, error %v", gone, err)
	}
	if gone, err := c.Collect(t.Context(), 0); err != nil || gone.Files != 2 || gone.Kept != 1 {
		t.Errorf("collected %+v, error %v", gone, err)
	}
	if _, _, err := c.Open(t.Context(), "small"); err != nil {
		t.Error(err)
	}
}

// TestConcurrentImports makes many imports of different sets at once: each gets a version
// of its own, and a collection in between takes nothing that one needs.
func TestConcurrentImports(t *testing.T) {
	t.Parallel()
	c, home := open1(t)
	dir := t.TempDir()
	const many = 8
	var g sync.WaitGroup
	for k := range many {
		set := &dataset.Set{Classes: []string{"a"}, Ignore: dataset.NoIgnore, Images: []dataset.Image{{File: picture(t, filepath.Join(dir, string(rune('a'+k))+".png"), uint8(k+1)), Classes: []int{0}}}}
		g.Go(func() {
			if _, err := c.Import(t.Context(), "farm", &open.Found{Set: set}, Options{Root: dir}); err != nil {
				t.Error(err)
			}
			if _, err := c.Collect(t.Context(), 0); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	leftovers(t, home, many, many)
	seen := map[string]bool{}
	all, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		found, _, err := c.Open(t.Context(), h.Ref())
		if err != nil {
			t.Fatal(err)
		}
		seen[found.Set.Images[0].Name] = true
	}
	if len(seen) != many || all[0].Version != many {
		t.Errorf("%d sets under %d versions", len(seen), all[0].Version)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	c, home := open1(t)
	found, _ := sample(t)
	for _, name := range []string{"", "../x", "a/b", "Farm", ".x", "a@1", strings.Repeat("a", 64)} {
		if _, err := c.Import(t.Context(), name, found, Options{}); trilobite.CodeOf(err) != trilobite.Invalid {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	for _, ref := range []string{"nowhere", "nowhere@2"} {
		if _, _, err := c.Open(t.Context(), ref); trilobite.CodeOf(err) != trilobite.NotFound {
			t.Errorf("%q: %v", ref, err)
		}
		if _, err := c.Remove(ref); trilobite.CodeOf(err) != trilobite.NotFound {
			t.Errorf("removing %q: %v", ref, err)
		}
	}
	if IsRef("farm@0") || IsRef("farm@x") || !IsRef("farm@12") {
		t.Error("which versions there can be")
	}
	found.Set.Images = found.Set.Images[2:3]
	if _, err := c.Import(t.Context(), "farm", found, Options{}); err == nil || !strings.Contains(err.Error(), "no picture of the set can be read: ") {
		t.Errorf("nothing but a broken picture: %v", err)
	}
	if _, err := os.Stat(filepath.Join(home, "datasets", "farm")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a failed import leaves its folder: %v", err)
	}
}
