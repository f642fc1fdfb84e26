package imageio

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"trilobite/geom"
)

// Mark is a box with a label, to be drawn.
type Mark struct {
	Box   geom.Box // in FullW×FullH pixels, as detectors answer
	Text  string   // drawn on a plate at the box's upper left corner; "" for none
	Class int      // marks of one class share a colour
}

// Draw returns a copy of m with marks drawn on it, the last one on top. Lines and text
// grow with the image; plates move below or into their box where there is no room
// above, and down where they would hide another plate.
func (m *Image) Draw(marks []Mark) (*Image, error) {
	out := m.copy()
	side := float64(min(m.W, m.H))
	line := max(2, int(math.Round(side/220)))
	face, err := newFace(max(11, side/32))
	if err != nil {
		return nil, fmt.Errorf("drawing labels: %w", err)
	}
	defer face.Close()

	scaleX, scaleY := float32(m.W)/float32(max(1, m.FullW)), float32(m.H)/float32(max(1, m.FullH))
	boxes := make([]image.Rectangle, len(marks))
	for i, k := range marks {
		b := k.Box.Scale(scaleX, scaleY).Clip(float32(m.W), float32(m.H))
		boxes[i] = image.Rect(round(b.X1), round(b.Y1), round(b.X2), round(b.Y2))
		out.frame(boxes[i], line, ClassColor(k.Class))
	}
	var taken []image.Rectangle
	for i, k := range marks {
		if k.Text == "" || boxes[i].Empty() {
			continue
		}
		plate := out.place(boxes[i], plateSize(face, k.Text), line, taken)
		taken = append(taken, plate)
		out.plate(plate, face, k.Text, ClassColor(k.Class))
	}
	return out, nil
}

// bold is the Go project's bold sans serif, which comes with golang.org/x/image: no
// font of the machine is needed.
var bold = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(gobold.TTF) })

func newFace(size float64) (font.Face, error) {
	f, err := bold()
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
}

// frame draws a rectangle of the given line width, inside r.
func (m *Image) frame(r image.Rectangle, line int, c [3]uint8) {
	m.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+line).Intersect(r), c)
	m.fill(image.Rect(r.Min.X, r.Max.Y-line, r.Max.X, r.Max.Y).Intersect(r), c)
	m.fill(image.Rect(r.Min.X, r.Min.Y, r.Min.X+line, r.Max.Y).Intersect(r), c)
	m.fill(image.Rect(r.Max.X-line, r.Min.Y, r.Max.X, r.Max.Y).Intersect(r), c)
}

// fill paints the part of r inside the image.
func (m *Image) fill(r image.Rectangle, c [3]uint8) {
	r = r.Intersect(image.Rect(0, 0, m.W, m.H))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := m.Pix[(y*m.W+r.Min.X)*3 : (y*m.W+r.Max.X)*3]
		for i := range row {
			row[i] = c[i%3]
		}
	}
}

// plateSize is the size of a label with its margins.
func plateSize(face font.Face, text string) image.Point {
	metrics := face.Metrics()
	height := (metrics.Ascent + metrics.Descent).Ceil()
	return image.Pt(font.MeasureString(face, text).Ceil()+height/2, height+height/6)
}

// place finds where a plate of the given size goes: above the box, else below, else
// inside, the first of these that is in the image and hides no plate in taken; else
// as far down as it takes.
func (m *Image) place(box image.Rectangle, size image.Point, line int, taken []image.Rectangle) image.Rectangle {
	whole := image.Rect(0, 0, m.W, m.H)
	x := max(0, min(box.Min.X, m.W-size.X))
	at := func(y int) image.Rectangle { return image.Rect(x, y, x+size.X, y+size.Y) }
	free := func(r image.Rectangle) bool {
		if r.Min.Y < 0 || r.Max.Y > m.H {
			return false
		}
		return !slices.ContainsFunc(taken, r.Overlaps)
	}
	inside := box.Min.Y + line
	for _, y := range []int{box.Min.Y - size.Y, inside, box.Max.Y} {
		if r := at(y); free(r) {
			return r
		}
	}
	for y := inside; y+size.Y <= m.H; y += size.Y {
		if r := at(y); free(r) {
			return r
		}
	}
	return at(max(0, min(inside, m.H-size.Y))).Intersect(whole)
}

// plate draws text on a plate of colour c.
func (m *Image) plate(r image.Rectangle, face font.Face, text string, c [3]uint8) {
	m.fill(r, c)
	metrics := face.Metrics()
	height := (metrics.Ascent + metrics.Descent).Ceil()
	k := ink(c)
	d := font.Drawer{
		Dst: canvas{m}, Face: face,
		Src: image.NewUniform(color.RGBA{k[0], k[1], k[2], 255}),
		Dot: fixed.P(r.Min.X+height/4, r.Min.Y+height/12+metrics.Ascent.Ceil()),
	}
	d.DrawString(text)
}

// canvas lets the font package draw on an Image.
type canvas struct{ m *Image }

func (c canvas) ColorModel() color.Model { return color.RGBAModel }
func (c canvas) Bounds() image.Rectangle { return image.Rect(0, 0, c.m.W, c.m.H) }

func (c canvas) At(x, y int) color.Color {
	r, g, b := c.m.At(x, y)
	return color.RGBA{r, g, b, 255}
}

func (c canvas) Set(x, y int, v color.Color) {
	r, g, b, _ := v.RGBA()
	i := (y*c.m.W + x) * 3
	c.m.Pix[i], c.m.Pix[i+1], c.m.Pix[i+2] = uint8(r>>8), uint8(g>>8), uint8(b>>8)
}

func round(v float32) int { return int(math.Round(float64(v))) }
