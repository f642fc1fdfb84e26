package modelfile

import (
	"fmt"
	"html"
	"strings"
)

const (
	boxWidth, boxHeight = 216.0, 44.0
	gapX, gapY          = 24.0, 26.0
)

// Draw returns the blocks as an SVG picture, the image on top: each with its name, what
// it hands on (channels × height × width) and its parameters; readable in light and dark.
func (d Description) Draw() []byte {
	blocks, from := d.stages()
	depth := make([]int, len(blocks))
	var rows [][]int
	for i := range blocks {
		for _, f := range from[i] {
			if f >= 0 && f < i {
				depth[i] = max(depth[i], depth[f]+1)
			}
		}
		for len(rows) <= depth[i] {
			rows = append(rows, nil)
		}
		rows[depth[i]] = append(rows[depth[i]], i)
	}
	widest := 1
	for _, r := range rows {
		widest = max(widest, len(r))
	}
	lanes := 26.0 * 3 // beside the boxes, for connections that skip rows
	width := float64(widest)*(boxWidth+gapX) + gapX + lanes
	height := float64(len(rows)+1)*(boxHeight+gapY) + gapY
	x, y := make([]float64, len(blocks)), make([]float64, len(blocks))
	for r, row := range rows {
		left := (width - lanes - float64(len(row))*(boxWidth+gapX) + gapX) / 2
		for c, i := range row {
			x[i], y[i] = left+float64(c)*(boxWidth+gapX), gapY+float64(r+1)*(boxHeight+gapY)
		}
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" font-family="system-ui,sans-serif">
<style>svg{background:#fff}.b{fill:#eef4f9;stroke:#0072b2}.h{fill:#fdf1e3;stroke:#d55e00}.i{fill:#eee;stroke:#555}.n{font-size:13px;font-weight:600;fill:#111}.d{font-size:11px;fill:#555}.e{fill:none;stroke:#777;stroke-width:1.4}
@media(prefers-color-scheme:dark){svg{background:#14171a}.b{fill:#16293a;stroke:#56b4e9}.h{fill:#33241a;stroke:#f2884b}.i{fill:#2a2a2a;stroke:#999}.n{fill:#eee}.d{fill:#aaa}.e{stroke:#999}}</style>
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>
`, width, height, width, height)
	imageX := (width - lanes - boxWidth) / 2
	skips := 0
	for i := range blocks {
		for _, f := range from[i] {
			fx, fy, level := imageX, gapY, -1
			if f >= 0 {
				fx, fy, level = x[f], y[f], depth[f]
			}
			x1, y1, x2, y2 := fx+boxWidth/2, fy+boxHeight, x[i]+boxWidth/2, y[i]
			if depth[i]-level > 1 && widest > 0 {
				side := width - lanes + 12 + 26*float64(skips%3)
				skips++
				fmt.Fprintf(&s, `<path class="e" marker-end="url(#a)" d="M%.0f %.0fH%.0fQ%.0f %.0f %.0f %.0fV%.0fQ%.0f %.0f %.0f %.0fH%.0fQ%.0f %.0f %.0f %.0f"/>`+"\n",
					fx+boxWidth, fy+boxHeight/2, side-8, side, fy+boxHeight/2, side, fy+boxHeight/2+8, y2-gapY/2-6, side, y2-gapY/2, side-8, y2-gapY/2, x2+46, x2+40, y2-gapY/2, x2+40, y2)
				continue
			}
			fmt.Fprintf(&s, `<path class="e" marker-end="url(#a)" d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f"/>`+"\n", x1, y1, x1, y1+gapY*0.6, x2, y2-gapY*0.6, x2, y2)
		}
	}
	box(&s, "i", imageX, gapY, "image", fmt.Sprintf("%s · %s MACs in all", dims(d.Input), count(d.MACs)))
	for i, b := range blocks {
		class := "h"
		if strings.HasPrefix(b.Name, "backbone") || !strings.HasPrefix(b.Name, "head") && d.Network != "fcos" && !strings.Contains(b.Name, "head") {
			class = "b"
		}
		box(&s, class, x[i], y[i], b.Name, fmt.Sprintf("%s · %s parameters", dims(b.Output), count(b.Parameters)))
	}
	s.WriteString("</svg>\n")
	return []byte(s.String())
}

func box(s *strings.Builder, class string, x, y float64, name, text string) {
	fmt.Fprintf(s, `<rect class="%s" x="%.0f" y="%.0f" width="%g" height="%g" rx="7"/><text class="n" x="%.0f" y="%.0f" text-anchor="middle">%s</text><text class="d" x="%.0f" y="%.0f" text-anchor="middle">%s</text>`+"\n",
		class, x, y, boxWidth, boxHeight, x+boxWidth/2, y+18, html.EscapeString(name), x+boxWidth/2, y+34, html.EscapeString(text))
}

// stages joins blocks that follow one another in a chain and keep their shape, such as
// the blocks of a stage of the backbone.
func (d Description) stages() (blocks []Block, from [][]int) {
	readers := make([]int, len(d.Blocks))
	for _, b := range d.Blocks {
		for _, f := range b.From {
			if f >= 0 {
				readers[f]++
			}
		}
	}
	to := make([]int, len(d.Blocks)) // of each block, its place in blocks
	for i, b := range d.Blocks {
		last := len(blocks) - 1
		if i > 0 && len(b.From) == 1 && b.From[0] == i-1 && readers[i-1] == 1 && last >= 0 &&
			stem(b.Name) == stem(d.Blocks[i-1].Name) && dims(b.Output) == dims(blocks[last].Output) {
			to[i] = last
			first, _, _ := strings.Cut(blocks[last].Name, " – ")
			blocks[last].Name = first + " – " + b.Name[strings.LastIndex(b.Name, ".")+1:]
			blocks[last].Parameters += b.Parameters
			blocks[last].MACs += b.MACs
			continue
		}
		to[i] = len(blocks)
		blocks = append(blocks, b)
		var in []int
		for _, f := range b.From {
			if f >= 0 {
				f = to[f]
			}
			in = appendNew(in, f)
		}
		from = append(from, in)
	}
	return blocks, from
}

// stem is a block's name without its number.
func stem(name string) string { return strings.TrimRight(name, "0123456789") }

// dims writes a shape without its batch: 24 × 96 × 72.
func dims(shape []int64) string {
	if len(shape) < 2 {
		return "–"
	}
	parts := make([]string, 0, 4)
	for _, d := range shape[1:] {
		parts = append(parts, strings.Replace(fmt.Sprint(d), "-1", "?", 1))
	}
	return strings.Join(parts, " × ")
}

// count writes a number with three digits: 4.65 M.
func count(n int64) string {
	switch v := float64(n); {
	case v >= 1e9:
		return fmt.Sprintf("%.2f G", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.1f k", v/1e3)
	default:
		return fmt.Sprint(n)
	}
}
