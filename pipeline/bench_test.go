package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"trilobite/imageio"
)

// BenchmarkSteps runs each step on a photo of 12 megapixels; bench/pipeline/peer.py has
// libvips' own operations.
func BenchmarkSteps(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("..", ".deps", "samples", "chelsea.png"))
	if err != nil {
		b.Skip("no sample photo; run make build first: ", err)
	}
	photo, err := imageio.Decode(b.Context(), data, imageio.Options{})
	if err == nil {
		photo, err = photo.Resize(4000, 3000, imageio.Bicubic)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range measured() {
		b.Run(s.Name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := stepped(b, s).Steps(photo); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFiles runs each step from a file to a file of raw pixels beside it: $PHOTO is a
// JPEG. bench/pipeline/cli.py has libvips' own command line do the same.
func BenchmarkFiles(b *testing.B) {
	photo := os.Getenv("PHOTO")
	if photo == "" {
		b.Skip("PHOTO names no file; see bench/pipeline/cli.py")
	}
	for _, s := range append(measured(), Step{Name: "resize-512", Op: &Resize{Mode: Fit, Width: 512, Height: 512, Filter: imageio.Lanczos}}) {
		b.Run(s.Name, func(b *testing.B) {
			t := stepped(b, s)
			once := func() {
				data, err := os.ReadFile(photo)
				if err != nil {
					b.Fatal(err)
				}
				after, err := imageio.Decode(b.Context(), data, t.Loading())
				if err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(photo+".raw", after.Pix, 0o600); err != nil {
					b.Fatal(err)
				}
			}
			once() // the process has started
			for b.Loop() {
				once()
			}
		})
	}
}

// stepped is a Transform of steps.
func stepped(t testing.TB, steps ...Step) *Transform {
	t.Helper()
	made, err := Compile(Spec{Width: 2048, Height: 2048, Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func measured() []Step {
	contrast, gamma, saturation, balance := Contrast(1.5), Gamma(0.6), Saturation(1.7), WhiteBalance(greyWorld)
	return []Step{
		{Name: "orient", Op: &Orient{Turn: 90}},
		{Name: "crop", Op: &Crop{Centre: []int{3000, 2000}}},
		{Name: "trim", Op: &Trim{Threshold: 10}},
		{Name: "resize", Op: &Resize{Mode: Fit, Width: 1024, Height: 1024, Filter: imageio.Lanczos}},
		{Name: "contrast", Op: &contrast},
		{Name: "gamma", Op: &gamma},
		{Name: "saturation", Op: &saturation},
		{Name: "white-balance", Op: &balance},
		{Name: "equalise", Op: &Equalise{}},
		{Name: "clahe", Op: &CLAHE{Slope: 3}},
		{Name: "clahe-window", Op: &CLAHE{Window: 64, Slope: 3}},
		{Name: "greyscale", Op: &Greyscale{}},
		{Name: "median", Op: &Denoise{Median: 3}},
		{Name: "gaussian", Op: &Denoise{Gaussian: 1.5}},
		{Name: "sharpen", Op: &Sharpen{Sigma: 1, Amount: 0.8}},
	}
}
