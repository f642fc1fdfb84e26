package report

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"strings"

	"golang.org/x/image/vector"

	"trilobite/font"
)

// canvas is a picture of rectangles, lines and text, drawn as SVG or as PNG by the same
// list, so that both look alike. Colours are named; a palette gives them values.
type canvas struct {
	w, h  float64
	fonts Fonts
	ops   []op
	title string // for people who do not see it
}

// Fonts are the two weights that text is set in.
type Fonts struct{ Regular, Bold *font.Font }

// op is a shape or a line of text.
type op struct {
	fill string // colour
	path []font.Step
	text *textOp
}

// textOp is a line of text whose baseline begins at x, y.
type textOp struct {
	x, y, size float64
	bold       bool
	text       string
}

// palette gives colours their values: Okabe and Ito's for what is to be told apart (Color
// Universal Design, 2008), darkened for text. Simulated after Machado, Oliveira and Fernandes (2009)
// for red, green and blue blindness, any two lie 23 or more apart in CIELAB.
func palette() map[string]color.RGBA {
	hex := func(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }
	return map[string]color.RGBA{
		"bg": hex(0xffffff), "fg": hex(0x1b1f24), "dim": hex(0x59636e), "rule": hex(0xd5dbe1), "card": hex(0xf5f7f9),
		"pretrained": hex(0x0072b2), "custom": hex(0xa85a00), "own": hex(0x004d3a), "track": hex(0xe4e8ec),
	}
}

// rect adds a rectangle with corners of radius r.
func (c *canvas) rect(x, y, w, h, r float64, fill string) {
	r = min(r, w/2, h/2)
	if w <= 0 || h <= 0 {
		return
	}
	if r <= 0 {
		c.shape(fill, step(font.Move, x, y), step(font.Line, x+w, y), step(font.Line, x+w, y+h), step(font.Line, x, y+h))
		return
	}
	const k = 0.5522847498 // a quarter circle as a cubic curve
	d := r * (1 - k)
	c.shape(fill,
		step(font.Move, x+r, y), step(font.Line, x+w-r, y), step(font.Cubic, x+w-d, y, x+w, y+d, x+w, y+r),
		step(font.Line, x+w, y+h-r), step(font.Cubic, x+w, y+h-d, x+w-d, y+h, x+w-r, y+h),
		step(font.Line, x+r, y+h), step(font.Cubic, x+d, y+h, x, y+h-d, x, y+h-r),
		step(font.Line, x, y+r), step(font.Cubic, x, y+d, x+d, y, x+r, y))
}

// line adds a stroke of a width, as a thin rectangle.
func (c *canvas) line(x1, y1, x2, y2, width float64, fill string) {
	dx, dy := x2-x1, y2-y1
	n := math.Hypot(dx, dy)
	if n == 0 {
		return
	}
	ox, oy := -dy/n*width/2, dx/n*width/2
	c.shape(fill, step(font.Move, x1+ox, y1+oy), step(font.Line, x2+ox, y2+oy), step(font.Line, x2-ox, y2-oy), step(font.Line, x1-ox, y1-oy))
}

// dot adds a disc.
func (c *canvas) dot(x, y, r float64, fill string) { c.rect(x-r, y-r, 2*r, 2*r, r, fill) }

func (c *canvas) shape(fill string, path ...font.Step) {
	c.ops = append(c.ops, op{fill: fill, path: path})
}

func step(o font.Op, p ...float64) font.Step {
	s := font.Step{Op: o, N: len(p) / 2}
	for i := range s.N {
		s.P[i] = [2]float64{p[2*i], p[2*i+1]}
	}
	return s
}

// text adds a line that begins at x, or with anchor 0.5 has its middle there, with 1 its
// end. It returns its width.
func (c *canvas) text(x, y, size, anchor float64, bold bool, fill, text string) float64 {
	w := c.width(size, bold, text)
	c.ops = append(c.ops, op{fill: fill, text: &textOp{x - anchor*w, y, size, bold, text}})
	return w
}

func (c *canvas) font(bold bool) *font.Font {
	if bold {
		return c.fonts.Bold
	}
	return c.fonts.Regular
}

func (c *canvas) width(size float64, bold bool, text string) float64 {
	return size * c.font(bold).Width(text)
}

