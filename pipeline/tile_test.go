package pipeline

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/tensor"
)

func TestCuts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		n, size, overlap int
		want             []span
	}{
		{"shorter than a part", 50, 64, 8, []span{{0, 50, 0, 50, 0}}},
		{"one part", 64, 64, 8, []span{{0, 64, 0, 64, 0}}},
		{"a pixel more is two parts", 65, 64, 8, []span{{0, 64, 0, 32, 0}, {1, 65, 32, 65, 0}}},
		{"two parts that just do", 120, 64, 8, []span{{0, 64, 0, 60, 4}, {56, 120, 60, 120, 4}}},
		{"evenly", 200, 64, 8, []span{{0, 64, 0, 54, 9}, {45, 109, 54, 99, 9}, {90, 154, 99, 145, 9}, {136, 200, 145, 200, 9}}},
		{"three over a pixel: fading ends where the next but one begins", 100, 64, 32, []span{{0, 64, 0, 41, 9}, {18, 82, 41, 59, 9}, {36, 100, 59, 100, 9}}},
		{"no overlap", 128, 64, 0, []span{{0, 64, 0, 64, 0}, {64, 128, 64, 128, 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := cuts(tt.n, tt.size, tt.overlap)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(span{})); diff != "" {
				t.Errorf("cuts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestParts finds a white block, which lies where four tiles overlap, in each of them, and
// takes it back; the shares of a mask cover the image once.
func TestParts(t *testing.T) {
	t.Parallel()
	img := imageio.New(200, 120)
	for y := 50; y < 60; y++ {
		for x := 90; x < 106; x++ {
			copy(img.Pix[3*(y*200+x):], []uint8{255, 255, 255})
		}
	}
	tile := "  - tile: {width: 112, height: 80, overlap: 24, whole: true}\n"
	for name, text := range map[string]string{
		"alone":                   "steps:\n" + tile,
		"after a turn":            "steps:\n  - orient: {turn: 90, flip: horizontal}\n" + tile,
		"after a crop and resize": "resize: letterbox\nsteps:\n  - crop: {box: [10, 5, 190, 115]}\n  - resize: {width: 360, height: 330}\n" + strings.ReplaceAll(tile, "112", "212"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse("f.yaml", []byte(text), base)
			if err != nil {
				t.Fatal(err)
			}
			tr, err := Compile(s)
			if err != nil {
				t.Fatal(err)
			}
			seen, parts := 0, 0
			var covered []uint8
			err = tr.Parts(img, func(p Part) error {
				parts++
				w, h := p.All.Straight().Size()
				if covered == nil {
					covered = make([]uint8, int(w*h))
				}
				for y := int(p.Core.Y1); y < int(p.Core.Y2); y++ {
					for x := int(p.Core.X1); x < int(p.Core.X2); x++ {
						covered[y*int(w)+x]++
					}
				}
				data, _ := tensor.Data[float32](p.X)
				found := geom.Box{X1: 99, Y1: 99}
				for i, v := range data[:1600] {
					if x, y := float32(i%40), float32(i/40); v > 127 {
						found = geom.Box{X1: min(found.X1, x), Y1: min(found.Y1, y), X2: max(found.X2, x+1), Y2: max(found.Y2, y+1)}
					}
				}
				if found.X2 == 0 {
					return nil
				}
				seen++
				got := p.Mapping.ToImage(found)
				for _, d := range []float32{
					got.X1 - max(90, p.Cut.X1), got.Y1 - max(50, p.Cut.Y1), got.X2 - min(106, p.Cut.X2), got.Y2 - min(60, p.Cut.Y2),
				} {
					if math.Abs(float64(d)) > 5 { // a pixel of the input is five of the image
						t.Errorf("%v is %v of the image, cut at %v", found, got, p.Cut)
						break
					}
				}
				tr.Recycle(p.X)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if parts < 5 || seen < 3 {
				t.Errorf("%d parts, the block was seen in %d", parts, seen)
			}
			crop := strings.Contains(text, "crop")
			for i, n := range covered {
				if n != 1 && (!crop || n != 0) {
					t.Fatalf("pixel %d is %d parts'", i, n)
				}
			}
		})
	}
}

func TestTooManyTiles(t *testing.T) {
	t.Parallel()
	s, err := Parse("f.yaml", []byte("steps:\n  - tile: {width: 32, height: 32, overlap: 16}\n"), base)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	err = tr.Parts(imageio.New(600, 600), func(Part) error { t.Error("a part was made"); return nil })
	if trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), "1369 parts") {
		t.Errorf("Parts = %v, want Invalid with the number", err)
	}
	if _, _, err := tr.Apply(imageio.New(60, 60)); trilobite.CodeOf(err) != trilobite.Unsupported {
		t.Errorf("Apply = %v, want Unsupported", err)
	}
}
