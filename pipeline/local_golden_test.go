package pipeline

import (
	"strings"
	"testing"

	"trilobite/imageio"
	"trilobite/tensor"
)

// TestLocal compares steps with OpenCV's, scikit-image's and Pillow's answers of
// golden/pipeline_local.py; off is how many levels a pixel may differ, mean how many all of
// them on average.
func TestLocal(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/local.npz")
	if err != nil {
		t.Fatal(err)
	}
	// libvips weighs with 12 bits and goes on at edges, where Pillow leaves out what is outside.
	const reduced, average = 4, 0.6
	tests := []struct {
		name string
		op   Op
		off  int
		mean float64
		edge int // pixels at the border that follow another rule there
	}{
		{"clahe_8_3", &CLAHE{Slope: 3}, 0, 0, 0},
		{"clahe_4_1", &CLAHE{Tiles: 4, Slope: 1}, 0, 0, 0},
		{"clahe_5_0", &CLAHE{Tiles: 5}, 0, 0, 0},
		{"clahe_6_40", &CLAHE{Tiles: 6, Slope: 40}, 0, 0, 0},
		{"window_11", &CLAHE{Window: 11}, 1, 1, 6},
		{"resize_bilinear", &Resize{Width: 25, Height: 14, Filter: imageio.Bilinear}, reduced, average, 1},
		{"resize_bicubic", &Resize{Width: 25, Height: 14, Filter: imageio.Bicubic}, reduced, average, 1},
		{"resize_lanczos", &Resize{Width: 25, Height: 14, Filter: imageio.Lanczos}, reduced, average, 1},
		{"enlarge_bilinear", &Resize{Width: 21, Height: 17, Filter: imageio.Bilinear}, 0, 0, 0},
		{"enlarge_bicubic", &Resize{Width: 21, Height: 17, Filter: imageio.Bicubic}, 0, 0, 0},
		{"enlarge_lanczos", &Resize{Width: 21, Height: 17, Filter: imageio.Lanczos}, 0, 0, 0},
		{"fit_lanczos", &Resize{Mode: Fit, Width: 28, Height: 28, Filter: imageio.Lanczos}, reduced, average, 1},
		{"letterbox_bilinear", &Resize{Mode: Letterbox, Width: 32, Height: 31, Filter: imageio.Bilinear, Fill: 114}, reduced, average, 0},
		{"turn_90", &Orient{Turn: 90}, 0, 0, 0},
		{"turn_180", &Orient{Turn: 180}, 0, 0, 0},
		{"turn_270_horizontal", &Orient{Turn: 270, Flip: "horizontal"}, 0, 0, 0},
		{"turn_0_vertical", &Orient{Flip: "vertical"}, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := "image"
			if strings.HasPrefix(tt.name, "turn") || strings.HasPrefix(tt.name, "enlarge") {
				from = "small"
			} else if len(arrays[tt.name].Shape) == 2 {
				from = "grey"
			}
			got, _, err := stepped(t, Step{Name: tt.name, Op: tt.op}).Steps(imageOf(t, arrays[from]))
			if err != nil {
				t.Fatal(err)
			}
			want := imageOf(t, arrays[tt.name])
			if got.W != want.W || got.H != want.H {
				t.Fatalf("%d×%d pixels, want %d×%d", got.W, got.H, want.W, want.H)
			}
			sum, n := 0, 0
			for i, v := range want.Pix {
				x, y := i/3%got.W, i/3/got.W
				if x < tt.edge || y < tt.edge || x >= got.W-tt.edge || y >= got.H-tt.edge {
					continue
				}
				d := max(int(got.Pix[i])-int(v), int(v)-int(got.Pix[i]))
				sum, n = sum+d, n+1
				if d > tt.off {
					t.Fatalf("channel %d at %d, %d is %d, want %d", i%3, x, y, got.Pix[i], v)
				}
			}
			if float64(sum) > tt.mean*float64(n) {
				t.Errorf("levels differ by %.3f on average, want %v at most", float64(sum)/float64(n), tt.mean)
			}
		})
	}
}

// TestTrimAsLibvips compares the borders with those that vips_find_trim finds.
func TestTrimAsLibvips(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/local.npz")
	if err != nil {
		t.Fatal(err)
	}
	framed := imageOf(t, arrays["framed"])
	for name, threshold := range map[string]float64{"trim_0": 0, "trim_1": 1, "trim_10": 10, "trim_90": 90, "trim_254": 254} {
		want, _ := tensor.Data[int64](arrays[name])
		x, y, w, h := framed.Content(threshold)
		got := []int64{int64(x), int64(y), int64(w), int64(h)}
		for i := range got {
			// where there is nothing, libvips' left and top mean nothing either
			if got[i] != want[i] && (want[2] > 0 && want[3] > 0 || i >= 2 && want[i] > 0) {
				t.Errorf("%s: %v, want %v", name, got, want)
				break
			}
		}
	}
}

func imageOf(t *testing.T, x *tensor.Tensor) *imageio.Image {
	t.Helper()
	pix, ok := tensor.Data[uint8](x)
	if !ok || len(x.Shape) < 2 {
		t.Fatalf("%v is no image", x)
	}
	img := imageio.New(int(x.Shape[1]), int(x.Shape[0]))
	for i := range img.Pix {
		img.Pix[i] = pix[i*len(pix)/len(img.Pix)] // grey in all channels, or RGB
	}
	return img
}
