package imageio

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// photo returns a sample photo of the dependencies at w×h pixels, as a JPEG.
func photo(b *testing.B, w, h int) []byte {
	b.Helper()
	data, err := os.ReadFile(filepath.Join("..", ".deps", "samples", "chelsea.png"))
	if err != nil {
		b.Skip("no sample photo; run make build first: ", err)
	}
	m, err := Decode(context.Background(), data, Options{})
	if err == nil {
		m, err = m.Resize(w, h, Bicubic)
	}
	if err != nil {
		b.Fatal(err)
	}
	jpeg, err := m.EncodeJPEG(90)
	if err != nil {
		b.Fatal(err)
	}
	return jpeg
}

// BenchmarkThumbnail shrinks a 12-megapixel JPEG to 300×300, as a model wants it, by
// this package and by libvips' own thumbnailer. Ours may take 1.1 times as long.
func BenchmarkThumbnail(b *testing.B) {
	jpeg := photo(b, 4000, 3000)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			m, err := Decode(context.Background(), jpeg, Options{MinSide: 300})
			if err == nil {
				_, err = m.Resize(300, 300, BilinearTF)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("vips_thumbnail_buffer", func(b *testing.B) {
		for b.Loop() {
			if _, err := vipsThumbnail(jpeg, 300, 300); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	jpeg := photo(b, 640, 480)
	b.Run("640x480", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(context.Background(), jpeg, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("probe", func(b *testing.B) {
		for b.Loop() {
			if _, err := Probe(jpeg); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkResize(b *testing.B) {
	m, err := Decode(context.Background(), photo(b, 640, 480), Options{})
	if err != nil {
		b.Fatal(err)
	}
	for f := BilinearTF; f <= Lanczos; f++ {
		b.Run(f.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := m.Resize(300, 300, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
