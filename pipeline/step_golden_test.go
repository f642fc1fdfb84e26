package pipeline

import (
	"testing"

	"trilobite/imageio"
	"trilobite/tensor"
)

// TestSteps compares steps with Pillow's, torchvision's and numpy's answers of
// golden/pipeline_steps.py; off is how many levels a pixel may differ.
func TestSteps(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/steps.npz")
	if err != nil {
		t.Fatal(err)
	}
	const w, h = 32, 24
	pixels := func(name string) []uint8 {
		pix, ok := tensor.Data[uint8](arrays[name])
		if !ok || len(pix) != 3*w*h {
			t.Fatalf("%s is no image", name)
		}
		return pix
	}
	contrast, gamma, saturation, balance := Contrast(1.5), Gamma(0.6), Saturation(1.7), WhiteBalance(greyWorld)
	tests := []struct {
		name string
		op   Op
		off  int
		edge int // pixels at the border that follow another rule there: they reflect, libvips goes on
	}{
		{"greyscale", &Greyscale{}, 0, 0},
		{"equalise", &Equalise{}, 0, 0},
		{"saturation", &saturation, 1, 0}, // torchvision cuts fractions off
		{"gamma", &gamma, 1, 0},
		{"contrast", &contrast, 0, 0},
		{"white-balance", &balance, 0, 0},
		{"median", &Denoise{Median: 5}, 0, 0},
		{"gaussian", &Denoise{Gaussian: 1.5}, 1, 6},
		{"sharpen", &Sharpen{Sigma: 1.5, Amount: 0.8}, 2, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			img := imageio.New(w, h)
			copy(img.Pix, pixels("image"))
			got, _, err := stepped(t, Step{Name: tt.name, Op: tt.op}).Steps(img)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range pixels(tt.name) {
				x, y := i/3%w, i/3/w
				if x < tt.edge || y < tt.edge || x >= w-tt.edge || y >= h-tt.edge {
					continue
				}
				if d := int(got.Pix[i]) - int(want); d > tt.off || -d > tt.off {
					t.Fatalf("channel %d at %d, %d is %d, want %d", i%3, x, y, got.Pix[i], want)
				}
			}
		})
	}
}

// TestCLAHE compares with the definition: the share of the window's levels up to the
// pixel's, their counts cut at the slope and what was cut spread over all levels.
func TestCLAHE(t *testing.T) {
	t.Parallel()
	const w, h, window, slope = 20, 16, 5, 2
	img := imageio.New(w, h)
	for i := range w * h {
		v := uint8((i*i/7 + 3*i) % 61 * 4) // the same in all channels: it is its own luma
		img.Pix[3*i], img.Pix[3*i+1], img.Pix[3*i+2] = v, v, v
	}
	got, _, err := stepped(t, Step{Name: "clahe", Op: &CLAHE{Window: window, Slope: slope}}).Steps(img)
	if err != nil {
		t.Fatal(err)
	}
	for y := window; y < h-window; y++ {
		for x := window; x < w-window; x++ {
			var counts [256]int
			for dy := range window {
				for dx := range window {
					counts[img.Pix[3*((y+dy-window/2)*w+x+dx-window/2)]]++
				}
			}
			sum, over, at := 0, 0, int(img.Pix[3*(y*w+x)])
			for v, n := range counts {
				over += max(0, n-slope)
				if v <= at {
					sum += min(n, slope)
				}
			}
			want := 255 * (sum + at*over/256) / (window * window)
			if g := int(got.Pix[3*(y*w+x)]); g < want-1 || g > want+1 {
				t.Fatalf("at %d, %d: %d, want %d", x, y, g, want)
			}
		}
	}
}
