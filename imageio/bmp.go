package imageio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
)

// bmpHeader is what the file and info headers of a BMP say. Source: Microsoft's
// "Bitmap Storage" (BITMAPCOREHEADER, BITMAPINFOHEADER, V4, V5) and, for the 16 and 64
// byte headers, the OS/2 2.x toolkit. JPEG, PNG and Huffman inside a BMP are refused.
type bmpHeader struct {
	w, h        int
	topDown     bool
	depth       int // bits per pixel: 1, 2, 4, 8, 16, 24, 32
	compression uint32
	pixels      int // offset of the pixel data
	palette     [256][3]uint8
	masks       [4]uint32 // red, green, blue, alpha of 16 and 32 bits per pixel
}

// Values of compression.
const (
	bmpRGB            = 0
	bmpRLE8           = 1
	bmpRLE4           = 2
	bmpBitFields      = 3
	bmpAlphaBitFields = 6
)

const bmpFileHeader = 14 // bytes before the info header

// readBMPHeader reads the headers and the palette; it allocates nothing else.
func readBMPHeader(data []byte) (*bmpHeader, error) {
	le := binary.LittleEndian
	if len(data) < bmpFileHeader+12 {
		return nil, errors.New("reading BMP header: cut short")
	}
	b := &bmpHeader{pixels: int(le.Uint32(data[10:]))}
	size := int(le.Uint32(data[bmpFileHeader:]))
	if size < 12 || size > 256 || bmpFileHeader+size > len(data) {
		return nil, fmt.Errorf("reading BMP header: its size is %d", size)
	}
	info := data[bmpFileHeader : bmpFileHeader+size]
	entry := 4 // bytes of a palette entry: blue, green, red, and one unused
	colors := 0
	if size == 12 {
		entry = 3
		b.w, b.h, b.depth = int(le.Uint16(info[4:])), int(le.Uint16(info[6:])), int(le.Uint16(info[10:]))
	} else {
		if size < 16 {
			return nil, fmt.Errorf("reading BMP header: its size is %d", size)
		}
		b.w, b.h, b.depth = int(int32(le.Uint32(info[4:]))), int(int32(le.Uint32(info[8:]))), int(le.Uint16(info[14:]))
		if size >= 36 {
			b.compression, colors = le.Uint32(info[16:]), int(le.Uint32(info[32:]))
		}
	}
	if b.h < 0 {
		b.h, b.topDown = -b.h, true
	}
	if b.w < 1 || b.h < 1 || b.w > 1<<24 || b.h > 1<<24 {
		return nil, fmt.Errorf("reading BMP header: the size is %d×%d", b.w, b.h)
	}
	end, err := b.readMasks(data, info, bmpFileHeader+size)
	if err != nil {
		return nil, err
	}
	b.readPalette(data[end:], entry, colors)
	return b, nil
}

// readMasks checks depth against compression and sets the channel masks. It returns
// where the palette begins.
func (b *bmpHeader) readMasks(data, info []byte, end int) (int, error) {
	switch {
	case b.compression == bmpRGB && (b.depth == 1 || b.depth == 2 || b.depth == 4 || b.depth == 8 || b.depth == 24),
		b.compression == bmpRLE8 && b.depth == 8,
		b.compression == bmpRLE4 && b.depth == 4:
		return end, nil
	case b.compression == bmpRGB && b.depth == 16:
		b.masks = [4]uint32{0x7c00, 0x03e0, 0x001f}
		return end, nil
	case b.compression == bmpRGB && b.depth == 32:
		b.masks = [4]uint32{0xff0000, 0xff00, 0xff}
		return end, nil
	case (b.compression == bmpBitFields || b.compression == bmpAlphaBitFields) && (b.depth == 16 || b.depth == 32):
		n := 3
		if len(info) >= 56 || b.compression == bmpAlphaBitFields {
			n = 4
		}
		if len(info) < 52 { // the masks follow the header
			end += 4 * n
		}
		at := bmpFileHeader + 40
		if at+4*n > len(data) || end > len(data) {
			return 0, errors.New("reading BMP masks: cut short")
		}
		for i := range n {
			b.masks[i] = binary.LittleEndian.Uint32(data[at+4*i:])
		}
		return end, nil
	}
	return 0, fmt.Errorf("reading BMP header: compression %d with %d bits per pixel", b.compression, b.depth)
}

// readPalette reads the colours of images of at most 8 bits per pixel. Files with
// fewer colours than they announce are common; the rest stays black.
func (b *bmpHeader) readPalette(data []byte, entry, colors int) {
	if b.depth > 8 {
		return
	}
	if colors < 1 || colors > 1<<b.depth {
		colors = 1 << b.depth
	}
	for i := range min(colors, len(data)/entry) {
		e := data[i*entry:]
		b.palette[i] = [3]uint8{e[2], e[1], e[0]}
	}
}

// decodeBMP decodes a BMP file, box shrunk by an integer factor.
func decodeBMP(data []byte, shrink int, stop *int32) (*Image, error) {
	b, err := readBMPHeader(data)
	if err != nil {
		return nil, err
	}
	if b.pixels < bmpFileHeader || b.pixels > len(data) {
		return nil, fmt.Errorf("decoding BMP: pixels at offset %d of %d", b.pixels, len(data))
	}
	body := data[b.pixels:]
	var img *Image
	if b.compression == bmpRLE8 || b.compression == bmpRLE4 {
		img, err = b.decodeRLE(body)
	} else {
		img, err = b.decodeRows(body, stop)
	}
	if err != nil || shrink <= 1 {
		return img, err
	}
	s, err := wrap(img)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.srgb(shrink, false, stop, nil)
}

