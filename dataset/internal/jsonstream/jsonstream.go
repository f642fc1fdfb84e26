// Package jsonstream walks through annotation files of JSON, value by value, and knows
// the line of each. It holds one value at a time in memory.
package jsonstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Reader reads one JSON text.
type Reader struct {
	dec   *json.Decoder
	lines *lines
	value int // line where the value of the last Raw begins
}

// New returns a reader of r, which fails where r holds more than limit bytes.
func New(r io.Reader, limit int64) *Reader {
	l := &lines{r: r, left: limit}
	return &Reader{dec: json.NewDecoder(l), lines: l}
}

// Object calls f for each key of the object that comes next. f reads the key's value,
// with one call of a method of r.
func (r *Reader) Object(f func(key string) error) error {
	if err := r.open('{', "an object"); err != nil {
		return err
	}
	for r.dec.More() {
		t, err := r.dec.Token()
		if err != nil {
			return r.at(err)
		}
		if err := f(t.(string)); err != nil { //nolint:forcetypeassert // an object's keys are strings, or Token fails
			return err
		}
	}
	_, err := r.dec.Token()
	return r.at(err)
}

// Array calls f for each element of the array that comes next, which f reads.
func (r *Reader) Array(f func() error) error {
	if err := r.open('[', "a list"); err != nil {
		return err
	}
	for r.dec.More() {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	return r.at(err)
}

func (r *Reader) open(want json.Delim, name string) error {
	t, err := r.dec.Token()
	if err != nil {
		return r.at(err)
	}
	if t != want {
		return r.at(fmt.Errorf("%.40v where %s is expected", t, name))
	}
	return nil
}

// Raw returns the value that comes next.
func (r *Reader) Raw() (json.RawMessage, error) {
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		return nil, r.at(err)
	}
	r.value = r.lines.line(r.dec.InputOffset() - int64(len(raw)))
	return raw, nil
}

// Value reads the value that comes next into v. bad says why it does not fit v; the
// reader can go on after it. err is of the text itself.
func (r *Reader) Value(v any) (bad, err error) {
	raw, err := r.Raw()
	if err != nil {
		return nil, err
	}
	return json.Unmarshal(raw, v), nil
}

// Line returns the line, from 1, where the value of the last call of Raw or Value began.
func (r *Reader) Line() int { return r.value }

// at adds the line to an error of the text: where the last value before it ends.
func (r *Reader) at(err error) error {
	if err == nil {
		return nil
	}
	offset := r.dec.InputOffset() // the syntax error's own offset does not count what was read before
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err, offset = io.ErrUnexpectedEOF, r.lines.read
	}
	return fmt.Errorf("line %d: %w", r.lines.line(offset), err)
}

// lines counts the lines that pass through it.
type lines struct {
	r      io.Reader
	left   int64
	read   int64
	before int     // line ends that were asked past
	ends   []int64 // offsets of those that come later
}

func (l *lines) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errors.New("the file is too long")
	}
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// line returns the line of an offset, from 1. Offsets are asked for in rising order.
func (l *lines) line(offset int64) int {
	n := 0
	for n < len(l.ends) && l.ends[n] < offset {
		n++
	}
	l.ends, l.before = l.ends[n:], l.before+n
	return l.before + 1
}
