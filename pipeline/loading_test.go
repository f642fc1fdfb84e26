package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/imageio"
)

// photo returns a JPEG and a PNG file of w×h pixels with a dark border of 9.
func photo(t *testing.T, w, h int) (asJPEG, asPNG []byte) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{10, 10, 10, 255})
			if x >= 9 && y >= 9 && x < w-9 && y < h-9 {
				m.SetRGBA(x, y, color.RGBA{uint8(x + x*y/50), uint8(2*y + x/3), uint8(x ^ y), 255})
			}
		}
	}
	var j, p bytes.Buffer
	if err := jpeg.Encode(&j, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, m); err != nil {
		t.Fatal(err)
	}
	return j.Bytes(), p.Bytes()
}

// oriented puts EXIF data with an orientation, tag 0x0112, behind a JPEG's first marker.
func oriented(file []byte, orientation byte) []byte {
	exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string([]byte{orientation}) + "\x00\x00\x00\x00\x00\x00"
	return bytes.Join([][]byte{file[:2], []byte(exif), file[2:]}, nil)
}

// TestLoading compares steps that happen while a file is decoded with the same ones after it.
func TestLoading(t *testing.T) {
	t.Parallel()
	asJPEG, asPNG := photo(t, 403, 301)
	files := map[string][]byte{"JPEG": asJPEG, "PNG": asPNG}
	for o := range byte(8) {
		files[fmt.Sprintf("JPEG turned as %d", o+1)] = oriented(asJPEG, o+1)
	}
	pipelines := [][]Step{
		{{Name: "crop", Op: &Crop{Centre: []int{200, 100}}}, {Name: "orient", Op: &Orient{Turn: 90}}, {Name: "gaussian", Op: &Denoise{Gaussian: 6}}},
		{{Name: "resize", Op: &Resize{Mode: Letterbox, Width: 64, Height: 80, Filter: imageio.Lanczos, Fill: 7}}, {Name: "sharpen", Op: &Sharpen{Sigma: 1, Amount: 2}}},
		{{Name: "clahe", Op: &CLAHE{Window: 16, Slope: 3}}, {Name: "tile", Op: &Tile{Width: 128, Height: 128, Overlap: 32}}},
	}
	for _, s := range measured() {
		if s.Name != "crop" { // it is larger than the picture
			pipelines = append(pipelines, []Step{s})
		}
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate := imageio.NewGate(1<<30, 0)
			for _, steps := range pipelines {
				tr := stepped(t, steps...)
				first, err := imageio.Decode(t.Context(), file, imageio.Options{MinSide: tr.Spec().MinSide()})
				if err != nil {
					t.Fatal(err)
				}
				want, wayThere, err := tr.Steps(first)
				if err != nil {
					t.Fatal(err)
				}
				loaded, release, err := gate.Decode(t.Context(), file, tr.Loading())
				if err != nil {
					t.Fatal(err)
				}
				if loaded.FullW != first.FullW || loaded.FullH != first.FullH {
					t.Fatalf("%s: the file has %d×%d pixels, want %d×%d", steps[0].Name, loaded.FullW, loaded.FullH, first.FullW, first.FullH)
				}
				got, way, err := tr.Steps(loaded)
				if err != nil {
					t.Fatal(err)
				}
				if got.W != want.W || got.H != want.H || !bytes.Equal(got.Pix, want.Pix) {
					t.Errorf("%s: %d×%d pixels are others than when it is decoded first, %d×%d", steps[0].Name, got.W, got.H, want.W, want.H)
				}
				if d := cmp.Diff(wayThere, way, cmp.AllowUnexported(Way{}, frame{}, turn{})); d != "" {
					t.Errorf("%s: the way there (-want +got):\n%s", steps[0].Name, d)
				}
				release()
			}
		})
	}
}

func TestLoadingFails(t *testing.T) {
	t.Parallel()
	file, _ := photo(t, 403, 301)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		file []byte
		step Step
		code trilobite.Code
		says string
	}{
		"a file that ends early":                     {t.Context(), file[:len(file)/2], Step{Name: "contrast", Op: new(Contrast)}, trilobite.InvalidImage, "cut short"},
		"a file that ends early, looked at whole":    {t.Context(), file[:len(file)/2], Step{Name: "trim", Op: &Trim{}}, trilobite.InvalidImage, "cut short"},
		"a file that ends early, below what is kept": {t.Context(), file[:len(file)*9/10], Step{Name: "crop", Op: &Crop{Box: []int{0, 0, 50, 20}}}, trilobite.InvalidImage, "cut short"},
		"a file that ends early, turned":             {t.Context(), oriented(file, 6)[:len(file)/2], Step{Name: "trim", Op: &Trim{}}, trilobite.InvalidImage, "cut short"},
		"a crop outside":                             {t.Context(), file, Step{Name: "crop", Line: 3, Op: &Crop{Box: []int{0, 0, 500, 20}}}, trilobite.Invalid, "step 1, crop (line 3 of the pipeline): 500×20 pixels at 0, 0 lie outside of an image of 403×301"},
		"a request that is over":                     {over, file, Step{Name: "contrast", Op: new(Contrast)}, trilobite.Canceled, "given up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := imageio.Decode(tt.ctx, tt.file, stepped(t, tt.step).Loading())
			if trilobite.CodeOf(err) != tt.code || !strings.Contains(trilobite.Message(err), tt.says) {
				t.Errorf("got %v, want %s that says %q", err, tt.code, tt.says)
			}
		})
	}
}

func TestLoadedForAnother(t *testing.T) {
	t.Parallel()
	file, _ := photo(t, 60, 50)
	img, err := imageio.Decode(t.Context(), file, stepped(t, Step{Name: "equalise", Op: &Equalise{}}).Loading())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := stepped(t, Step{Name: "equalise", Op: &Equalise{}}).Apply(img); err == nil {
		t.Error("an image after the steps of one model went through those of another")
	}
}

func TestCosts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		steps  string
		copies int
		more   int64
	}{
		"nothing":                                {"[]", 0, 0},
		"tiles alone":                            {"[tile: {width: 64, height: 64, overlap: 8}]", 0, 0},
		"a chain is one picture":                 {"[greyscale, contrast: 2, gamma: 2, denoise: {median: 3}]", 1, 0},
		"a turn takes what is pending with it":   {"[greyscale, orient: {turn: 90}]", 1, 0},
		"all of a picture is needed in between":  {"[greyscale, equalise, contrast: 2]", 2, 0},
		"planes of luma":                         {"[clahe: {tiles: 8}]", 2, 0},
		"what follows a resize has its size":     {"[resize: {width: 100, height: 50}, equalise]", 0, 2 * 100 * 50 * 3},
		"a resize of what is to be computed yet": {"[contrast: 2, resize: {width: 9000, height: 5000}]", 1, 9000 * 5000 * 3},
	} {
		s, err := Parse("f.yaml", []byte("steps: "+tt.steps), base)
		if err != nil {
			t.Fatal(err)
		}
		if o := s.Loading(); o.Copies != tt.copies || o.More != tt.more {
			t.Errorf("%s: %d copies and %d bytes, want %d and %d", name, o.Copies, o.More, tt.copies, tt.more)
		}
	}
}
