package modelfile

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

const (
	boxWidth, boxHeight = 216.0, 44.0
	gapX, gapY          = 24.0, 26.0
	laneWidth           = 14.0 // between connections beside the boxes
	nameLetters         = 26   // that fit into a box
)

// style is readable in light and dark; backbone blue, head orange.
const style = `svg{background:#fff}.b{fill:#eef4f9;stroke:#0072b2}.h{fill:#fdf1e3;stroke:#d55e00}.i{fill:#eee;stroke:#555}.n{font-size:13px;font-weight:600;fill:#111}.d{font-size:11px;fill:#555}.e{fill:none;stroke:#777;stroke-width:1.4}
@media(prefers-color-scheme:dark){svg{background:#14171a}.b{fill:#16293a;stroke:#56b4e9}.h{fill:#33241a;stroke:#f2884b}.i{fill:#2a2a2a;stroke:#999}.n{fill:#eee}.d{fill:#aaa}.e{stroke:#999}}`

// drawing is where each block stands: its row, below all that it reads, and the upper left
// corner of its box.
type drawing struct {
	blocks []Block
	from   [][]int // the blocks that each reads; −1: the image
	row    []int   // from 1; the image is in row 0
	x      []float64
	imageX float64
	right  float64 // of the boxes; connections that skip rows pass there
	rows   int
}

// Draw returns the blocks as an SVG picture, the image on top: each with its name, what
// it hands on (channels × height × width) and its parameters.
func (d Description) Draw() []byte {
	p := d.place()
	lanes, most := p.lanes()
	width := p.right + gapX + laneWidth*float64(most)
	height := float64(p.rows)*(boxHeight+gapY) + gapY
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" font-family="system-ui,sans-serif">
<style>%s</style>
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>
`, width, height, width, height, style)
	for i := range p.blocks {
		for _, f := range p.from[i] {
			x1, y1 := p.corner(f)
			x2, y2 := p.corner(i)
			if lane, ok := lanes[[2]int{f, i}]; ok {
				side, turn := p.right+laneWidth*float64(lane+1), y2-gapY/2
				fmt.Fprintf(&s, `<path class="e" marker-end="url(#a)" d="M%.0f %.0fH%.0fQ%.0f %.0f %.0f %.0fV%.0fQ%.0f %.0f %.0f %.0fH%.0fQ%.0f %.0f %.0f %.0f"/>`+"\n",
					x1+boxWidth, y1+boxHeight/2, side-8, side, y1+boxHeight/2, side, y1+boxHeight/2+8, turn-6, side, turn, side-8, turn,
					x2+boxWidth/2+46, x2+boxWidth/2+40, turn, x2+boxWidth/2+40, y2)
				continue
			}
			x1, y1, x2 = x1+boxWidth/2, y1+boxHeight, x2+boxWidth/2
			fmt.Fprintf(&s, `<path class="e" marker-end="url(#a)" d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f"/>`+"\n", x1, y1, x1, y1+gapY*0.6, x2, y2-gapY*0.6, x2, y2)
		}
	}
	x, y := p.corner(-1)
	box(&s, "i", x, y, "image", fmt.Sprintf("%s · %s MACs in all", dims(d.Input), count(d.MACs)))
	for i, b := range p.blocks {
		x, y := p.corner(i)
		class := "h"
		if d.backbone(b) {
			class = "b"
		}
		text := dims(b.Output)
		if b.Parameters > 0 {
			text += fmt.Sprintf(" · %s parameters", count(b.Parameters))
		}
		box(&s, class, x, y, b.Name, text)
	}
	s.WriteString("</svg>\n")
	return []byte(s.String())
}

// backbone tells the blocks of the backbone: where no name says so, all but the last one.
func (d Description) backbone(b Block) bool {
	if slices.ContainsFunc(d.Blocks, inBackbone) {
		return inBackbone(b)
	}
	return b.Name != d.Blocks[len(d.Blocks)-1].Name
}

