package imageio

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"trilobite"
	"trilobite/tensor"
)

// goldenFiles returns testdata/formats.npz: encoded files by name, and their pixels.
func goldenFiles(t testing.TB) (files map[string][]byte, pixels map[string]*Image) {
	t.Helper()
	arrays, err := tensor.ReadNPZ("testdata/formats.npz")
	if err != nil {
		t.Fatal(err)
	}
	files, pixels = map[string][]byte{}, map[string]*Image{}
	for key, a := range arrays {
		data, ok := tensor.Data[uint8](a)
		if !ok {
			t.Fatalf("%s is %v, not bytes", key, a.DType)
		}
		if name, ok := strings.CutSuffix(key, " file"); ok {
			files[name] = data
		} else {
			pixels[strings.TrimSuffix(key, " rgb")] = &Image{Pix: data, W: int(a.Shape[1]), H: int(a.Shape[0])}
		}
	}
	for name := range files {
		if pixels[name] == nil {
			pixels[name] = pixels["png"]
		}
	}
	return files, pixels
}

// TestDecodeGoldens compares every format with Pillow. Lossless ones are equal, up to
// a rounding where alpha is flattened; lossy ones may differ by what another inverse
// transform or colour conversion makes of the same bits.
func TestDecodeGoldens(t *testing.T) {
	t.Parallel()
	tolerance := map[string]int{
		"jpeg": 3, "jpeg progressive": 3, "jpeg grey": 2, "jpeg profile": 5, "webp": 4, "avif": 4,
		"png alpha": 1, "png grey alpha": 1, "webp lossless alpha": 1,
	}
	files, pixels := goldenFiles(t)
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode(context.Background(), data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := pixels[name]
			if got.W != want.W || got.H != want.H || got.FullW != want.W || got.FullH != want.H {
				t.Fatalf("size %dx%d of %dx%d, want %dx%d", got.W, got.H, got.FullW, got.FullH, want.W, want.H)
			}
			if d := distance(got, want); d > tolerance[name] {
				t.Errorf("%d away from Pillow's pixels, at most %d allowed", d, tolerance[name])
			}
			h, err := Probe(data)
			if err != nil || h.W != want.W || h.H != want.H || h.Orientation != got.Orientation {
				t.Errorf("Probe = %+v, %v", h, err)
			}
			if format, _, _ := strings.Cut(name, " "); format != "orientation" && got.Format != format {
				t.Errorf("format %q", got.Format)
			}
		})
	}
}

