package imageio

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// LegendLine is a colour and what it means.
type LegendLine struct {
	Color [3]uint8
	Text  string
}

// Legend returns a copy of m with a legend on a plate in the lower left corner. Text
// grows with the image, and shrinks where the lines would fill more than the image; a
// picture too small to write on is returned without.
func (m *Image) Legend(lines []LegendLine) (*Image, error) {
	out := m.copy()
	size := max(11, float64(min(m.W, m.H))/36)
	size = min(size, float64(m.H)/(1.35*float64(len(lines))+0.7))
	const legible = 7 // pixels
	if len(lines) == 0 || size < legible {
		return out, nil
	}
	face, err := newFace(size)
	if err != nil {
		return nil, fmt.Errorf("drawing the legend: %w", err)
	}
	defer face.Close()
	row, pad := int(math.Round(size*1.35)), int(math.Round(size*0.5))
	swatch := row * 2 / 3
	var widest int
	for _, l := range lines {
		widest = max(widest, plateSize(face, l.Text).X)
	}
	height := pad + row*len(lines)
	plate := image.Rect(0, m.H-height, 2*pad+swatch+widest, m.H)
	out.shade(plate, [3]uint8{255, 255, 255}, 0.82)
	text := font.Drawer{Dst: canvas{out}, Face: face, Src: image.NewUniform(color.RGBA{20, 20, 20, 255})}
	metrics := face.Metrics()
	for i, l := range lines {
		y := plate.Min.Y + pad/2 + i*row
		box := image.Rect(pad, y+(row-swatch)/2, pad+swatch, y+(row-swatch)/2+swatch)
		out.fill(box.Inset(-1), [3]uint8{60, 60, 60})
		out.fill(box, l.Color)
		text.Dot = fixed.P(2*pad+swatch, y+(row+metrics.Ascent.Ceil()-metrics.Descent.Ceil())/2)
		text.DrawString(l.Text)
	}
	return out, nil
}

// shade mixes colour c over r, opacity 0 to 1.
func (m *Image) shade(r image.Rectangle, c [3]uint8, opacity float64) {
	r = r.Intersect(image.Rect(0, 0, m.W, m.H))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := m.Pix[(y*m.W+r.Min.X)*3 : (y*m.W+r.Max.X)*3]
		for i, v := range row {
			row[i] = uint8(float64(v)*(1-opacity) + float64(c[i%3])*opacity + 0.5)
		}
	}
}
