package tensor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// NumPy's format is described in numpy/lib/format.py: magic, version, header length,
// a Python dict literal with descr, fortran_order and shape, then the elements.
const npyMagic = "\x93NUMPY"

// npyTypes are the element types by the last characters of descr.
var npyTypes = map[string]DType{
	"f2": Float16, "f4": Float32, "f8": Float64, "b1": Bool,
	"i1": Int8, "i2": Int16, "i4": Int32, "i8": Int64,
	"u1": Uint8, "u2": Uint16, "u4": Uint32, "u8": Uint64,
}

// ParseNPY returns the array of a .npy file of version 1 to 3: numbers and bools of
// either byte order, and str ("U") as String. Fortran order becomes row-major.
// Objects, records, complex and long double are errors.
func ParseNPY(data []byte) (*Tensor, error) {
	h, body, err := npyHeader(data)
	if err != nil {
		return nil, fmt.Errorf("reading npy header: %w", err)
	}
	// order '|' is for single bytes, '=' is never written.
	order, kind := byte('|'), h.descr
	if len(kind) > 0 && strings.IndexByte("<>|", kind[0]) >= 0 {
		order, kind = kind[0], kind[1:]
	}
	var t *Tensor
	if strings.HasPrefix(kind, "U") {
		t, err = npyStrings(kind[1:], order, h.shape, body)
	} else {
		d, ok := npyTypes[kind]
		if !ok {
			return nil, fmt.Errorf("npy element type %q is not supported", h.descr)
		}
		if order == '>' {
			body = swapped(body, d.Size())
		}
		t, err = FromBytes(d, h.shape, body)
	}
	if err != nil {
		return nil, fmt.Errorf("reading npy elements: %w", err)
	}
	if h.fortran {
		return fromFortran(t), nil
	}
	return t, nil
}

// AppendNPY appends t as a .npy file of version 1. BFloat16 and String, which NumPy
// has no fixed form for, are errors.
func AppendNPY(dst []byte, t *Tensor) ([]byte, error) {
	descr := ""
	for k, d := range npyTypes {
		if d == t.DType {
			descr = "<" + k
		}
	}
	if descr == "" {
		return nil, fmt.Errorf("npy cannot hold %v", t.DType)
	}
	dims := ""
	for _, d := range t.Shape {
		dims += strconv.FormatInt(d, 10) + ", "
	}
	if len(t.Shape) > 1 {
		dims = strings.TrimSuffix(dims, ", ")
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(dims, " "))
	if pad := (len(npyMagic) + 4 + len(head) + 1) % 64; pad != 0 {
		head += strings.Repeat(" ", 64-pad)
	}
	head += "\n"
	if len(head) > 0xffff {
		return nil, fmt.Errorf("npy header of %d bytes is too long", len(head))
	}
	dst = append(dst, npyMagic+"\x01\x00"...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(head)))
	dst = append(dst, head...)
	body, err := t.Bytes()
	return append(dst, body...), err
}

// maxRank bounds the dimensions of an array from a file; NumPy 2 has the same limit.
const maxRank = 64

// npyDict is the one spelling of the header that NumPy writes; it is not Python's grammar.
var npyDict = regexp.MustCompile(
	`^\s*\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([0-9L, ]*)\),?\s*\}\s*$`)

type npyHead struct {
	descr   string
	fortran bool
	shape   []int64
}

func npyHeader(data []byte) (npyHead, []byte, error) {
	var h npyHead
	rest, ok := bytes.CutPrefix(data, []byte(npyMagic))
	if !ok || len(rest) < 6 {
		return h, nil, errors.New("not a npy file")
	}
	n, at := uint64(binary.LittleEndian.Uint16(rest[2:])), uint64(4)
	if rest[0] == 2 || rest[0] == 3 {
		n, at = uint64(binary.LittleEndian.Uint32(rest[2:])), 6
	} else if rest[0] != 1 {
		return h, nil, fmt.Errorf("version %d is not known", rest[0])
	}
	if n > uint64(len(rest))-at {
		return h, nil, fmt.Errorf("header of %d bytes in a file of %d", n, len(data))
	}
	if n > 1<<20 {
		return h, nil, fmt.Errorf("header of %d bytes is too long", n)
	}
	m := npyDict.FindSubmatch(rest[at : at+n])
	if m == nil {
		return h, nil, fmt.Errorf("not the dict that NumPy writes: %.100q", rest[at:at+n])
	}
	h = npyHead{descr: string(m[1]), fortran: string(m[2]) == "True", shape: []int64{}}
	for _, f := range strings.FieldsFunc(string(m[3]), func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := strconv.ParseInt(strings.TrimSuffix(f, "L"), 10, 64)
		if err != nil {
			return h, nil, fmt.Errorf("shape (%s): %w", m[3], err)
		}
		h.shape = append(h.shape, d)
	}
	if len(h.shape) > maxRank {
		return h, nil, fmt.Errorf("%d dimensions, at most %d", len(h.shape), maxRank)
	}
	return h, rest[at+n:], nil
}

// npyStrings decodes "U" elements: width UCS-4 code points each, padded with zeros.
func npyStrings(width string, order byte, shape []int64, body []byte) (*Tensor, error) {
	w, err := strconv.ParseUint(width, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("string width %q: %w", width, err)
	}
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	if w == 0 || uint64(n) > uint64(len(body)) || uint64(n)*w*4 != uint64(len(body)) {
		return nil, fmt.Errorf("shape %v of %d code points does not take %d bytes", shape, w, len(body))
	}
	if order == '>' {
		body = swapped(body, 4)
	}
	out := make([]string, n)
	for i := range out {
		var s []byte
		for range w {
			s = utf8.AppendRune(s, rune(binary.LittleEndian.Uint32(body)))
			body = body[4:]
		}
		out[i] = strings.TrimRight(string(s), "\x00")
	}
	return Of(shape, out), nil
}

// fromFortran returns t, whose elements are in column-major order, in row-major order.
func fromFortran(t *Tensor) *Tensor {
	switch v := t.data.(type) {
	case []float32:
		t.data = rowMajor(t.Shape, v)
	case []float64:
		t.data = rowMajor(t.Shape, v)
	case []uint8:
		t.data = rowMajor(t.Shape, v)
	case []int8:
		t.data = rowMajor(t.Shape, v)
	case []uint16:
		t.data = rowMajor(t.Shape, v)
	case []int16:
		t.data = rowMajor(t.Shape, v)
	case []int32:
		t.data = rowMajor(t.Shape, v)
	case []uint32:
		t.data = rowMajor(t.Shape, v)
	case []int64:
		t.data = rowMajor(t.Shape, v)
	case []uint64:
		t.data = rowMajor(t.Shape, v)
	case []bool:
		t.data = rowMajor(t.Shape, v)
	case []string:
		t.data = rowMajor(t.Shape, v)
	}
	return t
}

func rowMajor[T any](shape []int64, column []T) []T {
	out := make([]T, len(column))
	index := make([]int64, len(shape)) // of out, last axis fastest
	for i := range out {
		at, stride := int64(0), int64(1)
		for a, d := range shape {
			at += index[a] * stride
			stride *= d
		}
		out[i] = column[at]
		for a := len(shape) - 1; a >= 0; a-- {
			if index[a]++; index[a] < shape[a] {
				break
			}
			index[a] = 0
		}
	}
	return out
}

// swapped returns data with the bytes of each element of size bytes reversed.
func swapped(data []byte, size int) []byte {
	out := make([]byte, len(data)/size*size)
	for i := range out {
		out[i] = data[i/size*size+size-1-i%size]
	}
	return out
}
