package geom

import (
	"errors"
	"fmt"
	"math"
)

// RLE is a mask of W×H pixels as COCO writes it: the lengths of runs of pixels that are
// out and in by turns, the first out, column after column from the left, each from the
// top. Their sum is W·H.
// Source: cocodataset/cocoapi, common/maskApi.h.
type RLE struct {
	W, H int
	Runs []uint32
}

// maxMask bounds the pixels of a mask from outside.
const maxMask = 1 << 28

// NewRLE checks runs, as an annotation has them, against the size.
func NewRLE(w, h int, runs []uint32) (RLE, error) {
	if err := checkMask(w, h); err != nil {
		return RLE{}, err
	}
	sum := uint64(0)
	for _, n := range runs {
		sum += uint64(n)
	}
	if sum != uint64(w)*uint64(h) {
		return RLE{}, fmt.Errorf("run lengths cover %d pixels of a mask of %d×%d", sum, w, h)
	}
	return RLE{w, h, runs}, nil
}

// ParseRLE reads COCO's compressed run lengths: numbers in groups of five bits, the
// lowest first, each with 32 where more follow and plus 48 to be a letter; the sign is
// the last group's highest bit; from the fourth number on they are differences to the
// number two before.
func ParseRLE(w, h int, text string) (RLE, error) {
	if err := checkMask(w, h); err != nil {
		return RLE{}, err
	}
	var runs []uint32
	for i := 0; i < len(text); {
		x := int64(0)
		for shift := 0; ; shift += 5 {
			if i == len(text) || shift > 30 {
				return RLE{}, errors.New("compressed run lengths break off or hold too long a number")
			}
			c := int64(text[i]) - 48
			if c < 0 || c > 63 {
				return RLE{}, fmt.Errorf("%q does not occur in compressed run lengths", text[i])
			}
			i++
			x |= (c & 31) << shift
			if c&32 == 0 {
				if c&16 != 0 {
					x |= -1 << (shift + 5)
				}
				break
			}
		}
		if n := len(runs); n > 2 {
			x += int64(runs[n-2])
		}
		if x < 0 || x > maxMask {
			return RLE{}, fmt.Errorf("a run of %d pixels", x)
		}
		runs = append(runs, uint32(x))
	}
	return NewRLE(w, h, runs)
}

// EncodeRLE returns the pixels of mask, w×h values row by row, that are not 0.
func EncodeRLE(mask []uint8, w, h int) RLE {
	r := RLE{W: w, H: h}
	in, run := false, uint32(0)
	for x := range w {
		for y := range h {
			if (mask[y*w+x] != 0) != in {
				r.Runs = append(r.Runs, run)
				in, run = !in, 0
			}
			run++
		}
	}
	r.Runs = append(r.Runs, run)
	return r
}

func checkMask(w, h int) error {
	if w < 1 || h < 1 || w > math.MaxInt32 || h > math.MaxInt32 || w*h > maxMask {
		return fmt.Errorf("a mask of %d×%d pixels", w, h)
	}
	return nil
}

// String returns the runs compressed, the way ParseRLE reads.
func (r RLE) String() string {
	var out []byte
	for i, n := range r.Runs {
		x := int64(n)
		if i > 2 {
			x -= int64(r.Runs[i-2])
		}
		for more := true; more; {
			c := x & 31
			x >>= 5
			more = x != -(c >> 4 & 1) // what is left is more than the sign
			if more {
				c |= 32
			}
			out = append(out, byte(c+48))
		}
	}
	return string(out)
}

// Area returns the number of pixels that are in.
func (r RLE) Area() int {
	sum := 0
	for i := 1; i < len(r.Runs); i += 2 {
		sum += int(r.Runs[i])
	}
	return sum
}

// Bounds returns the smallest rectangle around the pixels that are in, the zero Rect
// where there are none.
func (r RLE) Bounds() Rect {
	x1, y1, x2, y2 := r.W, r.H, 0, 0
	r.columns(func(x, top, bottom int) {
		x1, y1, x2, y2 = min(x1, x), min(y1, top), max(x2, x+1), max(y2, bottom)
	})
	if x2 <= x1 {
		return Rect{}
	}
	return Rect{float64(x1), float64(y1), float64(x2 - x1), float64(y2 - y1)}
}

// Fill writes value to the pixels of mask that are in. mask has W×H values, row by row.
func (r RLE) Fill(mask []uint8, value uint8) {
	r.columns(func(x, top, bottom int) {
		for y := top; y < bottom; y++ {
			mask[y*r.W+x] = value
		}
	})
}

// columns calls f for each piece of a column that is in: rows top to bottom-1.
func (r RLE) columns(f func(x, top, bottom int)) {
	at := 0
	for i, n := range r.Runs {
		end := at + int(n)
		for i%2 == 1 && at < end {
			x, top := at/r.H, at%r.H
			bottom := min(r.H, top+end-at)
			f(x, top, bottom)
			at += bottom - top
		}
		at = end
	}
}
