package labelstudio

import (
	"errors"
	"fmt"

	"trilobite/geom"
)

// Brush masks are RGBA pictures, row by row, in the run-length code of the library
// rle-pack (github.com/thi-ng/umbrella, packages/rle-pack): 32 bits with the number of
// values, 5 with their width less 1, four times 4 with the widths of run lengths less 1;
// then runs: a bit that says whether one value is repeated, 2 bits that choose the width of
// the length, the length less 1, and the value or values. A pixel is in where its alpha
// is not 0.

// channels is the number of values of a pixel.
const channels = 4

// maxMask bounds the pixels of a mask, as imageio does of a picture.
const maxMask = 100_000_000

var errShort = errors.New("the run lengths break off")

// bits reads numbers, the highest bit first.
type bits struct {
	data []byte
	at   int // bits read
}

func (b *bits) read(n int) (int, error) {
	if b.at+n > 8*len(b.data) {
		return 0, errShort
	}
	v := 0
	for range n {
		v = v<<1 | int(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v, nil
}

// decodeRLE returns the pixels of a mask of w×h.
func decodeRLE(data []byte, w, h int) (*geom.RLE, error) {
	if w < 1 || h < 1 || w > maxMask/h {
		return nil, fmt.Errorf("a mask of %d×%d pixels", w, h)
	}
	in := &bits{data: data}
	count, err := in.read(32)
	if err == nil && count != channels*w*h {
		err = fmt.Errorf("the mask has %d values, and %d×%d pixels have %d", count, w, h, channels*w*h)
	}
	if err != nil {
		return nil, err
	}
	word, err := in.read(5)
	if err != nil {
		return nil, err
	}
	word++
	var widths [4]int
	for i := range widths {
		if widths[i], err = in.read(4); err != nil {
			return nil, err
		}
		widths[i]++
	}
	mask := make([]uint8, w*h)
	for i := 0; i < count; {
		head, err := in.read(3)
		if err != nil {
			return nil, err
		}
		run, err := in.read(widths[head&3])
		if err != nil {
			return nil, err
		}
		if run++; i+run > count {
			return nil, fmt.Errorf("a run of %d values at %d of %d", run, i, count)
		}
		value := 0
		for k := range run {
			if k == 0 || head&4 == 0 {
				if value, err = in.read(word); err != nil {
					return nil, err
				}
			}
			if value != 0 && (i+k)%channels == channels-1 {
				mask[(i+k)/channels] = 1
			}
		}
		i += run
	}
	r := geom.EncodeRLE(mask, w, h)
	return &r, nil
}

// writer collects numbers, the highest bit first.
type bitWriter struct {
	data []byte
	n    int // bits written
}

func (b *bitWriter) write(v, n int) {
	for i := n - 1; i >= 0; i-- {
		if b.n%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.n/8] |= uint8(v>>i&1) << (7 - b.n%8)
		b.n++
	}
}

// encodeRLE writes pixels as runs of 0 and 255 in all four channels.
func encodeRLE(r *geom.RLE) []byte {
	widths := [4]int{3, 4, 8, 16} // as the converter of Label Studio has them
	mask := make([]uint8, r.W*r.H)
	r.Fill(mask, 255)
	var b bitWriter
	b.write(channels*len(mask), 32)
	b.write(8-1, 5)
	for _, n := range widths {
		b.write(n-1, 4)
	}
	for i := 0; i < len(mask); {
		j := i
		for j < len(mask) && mask[j] == mask[i] {
			j++
		}
		for left := channels * (j - i); left > 0; {
			run := min(left, 1<<16)
			which := 0
			for run > 1<<widths[which] {
				which++
			}
			b.write(4|which, 3)
			b.write(run-1, widths[which])
			b.write(int(mask[i]), 8)
			left -= run
		}
		i = j
	}
	return b.data
}