func inBackbone(b Block) bool { return strings.HasPrefix(b.Name, "backbone.") }

// place gives each block its row and its place there: the backbone goes straight down below
// the image, with other blocks of its rows to the right of it; other rows are centred.
func (d Description) place() drawing {
	blocks, from := d.stages()
	p := drawing{blocks: blocks, from: from, row: make([]int, len(blocks)), x: make([]float64, len(blocks)), rows: 1}
	var rows [][]int
	for i := range blocks {
		for _, f := range from[i] {
			p.row[i] = max(p.row[i], 1)
			if f >= 0 {
				p.row[i] = max(p.row[i], p.row[f]+1)
			}
		}
		for len(rows) <= p.row[i] {
			rows = append(rows, nil)
		}
		rows[p.row[i]] = append(rows[p.row[i]], i)
	}
	left := func(row []int) float64 { // of the row's first box from the image's left
		if d.backbone(blocks[row[0]]) {
			return 0
		}
		return -float64(len(row)-1) * (boxWidth + gapX) / 2
	}
	for _, row := range rows {
		if len(row) > 0 {
			p.imageX = max(p.imageX, -left(row))
		}
	}
	p.imageX += gapX
	p.right = p.imageX + boxWidth
	for _, row := range rows {
		for c, i := range row {
			p.x[i] = p.imageX + left(row) + float64(c)*(boxWidth+gapX)
			p.right = max(p.right, p.x[i]+boxWidth)
		}
	}
	p.rows = max(1, len(rows))
	return p
}

// corner returns where the box of a block is, of −1 the image's.
func (p drawing) corner(i int) (x, y float64) {
	if i < 0 {
		return p.imageX, gapY
	}
	return p.x[i], gapY + float64(p.row[i])*(boxHeight+gapY)
}

// lanes gives each connection that skips rows a lane of its own beside the boxes, short ones
// the inner; most is how many lanes there are.
func (p drawing) lanes() (lanes map[[2]int]int, most int) {
	type skip struct{ from, to, top, bottom int }
	var skips []skip
	for i := range p.blocks {
		for _, f := range p.from[i] {
			top := 0
			if f >= 0 {
				top = p.row[f]
			}
			if p.row[i]-top > 1 {
				skips = append(skips, skip{f, i, top, p.row[i]})
			}
		}
	}
	slices.SortStableFunc(skips, func(a, b skip) int { return (a.bottom - a.top) - (b.bottom - b.top) })
	lanes = map[[2]int]int{}
	var taken [][]skip
	for _, s := range skips {
		lane := 0
		for lane < len(taken) && slices.ContainsFunc(taken[lane], func(o skip) bool { return s.top <= o.bottom && o.top <= s.bottom }) {
			lane++
		}
		if lane == len(taken) {
			taken = append(taken, nil)
		}
		taken[lane] = append(taken[lane], s)
		lanes[[2]int{s.from, s.to}] = lane
	}
	return lanes, len(taken)
}

// box draws a block; of a name that is too long its end is shown, and all of it when
// pointed at.
func box(s *strings.Builder, class string, x, y float64, name, text string) {
	short := name
	for len(short) > nameLetters && strings.Contains(short, ".") {
		_, short, _ = strings.Cut(short, ".")
	}
	if short != name {
		short = "… " + short
	}
	fmt.Fprintf(s, `<g><title>%s</title><rect class="%s" x="%.0f" y="%.0f" width="%g" height="%g" rx="7"/><text class="n" x="%.0f" y="%.0f" text-anchor="middle">%s</text><text class="d" x="%.0f" y="%.0f" text-anchor="middle">%s</text></g>`+"\n",
		html.EscapeString(name), class, x, y, boxWidth, boxHeight, x+boxWidth/2, y+18, html.EscapeString(short), x+boxWidth/2, y+34, html.EscapeString(text))
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
