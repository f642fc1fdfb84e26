package report

import (
	"image/color"
	"math"
	"strings"

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
