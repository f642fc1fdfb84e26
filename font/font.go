// Package font reads a TrueType font for pictures and pages that must look alike on every
// machine: outlines of glyphs for drawing, and a subset with the characters of one page
// for embedding in it.
//
// Read takes WOFF (version 1) or plain TrueType. Outlines come in font units, y upwards.
// It neither shapes nor kerns: Latin and Japanese text in a line needs no more. Start at
// Read; subset.go writes fonts.
package font

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Font is a parsed font. It is not safe for concurrent use.
type Font struct {
	tables map[string][]byte
	sfnt   *sfnt.Font
	buf    sfnt.Buffer
	units  float64
}

// maxFont bounds a font's uncompressed size in bytes.
const maxFont = 64 << 20

// Read parses a font.
func Read(data []byte) (*Font, error) {
	tables, err := readTables(data)
	if err != nil {
		return nil, fmt.Errorf("reading a font: %w", err)
	}
	f := &Font{tables: tables}
	if f.sfnt, err = sfnt.Parse(assemble(tables)); err != nil {
		return nil, fmt.Errorf("reading a font: %w", err)
	}
	f.units = float64(f.sfnt.UnitsPerEm())
	return f, nil
}

// readTables unpacks the tables of WOFF (W3C recommendation of 2012, section 4) or of an
// sfnt (OpenType 1.9, "Table directory").
func readTables(data []byte) (map[string][]byte, error) {
	if len(data) < 12 {
		return nil, io.ErrUnexpectedEOF
	}
	woff := string(data[:4]) == "wOFF"
	at, entry := 12, 16
	n := int(binary.BigEndian.Uint16(data[4:]))
	if woff {
		if len(data) < 44 {
			return nil, io.ErrUnexpectedEOF
		}
		at, entry, n = 44, 20, int(binary.BigEndian.Uint16(data[12:]))
	} else if kind := binary.BigEndian.Uint32(data); kind != 0x00010000 && string(data[:4]) != "true" {
		return nil, fmt.Errorf("it begins with %q: neither WOFF nor TrueType", data[:4])
	}
	if len(data) < at+n*entry {
		return nil, io.ErrUnexpectedEOF
	}
	tables := map[string][]byte{}
	total := 0
	for i := range n {
		e := data[at+i*entry:]
		tag := string(e[:4])
		offset, size := uint64(binary.BigEndian.Uint32(e[8:])), uint64(binary.BigEndian.Uint32(e[12:]))
		packed := size
		if woff {
			offset, packed = uint64(binary.BigEndian.Uint32(e[4:])), uint64(binary.BigEndian.Uint32(e[8:]))
		}
		if offset+packed > uint64(len(data)) {
			return nil, fmt.Errorf("table %q lies outside of the file", tag)
		}
		if total += int(size); total > maxFont {
			return nil, fmt.Errorf("its tables are larger than %d MiB", maxFont>>20)
		}
		table := data[offset : offset+packed]
		if packed < size {
			var err error
			if table, err = inflate(table, int(size)); err != nil {
				return nil, fmt.Errorf("table %q: %w", tag, err)
			}
		}
		tables[tag] = table
	}
	return tables, nil
}

func inflate(data []byte, size int) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(z, out); err != nil {
		return nil, err
	}
	return out, z.Close()
}

// Op is a step of an outline.
type Op byte

// The steps: a move and a line have one point each, curves two and three.
const (
	Move  Op = 'M'
	Line  Op = 'L'
	Quad  Op = 'Q'
	Cubic Op = 'C'
)

// Step is a step of an outline with its points, x and y, in ems, y downwards. Contours
// are closed.
type Step struct {
	Op Op
	P  [3][2]float64
	N  int // of points
}

// Has reports whether the font draws a character.
func (f *Font) Has(r rune) bool {
	g, err := f.sfnt.GlyphIndex(&f.buf, r)
	return err == nil && g != 0
}

// Outline returns a character's outline, none for a blank, and that of the font's missing
// glyph for one that it does not have.
func (f *Font) Outline(r rune) ([]Step, error) {
	g, err := f.sfnt.GlyphIndex(&f.buf, r)
	if err != nil {
		return nil, err
	}
	segments, err := f.sfnt.LoadGlyph(&f.buf, g, f.em(), nil)
	if err != nil {
		if errors.Is(err, sfnt.ErrColoredGlyph) {
			return nil, nil
		}
		return nil, fmt.Errorf("glyph of %q: %w", r, err)
	}
	out := make([]Step, 0, len(segments))
	for _, s := range segments {
		step := Step{Op: map[sfnt.SegmentOp]Op{sfnt.SegmentOpMoveTo: Move, sfnt.SegmentOpLineTo: Line, sfnt.SegmentOpQuadTo: Quad, sfnt.SegmentOpCubeTo: Cubic}[s.Op]}
		step.N = map[Op]int{Move: 1, Line: 1, Quad: 2, Cubic: 3}[step.Op]
		for i := range step.N {
			step.P[i] = [2]float64{float64(s.Args[i].X) / 64 / f.units, float64(s.Args[i].Y) / 64 / f.units}
		}
		out = append(out, step)
	}
	return out, nil
}

// em asks for outlines in font units.
func (f *Font) em() fixed.Int26_6 { return fixed.I(int(f.units)) }

// Advance returns how far a character moves the pen, in ems.
func (f *Font) Advance(r rune) float64 {
	g, err := f.sfnt.GlyphIndex(&f.buf, r)
	if err != nil {
		return 0
	}
	a, err := f.sfnt.GlyphAdvance(&f.buf, g, f.em(), 0)
	if err != nil {
		return 0
	}
	return float64(a) / 64 / f.units
}

// Width returns the width of a line of text in ems.
func (f *Font) Width(text string) float64 {
	w := 0.0
	for _, r := range text {
		w += f.Advance(r)
	}
	return w
}