// distance is the largest difference between two images of one size.
func distance(a, b *Image) int {
	far := 0
	for i := range a.Pix {
		far = max(far, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return far
}

func TestProbe(t *testing.T) {
	t.Parallel()
	files, _ := goldenFiles(t)
	h, err := Probe(files["gif animated"])
	if err != nil || h.Pages != 2 {
		t.Errorf("animated GIF: %+v, %v, want 2 pages", h, err)
	}
	h, err = Probe(files["jpeg progressive"])
	if err != nil || !h.Progressive || h.Scans < 2 {
		t.Errorf("progressive JPEG: %+v, %v", h, err)
	}
	h, err = Probe(files["orientation 6"])
	if err != nil || h.Orientation != 6 || h.W != 32 || h.H != 24 {
		t.Errorf("turned PNG: %+v, %v, want 32x24, orientation 6", h, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	files, _ := goldenFiles(t)
	jpeg, png := files["jpeg"], files["png"]
	bomb := bytes.Clone(png)
	binary.BigEndian.PutUint32(bomb[16:], 60_000)
	tests := []struct {
		name string
		data []byte
		o    Options
		code trilobite.Code
		says string
	}{
		{"nothing", nil, Options{}, trilobite.InvalidImage, "empty"},
		{"PDF is named", []byte("%PDF-1.7\n1 0 obj"), Options{}, trilobite.InvalidImage, "a PDF document; send JPEG, PNG"},
		{"SVG never reaches its loader", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`), Options{}, trilobite.InvalidImage, "an SVG drawing"},
		{"SVG behind an XML declaration", []byte(`<?xml version="1.0"?><svg width="9" height="9"/>`), Options{}, trilobite.InvalidImage, "an SVG drawing"},
		{"text that libvips would take for a table", []byte("1,2,3\n4,5,6\n"), Options{}, trilobite.InvalidImage, "text"},
		{"base64 not decoded", []byte(base64.StdEncoding.EncodeToString(jpeg)), Options{}, trilobite.InvalidImage, "base64"},
		{"HEIC has no decoder here", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), Options{}, trilobite.InvalidImage, "HEIC"},
		{"JPEG cut short", jpeg[:len(jpeg)*2/3], Options{}, trilobite.InvalidImage, "damaged, cut short"},
		{"PNG cut short", png[:len(png)/2], Options{}, trilobite.InvalidImage, "damaged, cut short"},
		{"BMP cut short", files["bmp"][:500], Options{}, trilobite.InvalidImage, "damaged, cut short"},
		{"only a signature", []byte("\xff\xd8\xff\xe0"), Options{}, trilobite.InvalidImage, "damaged"},
		{"too many bytes", jpeg, Options{Limits: Limits{Bytes: 100}}, trilobite.ImageTooLarge, "at most 100"},
		{"too many pixels", jpeg, Options{Limits: Limits{Pixels: 767}}, trilobite.ImageTooLarge, "32×24"},
		{"side too long", jpeg, Options{Limits: Limits{Side: 31}}, trilobite.ImageTooLarge, "at most 31"},
		{"too much memory", files["avif"], Options{Limits: Limits{Memory: 1 << 20}}, trilobite.ImageTooLarge, "needs 4 MB"},
		{"bomb by its header", bomb, Options{}, trilobite.ImageTooLarge, "60000×24"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode(context.Background(), tt.data, tt.o)
			if trilobite.CodeOf(err) != tt.code || !strings.Contains(trilobite.Message(err), tt.says) {
				t.Errorf("got %s %v, want %s with %q", trilobite.CodeOf(err), err, tt.code, tt.says)
			}
		})
	}
}

func TestDecodeCanceled(t *testing.T) {
	t.Parallel()
	files, _ := goldenFiles(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Decode(ctx, files["jpeg"], Options{}); trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("got %v, want Canceled", err)
	}
}

// TestShrinkOnLoad checks sizes, and that the small picture is the large one averaged.
func TestShrinkOnLoad(t *testing.T) {
	t.Parallel()
	files, _ := goldenFiles(t)
	tests := []struct {
		name, file string
		minSide    int
		w, h       int
	}{
		{"JPEG by a power of two", "jpeg", 8, 16, 12}, // 24/8 = 3, the next power below is 2
		{"progressive JPEG", "jpeg progressive", 6, 8, 6},
		{"WebP by any integer", "webp", 8, 11, 8},
		{"PNG by any integer", "png", 8, 11, 8},
		{"BMP by any integer", "bmp", 12, 16, 12},
		{"turned PNG", "orientation 8", 12, 16, 12},
		{"no room to shrink", "jpeg", 13, 32, 24},
		{"larger than the file", "png", 1000, 32, 24},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode(context.Background(), files[tt.file], Options{MinSide: tt.minSide})
			if err != nil {
				t.Fatal(err)
			}
			if got.W != tt.w || got.H != tt.h || got.FullW != 32 || got.FullH != 24 {
				t.Fatalf("got %dx%d of %dx%d, want %dx%d of 32x24", got.W, got.H, got.FullW, got.FullH, tt.w, tt.h)
			}
			full, err := Decode(context.Background(), files[tt.file], Options{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := full.Resize(tt.w, tt.h, Area)
			if err != nil {
				t.Fatal(err)
			}
			// 11 boxes of 3 cover 33 columns, one more than there are: up to a pixel apart.
			if d := distance(got, want); d > 12 {
				t.Errorf("%d away from the mean of the full picture", d)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	_, pixels := goldenFiles(t)
	m := pixels["png"]
	png, err := m.EncodePNG()
	if err != nil {
		t.Fatal(err)
	}
	jpeg, err := m.EncodeJPEG(95)
	if err != nil {
		t.Fatal(err)
	}
	for tolerance, data := range map[int][]byte{0: png, 12: jpeg} {
		back, err := Decode(context.Background(), data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(back, m); d > tolerance {
			t.Errorf("%s is %d away from its source", back.Format, d)
		}
	}
}