// wrapped cuts a text into lines of at most w. Japanese may break anywhere but before
// closing marks, Latin between words.
func (c *canvas) wrapped(size, w float64, bold bool, text string) []string {
	var lines []string
	line := ""
	for _, piece := range pieces(text) {
		if line != "" && c.width(size, bold, line+strings.TrimRight(piece, " ")) > w {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += piece
	}
	return append(lines, strings.TrimRight(line, " "))
}

// pieces cuts a text where a line may end.
func pieces(text string) []string {
	var out []string
	start := 0
	runes := []rune(text)
	for i, r := range runes {
		last := i == len(runes)-1
		if !last && (r == ' ' || (wide(r) || wide(runes[i+1])) && runes[i+1] != ' ' && !strings.ContainsRune("、。）」・ー％）…", runes[i+1]) && !strings.ContainsRune("（「", r)) || last {
			out = append(out, string(runes[start:i+1]))
			start = i + 1
		}
	}
	return out
}

// wide reports whether a character is Japanese.
func wide(r rune) bool { return r >= 0x3000 && r < 0xa000 || r >= 0xff00 }

// paragraph sets a text in lines and returns the height that they take.
func (c *canvas) paragraph(x, y, size, w float64, bold bool, fill, text string) float64 {
	lines := c.wrapped(size, w, bold, text)
	for i, l := range lines {
		c.text(x, y+float64(i)*size*1.35, size, 0, bold, fill, l)
	}
	return float64(len(lines)) * size * 1.35
}

// outlines returns a line of text as a path.
func (c *canvas) outlines(t *textOp) ([]font.Step, error) {
	var out []font.Step
	x := t.x
	f := c.font(t.bold)
	for _, r := range t.text {
		glyph, err := f.Outline(r)
		if err != nil {
			return nil, err
		}
		for _, s := range glyph {
			for i := range s.N {
				s.P[i] = [2]float64{x + s.P[i][0]*t.size, t.y + s.P[i][1]*t.size}
			}
			out = append(out, s)
		}
		x += f.Advance(r) * t.size
	}
	return out, nil
}

// writeSVG writes a file of its own: text is outlines, so that it needs no font anywhere.
func (c *canvas) writeSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" role="img"><title>%s</title>`, c.w, c.h, c.w, c.h, html.EscapeString(c.title))
	if err := c.defineGlyphs(&b); err != nil {
		return err
	}
	colours := palette()
	for _, o := range c.ops {
		v := colours[o.fill]
		fill := fmt.Sprintf("#%02x%02x%02x", v.R, v.G, v.B)
		if t := o.text; t != nil {
			fmt.Fprintf(&b, `<g fill="%s" transform="translate(%s %s) scale(%s)">`, fill, short(t.x), short(t.y), short(t.size/glyphSize))
			x := 0.0
			for _, r := range t.text {
				fmt.Fprintf(&b, `<use href="#%s" x="%s"/>`, glyphID(t.bold, r), short(x*glyphSize))
				x += c.font(t.bold).Advance(r)
			}
			b.WriteString("</g>")
			continue
		}
		fmt.Fprintf(&b, `<path fill="%s" d="%s"/>`, fill, svgPath(o.path))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// glyphSize is the size in pixels at which an SVG file defines its glyphs.
const glyphSize = 1000.0

func glyphID(bold bool, r rune) string {
	return fmt.Sprintf("%s%x", map[bool]string{false: "g", true: "b"}[bold], r)
}

// defineGlyphs writes the outline of each character once.
func (c *canvas) defineGlyphs(b *strings.Builder) error {
	b.WriteString("<defs>")
	seen := map[string]bool{}
	for _, o := range c.ops {
		if o.text == nil {
			continue
		}
		for _, r := range o.text.text {
			id := glyphID(o.text.bold, r)
			if seen[id] {
				continue
			}
			seen[id] = true
			path, err := c.outlines(&textOp{size: glyphSize, bold: o.text.bold, text: string(r)})
			if err != nil {
				return err
			}
			for i := range path {
				for k := range path[i].N {
					path[i].P[k] = [2]float64{math.Round(path[i].P[k][0]), math.Round(path[i].P[k][1])}
				}
			}
			fmt.Fprintf(b, `<path id="%s" d="%s"/>`, id, svgPath(path))
		}
	}
	b.WriteString("</defs>")
	return nil
}

// inline returns the picture for a page: text stays text, set in the page's font, and
// colours are the page's variables.
func (c *canvas) inline() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, c.w, c.h, html.EscapeString(c.title))
	for _, o := range c.ops {
		if t := o.text; t != nil {
			weight := ""
			if t.bold {
				weight = ` font-weight="700"`
			}
			fmt.Fprintf(&b, `<text class="f-%s" x="%.1f" y="%.1f" font-size="%g"%s textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`,
				o.fill, t.x, t.y, t.size, weight, c.width(t.size, t.bold, t.text), html.EscapeString(t.text))
			continue
		}
		fmt.Fprintf(&b, `<path class="f-%s" d="%s"/>`, o.fill, svgPath(o.path))
	}
	b.WriteString(`</svg>`)
	return b.String()
}

func svgPath(path []font.Step) string {
	var b strings.Builder
	for i, s := range path {
		if s.Op == font.Move && i > 0 {
			b.WriteByte('Z')
		}
		b.WriteByte(byte(s.Op))
		for k := range s.N {
			if k > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%s %s", short(s.P[k][0]), short(s.P[k][1]))
		}
	}
	if len(path) > 0 {
		b.WriteByte('Z')
	}
	return b.String()
}

// short writes a coordinate to a hundredth.
func short(v float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

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
