package segment

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"trilobite/imageio"
)

// EncodePNG returns the classes as a palette PNG of 8 bits: the stored values are the
// classes, the palette shows them in imageio.ClassColor's colours, a class called
// background in black.
func (m *Mask) EncodePNG() ([]byte, error) {
	palette := make(color.Palette, 256) // all, or the encoder takes fewer bits
	for i := range palette {
		c := imageio.ClassColor(i)
		if i < len(m.Labels) && background(m.Labels[i]) {
			c = [3]uint8{}
		}
		palette[i] = color.RGBA{c[0], c[1], c[2], 255}
	}
	return encode(&image.Paletted{Pix: m.Class, Stride: m.W, Rect: image.Rect(0, 0, m.W, m.H), Palette: palette})
}

// EncodeConfidencePNG returns the confidence as a grey PNG, 0 to 255 for 0 to 1. It fails
// for a model that answers indices alone.
func (m *Mask) EncodeConfidencePNG() ([]byte, error) {
	if m.Confidence == nil {
		return nil, errors.New("the model answers classes without scores: there is no confidence")
	}
	return encode(&image.Gray{Pix: m.Confidence, Stride: m.W, Rect: image.Rect(0, 0, m.W, m.H)})
}

// encode compresses as fast as it can: masks are small whatever the level.
func encode(img image.Image) ([]byte, error) {
	var out bytes.Buffer
	fast := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := fast.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("encoding PNG of %d×%d: %w", img.Bounds().Dx(), img.Bounds().Dy(), err)
	}
	return out.Bytes(), nil
}

// Overlay returns the tinted picture with a legend that has the share of each class.
func (m *Mask) Overlay(img *imageio.Image) (*imageio.Image, error) {
	var lines []imageio.LegendLine
	for _, p := range m.Parts() {
		if !background(p.Name) {
			lines = append(lines, imageio.LegendLine{Color: imageio.ClassColor(p.Class), Text: fmt.Sprintf("%s %s", p.Name, percent(p.Share))})
		}
	}
	return m.Tint(img).Legend(lines)
}

// Tint returns a copy of the picture with each class in its colour (imageio.ClassColor) and
// borders between classes drawn; a background stays as it is. img is the mask's image,
// perhaps shrunk.
func (m *Mask) Tint(img *imageio.Image) *imageio.Image {
	out := imageio.New(img.W, img.H)
	out.FullW, out.FullH = img.FullW, img.FullH
	sx, sy := float32(m.W)/float32(img.W), float32(m.H)/float32(img.H)
	at := func(x, y int) uint8 { return m.At((float32(x)+0.5)*sx, (float32(y)+0.5)*sy) }
	line := max(1, min(img.W, img.H)/400)
	for y := range img.H {
		for x := range img.W {
			i := (y*img.W + x) * 3
			c := at(x, y)
			tint := imageio.ClassColor(int(c))
			opacity := float32(0.5)
			switch {
			case at(min(x+line, img.W-1), y) != c || at(x, min(y+line, img.H-1)) != c:
				tint, opacity = [3]uint8{255, 255, 255}, 0.85
			case background(m.Labels[c]):
				opacity = 0
			}
			for k := range 3 {
				out.Pix[i+k] = uint8(float32(img.Pix[i+k])*(1-opacity) + float32(tint[k])*opacity + 0.5)
			}
		}
	}
	return out
}

// percent writes a share of 0 to 1.
func percent(share float64) string {
	if p := math.Round(share * 100); p >= 1 {
		return fmt.Sprintf("%.0f%%", p)
	}
	return "<1%"
}