// row returns row y of the picture for line i of the file, which counts from below
// unless the header says otherwise.
func (b *bmpHeader) row(m *Image, i int) []uint8 {
	if !b.topDown {
		i = b.h - 1 - i
	}
	return m.Pix[i*b.w*3 : (i+1)*b.w*3]
}

// decodeRows reads uncompressed pixels; lines are padded to four bytes.
func (b *bmpHeader) decodeRows(body []byte, stop *int32) (*Image, error) {
	stride := (b.w*b.depth + 31) / 32 * 4
	if need := stride*(b.h-1) + (b.w*b.depth+7)/8; len(body) < need {
		return nil, fmt.Errorf("decoding BMP: %d bytes of pixels, %d needed", len(body), need)
	}
	m := New(b.w, b.h)
	alpha := b.masks[3] != 0 && b.anyAlpha(body, stride)
	for y := range b.h {
		if y%64 == 0 && atomic.LoadInt32(stop) != 0 {
			return nil, errStopped
		}
		src, dst := body[y*stride:], b.row(m, y)
		switch b.depth {
		case 24:
			for x := 0; x < b.w*3; x += 3 {
				dst[x], dst[x+1], dst[x+2] = src[x+2], src[x+1], src[x]
			}
		case 16, 32:
			b.maskedRow(dst, src, alpha)
		default:
			per := 8 / b.depth
			for x := range b.w {
				i := src[x/per] >> (8 - b.depth*(x%per+1)) & (1<<b.depth - 1)
				copy(dst[x*3:], b.palette[i][:])
			}
		}
	}
	return m, nil
}

// pixel returns the 16 or 32 bits of pixel x of a line.
func (b *bmpHeader) pixel(src []byte, x int) uint32 {
	if b.depth == 16 {
		return uint32(binary.LittleEndian.Uint16(src[2*x:]))
	}
	return binary.LittleEndian.Uint32(src[4*x:])
}

// anyAlpha says whether some pixel is not fully transparent. Many programs write an
// alpha mask and leave the channel zero; such pictures are opaque.
func (b *bmpHeader) anyAlpha(body []byte, stride int) bool {
	for y := range b.h {
		for x := range b.w {
			if b.pixel(body[y*stride:], x)&b.masks[3] != 0 {
				return true
			}
		}
	}
	return false
}

// maskedRow reads a line of 16 or 32 bits per pixel, laying alpha on white.
func (b *bmpHeader) maskedRow(dst, src []byte, alpha bool) {
	for x := range b.w {
		p := b.pixel(src, x)
		a := uint32(255)
		if alpha {
			a = channel(p, b.masks[3])
		}
		for c := range 3 {
			v := channel(p, b.masks[c])
			dst[x*3+c] = uint8((v*a + 255*(255-a) + 127) / 255)
		}
	}
}

// channel extracts the bits of mask from p, scaled to 0 to 255; 0 for an empty mask.
func channel(p, mask uint32) uint32 {
	if mask == 0 {
		return 0
	}
	shift := bits.TrailingZeros32(mask)
	top := uint64(mask >> shift)
	return uint32((uint64((p&mask)>>shift)*255 + top/2) / top)
}

// decodeRLE reads run-length coded pixels of 8 or 4 bits. Pixels that the runs skip
// keep colour 0. Data that ends before the last line is an error.
func (b *bmpHeader) decodeRLE(body []byte) (*Image, error) {
	m := New(b.w, b.h)
	for i := 0; i < len(m.Pix); i += 3 {
		copy(m.Pix[i:], b.palette[0][:])
	}
	x, y := 0, 0
	put := func(v byte) {
		if x < b.w && y < b.h {
			copy(b.row(m, y)[x*3:], b.palette[v][:])
		}
		x++
	}
	half := func(v byte, i int) byte { // pixel i of a run coded two to the byte
		if i%2 == 0 {
			return v >> 4
		}
		return v & 15
	}
	for i := 0; i+1 < len(body); {
		n, v := int(body[i]), body[i+1]
		i += 2
		switch {
		case n > 0: // n pixels of one colour, or of two in turn
			for k := range n {
				if b.depth == 8 {
					put(v)
				} else {
					put(half(v, k))
				}
			}
		case v == 0: // end of line
			x, y = 0, y+1
		case v == 1: // end of bitmap
			return m, nil
		case v == 2: // move right and up
			if i+1 >= len(body) {
				return nil, errors.New("decoding BMP: run-length data cut short")
			}
			x, y = x+int(body[i]), y+int(body[i+1])
			i += 2
		default: // v literal pixels, padded to two bytes
			size := int(v)
			if b.depth == 4 {
				size = (size + 1) / 2
			}
			if i+size > len(body) {
				return nil, errors.New("decoding BMP: run-length data cut short")
			}
			for k := range int(v) {
				if b.depth == 8 {
					put(body[i+k])
				} else {
					put(half(body[i+k/2], k))
				}
			}
			i += (size + 1) &^ 1
		}
		if y >= b.h {
			return m, nil
		}
	}
	if y < b.h-1 {
		return nil, errors.New("decoding BMP: run-length data cut short")
	}
	return m, nil
}
