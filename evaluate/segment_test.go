package evaluate

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/segment"
	"trilobite/taxonomy"
	"trilobite/tensor"
	"trilobite/zoo"
)

// TestSegment: a model that calls every pixel by its strongest channel, on a picture of
// 4×2 whose left half is red and whose right half is blue.
func TestSegment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	photo, mask := image.NewRGBA(image.Rect(0, 0, 4, 2)), image.NewGray(image.Rect(0, 0, 4, 2))
	for i := range 8 {
		x, y := i%4, i/4
		photo.SetRGBA(x, y, color.RGBA{R: 200, A: 255})
		if x > 1 {
			photo.SetRGBA(x, y, color.RGBA{B: 200, A: 255})
		}
	}
	// the set's classes: 0 blue, 1 red, 2 green; 255 does not count
	copy(mask.Pix, []uint8{
		1, 1, 0, 0,
		1, 0, 0, 255,
	})
	for name, img := range map[string]image.Image{"photo.png": photo, "mask.png": mask} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b := onnx.NewBuilder("colours")
	b.Output("y", b.Relu(b.Input("x", tensor.Float32, onnx.Shape{1, 3, 2, 4})))
	s, err := segment.New(orttest.Build(t, b), segment.Config{Pipeline: pipeline.Spec{Width: 4, Height: 2}, Decoder: "mask", Labels: []string{"red", "green", "blue"}})
	if err != nil {
		t.Fatal(err)
	}
	labels, err := zoo.NameClasses(s.Labels(), &taxonomy.Taxonomy{})
	if err != nil {
		t.Fatal(err)
	}
	set := &dataset.Set{Classes: []string{"blue", "red", "rust"}, Ignore: 255, Images: []dataset.Image{
		{File: filepath.Join(dir, "photo.png"), Mask: filepath.Join(dir, "mask.png")},
	}}
	seen, unmatched, err := Segment(t.Context(), s, labels, set, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := seen.Result("colours@1", set, unmatched)
	want := &Result{
		Model: "colours@1", Images: 1, Unmatched: []string{"rust"},
		// one blue pixel of the truth is red in the picture
		Pixels: &Pixels{MIoU: (3.0/4 + 3.0/4) / 2, Accuracy: 6.0 / 7, Classes: []PixelClass{
			{"blue", 4, 3.0 / 4, 1, 3.0 / 4}, {"red", 3, 3.0 / 4, 3.0 / 4, 1}, {Name: "rust"},
		}},
		Confusion: &Confusion{Names: set.Classes, Counts: [][]int64{{3, 1, 0, 0}, {0, 3, 0, 0}, {0, 0, 0, 0}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	small := *set
	small.Images = []dataset.Image{{File: set.Images[0].File, W: 2, H: 2, Objects: []dataset.Object{}}}
	if _, _, err := Segment(t.Context(), s, labels, &small, Options{}); err == nil || !strings.Contains(err.Error(), "photo.png: the mask has 2×2 pixels") {
		t.Errorf("a mask of another size: %v", err)
	}
}
