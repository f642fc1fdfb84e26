package torch

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits of one pickle. A network of 20,000 tensors takes about 4 MB and 800,000
// opcodes. gopickle spends up to 400 bytes on an opcode.
const (
	maxPickle  = 16 << 20
	maxOpcodes = 1 << 20
)

// argument is how an opcode's argument is delimited.
type argument int

const (
	refused argument = iota
	none
	bytes1
	bytes2
	bytes4
	bytes8
	counted1 // 1-byte length, then as many bytes
	counted4
	counted8
	twoLines
	frame // 8-byte length of what follows, which are opcodes
)

// opcodes is the closed list: those that pickle protocols 2 to 5 use for dicts, lists,
// tuples, numbers, strings, globals and persistent ids (CPython, Lib/pickletools.py).
// Protocol 0's text forms, instances and extensions are refused.
var opcodes = func() (t [256]argument) {
	for arg, ops := range map[argument]string{
		none:     "(.012NQRab}e]st)u\x85\x86\x87\x88\x89\x93\x94",
		bytes1:   "Khq\x80",
		bytes2:   "M",
		bytes4:   "Jjr",
		bytes8:   "G",
		counted1: "UC\x8a\x8c",
		counted4: "TXB\x8b",
		counted8: "\x8d\x8e",
		twoLines: "c",
		frame:    "\x95",
	} {
		for i := range len(ops) {
			t[ops[i]] = arg
		}
	}
	return t
}()

// scan reads one pickle from r up to its STOP and returns its bytes, once each opcode
// is allowed and each length lies inside. gopickle itself allocates whatever length a
// pickle claims, so nothing may reach it unscanned.
func scan(r *bufio.Reader) ([]byte, error) {
	var buf bytes.Buffer
	frameEnd := uint64(0)
	for range maxOpcodes {
		op, err := r.ReadByte()
		if err != nil {
			return nil, fmt.Errorf("the pickle has no end: %w", err)
		}
		buf.WriteByte(op)
		n := uint64(0)
		switch arg := opcodes[op]; arg {
		case refused:
			return nil, fmt.Errorf("pickle opcode 0x%02x at byte %d is not allowed", op, buf.Len()-1)
		case none:
		case bytes1, bytes2, bytes4, bytes8:
			n = 1 << (arg - bytes1)
		case twoLines:
			var module, name string
			if module, err = line(&buf, r); err == nil {
				name, err = line(&buf, r)
			}
			if err == nil {
				// gopickle answers a few names by itself, without asking findClass.
				_, err = findClass(module, name)
			}
		case counted1, counted4, counted8, frame:
			if n, err = length(&buf, r, arg); err == nil && arg == frame {
				frameEnd, n = max(frameEnd, uint64(buf.Len())+n), 0
			}
		}
		if err == nil && n > uint64(maxPickle-buf.Len()) {
			err = fmt.Errorf("%d bytes, at most %d", n, maxPickle)
		}
		if err == nil {
			_, err = io.CopyN(&buf, r, int64(n))
		}
		if err != nil {
			return nil, fmt.Errorf("pickle opcode 0x%02x: %w", op, err)
		}
		if op == '.' {
			if frameEnd > uint64(buf.Len()) {
				return nil, errors.New("a pickle frame goes beyond the pickle")
			}
			return buf.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("the pickle has more than %d opcodes", maxOpcodes)
}

func length(buf *bytes.Buffer, r *bufio.Reader, arg argument) (uint64, error) {
	size := map[argument]int64{counted1: 1, counted4: 4, counted8: 8, frame: 8}[arg]
	if _, err := io.CopyN(buf, r, size); err != nil {
		return 0, err
	}
	var b [8]byte
	copy(b[:], buf.Bytes()[int64(buf.Len())-size:])
	n := binary.LittleEndian.Uint64(b[:])
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("length %d", n)
	}
	return n, nil
}

// line copies a line and returns it without its end.
func line(buf *bytes.Buffer, r *bufio.Reader) (string, error) {
	for n := range 256 {
		b, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		buf.WriteByte(b)
		if b == '\n' {
			return string(buf.Bytes()[buf.Len()-1-n : buf.Len()-1]), nil
		}
	}
	return "", errors.New("a line of more than 256 bytes")
}
