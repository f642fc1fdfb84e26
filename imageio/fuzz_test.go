package imageio

import (
	"context"
	"testing"
	"time"

	"trilobite"
)

// FuzzDecode holds that any bytes give a picture of the size their header says, or an
// error that a client can act on, soon and within the limits.
func FuzzDecode(f *testing.F) {
	files, _ := goldenFiles(f)
	for _, data := range files {
		f.Add(data, uint8(0))
		f.Add(data[:len(data)/2], uint8(7))
	}
	limits := Limits{Bytes: 1 << 20, Pixels: 4 << 20}
	f.Fuzz(func(t *testing.T, data []byte, minSide uint8) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		m, err := Decode(ctx, data, Options{Limits: limits, MinSide: int(minSide)})
		if err != nil {
			if c := trilobite.CodeOf(err); c != trilobite.InvalidImage && c != trilobite.ImageTooLarge {
				t.Fatalf("code %s: %v", c, err)
			}
			return
		}
		if m.W < 1 || m.H < 1 || len(m.Pix) != m.W*m.H*3 || m.FullW*m.FullH > limits.Pixels {
			t.Fatalf("%dx%d of %dx%d with %d values", m.W, m.H, m.FullW, m.FullH, len(m.Pix))
		}
		if minSide > 0 && min(m.W, m.H) < min(int(minSide), m.FullW, m.FullH) {
			t.Fatalf("%dx%d of %dx%d is smaller than the side %d asked for", m.W, m.H, m.FullW, m.FullH, minSide)
		}
	})
}
