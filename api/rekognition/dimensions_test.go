package rekognition

import (
	"bytes"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"testing"
)

func TestDimensions(t *testing.T) {
	t.Parallel()
	encoded := func(encode func(*bytes.Buffer, image.Image) error) []byte {
		var b bytes.Buffer
		if err := encode(&b, image.NewGray(image.Rect(0, 0, 300, 200))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	tests := []struct {
		name string
		data []byte
		w, h int
		err  error
	}{
		{"a whole PNG", encoded(func(b *bytes.Buffer, m image.Image) error { return stdpng.Encode(b, m) }), 300, 200, nil},
		{"a whole JPEG", encoded(func(b *bytes.Buffer, m image.Image) error { return stdjpeg.Encode(b, m, nil) }), 300, 200, nil},
		{"frame header after an Exif segment", jpeg(640, 480), 640, 480, nil},
		{"progressive", append([]byte{0xff, 0xd8, 0xff, 0xc2, 0, 11, 8}, 0, 2, 0, 3), 3, 2, nil},
		{"fill bytes before a marker", append([]byte{0xff, 0xd8, 0xff, 0xff, 0xff, 0xc0, 0, 11, 8}, 0, 2, 0, 3), 3, 2, nil},
		{"Huffman table is no frame header", []byte{0xff, 0xd8, 0xff, 0xc4, 0, 2, 0xff, 0xd9}, 0, 0, errHeader},
		{"truncated PNG", png(1, 1)[:20], 0, 0, errHeader},
		{"PNG of no width", png(0, 5), 0, 0, errHeader},
		{"truncated JPEG", jpeg(5, 5)[:12], 0, 0, errHeader},
		{"scan before any frame", []byte{0xff, 0xd8, 0xff, 0xda, 0, 2, 0, 0}, 0, 0, errHeader},
		{"segment of length 0 does not loop", []byte{0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0}, 0, 0, errHeader},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBP"), 0, 0, errFormat},
		{"nothing", nil, 0, 0, errFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, h, err := dimensions(tt.data)
			if w != tt.w || h != tt.h || !errors.Is(err, tt.err) {
				t.Errorf("dimensions = %d, %d, %v, want %d, %d, %v", w, h, err, tt.w, tt.h, tt.err)
			}
		})
	}
}

func FuzzDimensions(f *testing.F) {
	f.Add(jpeg(640, 480))
	f.Add(png(640, 480))
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, h, err := dimensions(data); err == nil && (w <= 0 || h <= 0) {
			t.Errorf("dimensions = %d, %d without an error", w, h)
		}
	})
}
