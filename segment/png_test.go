package segment

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"trilobite/imageio"
)

func TestPNG(t *testing.T) {
	t.Parallel()
	m := &Mask{W: 3, H: 1, Class: []uint8{0, 2, 1}, Confidence: []uint8{255, 0, 128}, Labels: []string{"background", "road", "sky"}}
	data, err := m.EncodePNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := img.(*image.Paletted)
	if !ok || !bytes.Equal(p.Pix, m.Class) || data[24] != 8 {
		t.Errorf("decodes as %T %v of %d bits, want a palette's indices of 8", img, img, data[24])
	}
	if r, g, b, _ := p.Palette[0].RGBA(); r+g+b != 0 {
		t.Error("the background is not black")
	}
	if data, err = m.EncodeConfidencePNG(); err != nil {
		t.Fatal(err)
	}
	if img, err = png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if g, ok := img.(*image.Gray); !ok || !bytes.Equal(g.Pix, m.Confidence) {
		t.Errorf("confidence decodes as %T", img)
	}
	m.Confidence = nil
	if _, err := m.EncodeConfidencePNG(); err == nil {
		t.Error("confidence of nothing encodes")
	}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	m := &Mask{W: 40, H: 20, Class: make([]uint8, 800), Labels: []string{"background", "road"}}
	for i := range m.Class {
		if i%40 >= 20 {
			m.Class[i] = 1
		}
	}
	img := imageio.New(20, 10) // shrunk on load, black
	img.FullW, img.FullH = 40, 20
	out, err := m.Overlay(img)
	if err != nil {
		t.Fatal(err)
	}
	if out.W != 20 || out.H != 10 {
		t.Errorf("overlay of %d×%d", out.W, out.H)
	}
	want := imageio.ClassColor(1)
	if r, g, b := out.At(15, 5); r != want[0]/2+want[0]%2 || g != want[1]/2+want[1]%2 || b != want[2]/2+want[2]%2 {
		t.Errorf("road is %d %d %d, want half of %v", r, g, b, want)
	}
	if r, g, b := out.At(5, 5); r != 0 || g != 0 || b != 0 {
		t.Errorf("background is tinted: %d %d %d", r, g, b)
	}
	if r, _, _ := out.At(9, 5); r < 200 {
		t.Errorf("no border between the classes: %d", r)
	}
}
