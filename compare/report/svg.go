package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"

	"trilobite/font"
)

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
			fmt.Fprintf(&b, `<g fill="%s" transform="translate(%s %s) scale(%g)">`, fill, short(t.x), short(t.y), t.size/glyphSize)
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
