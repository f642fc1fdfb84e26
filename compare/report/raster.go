package report

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/vector"

	"trilobite/font"
)

// writePNG draws the picture scale times as large.
func (c *canvas) writePNG(w io.Writer, scale float64) error {
	width, height := int(math.Ceil(c.w*scale)), int(math.Ceil(c.h*scale))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	colours := palette()
	draw.Draw(img, img.Bounds(), image.NewUniform(colours["bg"]), image.Point{}, draw.Src)
	for _, o := range c.ops {
		path := o.path
		if o.text != nil {
			var err error
			if path, err = c.outlines(o.text); err != nil {
				return err
			}
		}
		fillPath(img, path, scale, colours[o.fill])
	}
	return png.Encode(w, img)
}

// fillPath paints inside a path, in a rasterizer no larger than the path.
func fillPath(img *image.RGBA, path []font.Step, scale float64, fill color.RGBA) {
	x1, y1, x2, y2 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range path {
		for _, p := range s.P[:s.N] {
			x1, y1, x2, y2 = min(x1, p[0]*scale), min(y1, p[1]*scale), max(x2, p[0]*scale), max(y2, p[1]*scale)
		}
	}
	box := image.Rect(int(math.Floor(x1)), int(math.Floor(y1)), int(math.Ceil(x2))+1, int(math.Ceil(y2))+1).Intersect(img.Bounds())
	if len(path) == 0 || box.Empty() {
		return
	}
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	at := func(p [2]float64) (float32, float32) {
		return float32(p[0]*scale) - float32(box.Min.X), float32(p[1]*scale) - float32(box.Min.Y)
	}
	for i, s := range path {
		ax, ay := at(s.P[0])
		bx, by := at(s.P[1])
		cx, cy := at(s.P[2])
		switch s.Op {
		case font.Move:
			if i > 0 {
				r.ClosePath()
			}
			r.MoveTo(ax, ay)
		case font.Line:
			r.LineTo(ax, ay)
		case font.Quad:
			r.QuadTo(ax, ay, bx, by)
		case font.Cubic:
			r.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	r.ClosePath()
	r.Draw(img, box, image.NewUniform(fill), image.Point{})
}
