package font

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Subset returns a WOFF font with the characters of a text and no others, for embedding.
// Hints, kerning and vertical metrics stay behind. Characters that the font does not have
// are left to the reader's own fonts.
func (f *Font) Subset(text string) ([]byte, error) {
	glyphs := []uint16{0} // by new number; the missing glyph is first
	number := map[uint16]uint16{0: 0}
	add := func(old uint16) uint16 {
		n, ok := number[old]
		if !ok {
			n = uint16(len(glyphs))
			number[old] = n
			glyphs = append(glyphs, old)
		}
		return n
	}
	chars := map[rune]uint16{}
	for _, r := range text {
		if g, err := f.sfnt.GlyphIndex(&f.buf, r); err == nil && g != 0 {
			chars[r] = add(uint16(g))
		}
	}
	loca, err := f.loca()
	if err != nil {
		return nil, err
	}
	var glyf []byte
	newLoca := binary.BigEndian.AppendUint32(nil, 0)
	for i := 0; i < len(glyphs); i++ { //nolint:intrange // glyphs grows by the parts of composed ones
		old := glyphs[i]
		if int(old)+1 >= len(loca) {
			return nil, fmt.Errorf("glyph %d is beyond the font's last", old)
		}
		one, err := renumber(f.tables["glyf"], loca[old], loca[old+1], add)
		if err != nil {
			return nil, fmt.Errorf("glyph %d: %w", old, err)
		}
		glyf = append(glyf, one...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		newLoca = binary.BigEndian.AppendUint32(newLoca, uint32(len(glyf)))
	}
	hmtx, err := f.hmtx(glyphs)
	if err != nil {
		return nil, err
	}
	tables := map[string][]byte{
		"glyf": glyf, "loca": newLoca, "hmtx": hmtx, "cmap": cmap(chars),
		"post": slices.Concat([]byte{0, 3, 0, 0}, make([]byte, 28)), // version 3: no names
		"name": {0, 0, 0, 0, 0, 6},
	}
	for _, tag := range []string{"head", "hhea", "maxp", "OS/2"} {
		tables[tag] = slices.Clone(f.tables[tag])
	}
	if len(tables["head"]) < 54 || len(tables["hhea"]) < 36 || len(tables["maxp"]) < 6 {
		return nil, errors.New("the font's head, hhea or maxp is too short")
	}
	binary.BigEndian.PutUint16(tables["head"][50:], 1) // loca of 32 bits
	binary.BigEndian.PutUint16(tables["hhea"][34:], uint16(len(glyphs)))
	binary.BigEndian.PutUint16(tables["maxp"][4:], uint16(len(glyphs)))
	if len(tables["OS/2"]) == 0 {
		delete(tables, "OS/2")
	}
	return pack(tables)
}

// loca returns where each glyph begins in glyf, and the end.
func (f *Font) loca() ([]uint32, error) {
	head, raw := f.tables["head"], f.tables["loca"]
	if len(head) < 54 || len(f.tables["glyf"]) == 0 {
		return nil, errors.New("the font has no TrueType outlines")
	}
	var out []uint32
	if binary.BigEndian.Uint16(head[50:]) == 0 {
		for i := 0; i+1 < len(raw); i += 2 {
			out = append(out, 2*uint32(binary.BigEndian.Uint16(raw[i:])))
		}
		return out, nil
	}
	for i := 0; i+3 < len(raw); i += 4 {
		out = append(out, binary.BigEndian.Uint32(raw[i:]))
	}
	return out, nil
}

// Flags of a composed glyph's parts (OpenType 1.9, "glyf", Component glyph flags).
const (
	argsAreWords = 1 << 0
	haveScale    = 1 << 3
	moreParts    = 1 << 5
	haveXYScale  = 1 << 6
	have2x2      = 1 << 7
)

// renumber copies a glyph and gives the parts of a composed one their new numbers.
func renumber(glyf []byte, from, to uint32, add func(uint16) uint16) ([]byte, error) {
	if from > to || int(to) > len(glyf) {
		return nil, errors.New("it lies outside of glyf")
	}
	g := slices.Clone(glyf[from:to])
	if len(g) < 10 || int16(binary.BigEndian.Uint16(g)) >= 0 {
		return g, nil // empty, or of contours
	}
	for at := 10; ; {
		if at+4 > len(g) {
			return nil, errors.New("its parts are cut off")
		}
		flags := binary.BigEndian.Uint16(g[at:])
		binary.BigEndian.PutUint16(g[at+2:], add(binary.BigEndian.Uint16(g[at+2:])))
		at += 6
		if flags&argsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&haveScale != 0:
			at += 2
		case flags&haveXYScale != 0:
			at += 4
		case flags&have2x2 != 0:
			at += 8
		}
		if flags&moreParts == 0 {
			return g, nil
		}
	}
}

// hmtx returns advance and left bearing of each glyph.
func (f *Font) hmtx(glyphs []uint16) ([]byte, error) {
	hhea, raw := f.tables["hhea"], f.tables["hmtx"]
	if len(hhea) < 36 {
		return nil, errors.New("the font has no hhea")
	}
	n := int(binary.BigEndian.Uint16(hhea[34:]))
	var out []byte
	for _, g := range glyphs {
		advance := 4 * min(int(g), n-1)
		bearing := advance + 2
		if int(g) >= n {
			bearing = 4*n + 2*(int(g)-n)
		}
		if n == 0 || advance+2 > len(raw) || bearing+2 > len(raw) {
			return nil, fmt.Errorf("glyph %d has no metrics", g)
		}
		out = append(append(out, raw[advance:advance+2]...), raw[bearing:bearing+2]...)
	}
	return out, nil
}

// cmap writes a table with one subtable of format 12, all of Unicode.
func cmap(chars map[rune]uint16) []byte {
	b := binary.BigEndian
	out := b.AppendUint16(nil, 0)
	out = b.AppendUint16(out, 1)
	out = b.AppendUint16(out, 3)  // Windows
	out = b.AppendUint16(out, 10) // all of Unicode
	out = b.AppendUint32(out, 12)
	out = b.AppendUint16(out, 12)
	out = b.AppendUint16(out, 0)
	out = b.AppendUint32(out, uint32(16+12*len(chars)))
	out = b.AppendUint32(out, 0)
	out = b.AppendUint32(out, uint32(len(chars)))
	for _, r := range slices.Sorted(maps.Keys(chars)) {
		out = b.AppendUint32(out, uint32(r))
		out = b.AppendUint32(out, uint32(r))
		out = b.AppendUint32(out, uint32(chars[r]))
	}
	return out
}
