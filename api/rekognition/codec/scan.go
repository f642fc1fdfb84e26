package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a body of brackets cannot exhaust the stack. The
// deepest input of the service has six levels; the rest is room for unknown fields.
const maxDepth = 100

// scanner walks the bytes of one JSON document (RFC 8259).
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// kind is the first byte of a value, with every number as '0'.
type kind byte

// The kinds of JSON values.
const (
	object kind = '{'
	array  kind = '['
	text   kind = '"'
	number kind = '0'
	yes    kind = 't'
	no     kind = 'f'
	null   kind = 'n'
)

// name returns the kind as the service's own parser names it in its errors.
func (k kind) name() string {
	switch k {
	case text:
		return "STRING_VALUE"
	case number:
		return "NUMBER_VALUE"
	case yes:
		return "TRUE_VALUE"
	case no:
		return "FALSE_VALUE"
	case object:
		return "START_OBJECT"
	case array:
		return "START_ARRAY"
	default:
		return "VALUE_NULL"
	}
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the kind of the value that starts at the next byte that is no space.
func (s *scanner) peek() (kind, error) {
	s.space()
	if s.pos >= len(s.data) {
		return 0, s.ended()
	}
	switch ch := s.data[s.pos]; {
	case ch == '-' || '0' <= ch && ch <= '9':
		return number, nil
	case strings.IndexByte(`{["tfn`, ch) >= 0:
		return kind(ch), nil
	default:
		return 0, s.unexpected()
	}
}

// next consumes the byte want after any space.
func (s *scanner) next(want byte) error {
	s.space()
	if s.pos >= len(s.data) {
		return s.ended()
	}
	if s.data[s.pos] != want {
		return s.unexpected()
	}
	s.pos++
	return nil
}

// each calls f at every member of the object or array that starts here: with its key
// for an object, after the colon; with "" for an array. f consumes the value.
func (s *scanner) each(open kind, f func(key string) error) error {
	if s.depth++; s.depth > maxDepth {
		return syntaxErrorf(s.pos, "The request body is nested more than %d levels deep.", maxDepth)
	}
	defer func() { s.depth-- }()
	s.pos++
	closing := byte(open) + 2 // '{' + 2 is '}', '[' + 2 is ']'
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == closing {
		s.pos++
		return nil
	}
	for {
		var key string
		if open == object {
			s.space()
			var err error
			if key, err = s.str(); err != nil {
				return err
			}
			if err = s.next(':'); err != nil {
				return err
			}
		}
		if err := f(key); err != nil {
			return err
		}
		s.space()
		if s.pos >= len(s.data) {
			return s.ended()
		}
		switch s.data[s.pos] {
		case ',':
			s.pos++
		case closing:
			s.pos++
			return nil
		default:
			return s.unexpected()
		}
	}
}

// skip consumes one value of any kind.
func (s *scanner) skip() error {
	k, err := s.peek()
	if err != nil {
		return err
	}
	switch k {
	case object, array:
		return s.each(k, func(string) error { return s.skip() })
	case text:
		_, _, err = s.rawString()
		return err
	case number:
		_, err = s.number()
		return err
	default:
		return s.literal(k)
	}
}

// literal consumes true, false or null.
func (s *scanner) literal(k kind) error {
	var word string
	switch k {
	case yes:
		word = "true"
	case no:
		word = "false"
	default:
		word = "null"
	}
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return s.unexpected()
	}
	s.pos += len(word)
	return nil
}

// number consumes a number and returns its text.
func (s *scanner) number() (string, error) {
	start := s.pos
	digits := func() bool {
		from := s.pos
		for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
			s.pos++
		}
		return s.pos > from
	}
	has := func(chars string) bool {
		if s.pos < len(s.data) && strings.IndexByte(chars, s.data[s.pos]) >= 0 {
			s.pos++
			return true
		}
		return false
	}
	has("-")
	leadingZero := s.pos < len(s.data) && s.data[s.pos] == '0'
	from := s.pos
	ok := digits() && (!leadingZero || s.pos == from+1)
	if ok && has(".") {
		ok = digits()
	}
	if ok && has("eE") {
		has("+-")
		ok = digits()
	}
	if !ok {
		if s.pos >= len(s.data) {
			return "", s.ended()
		}
		return "", s.unexpected()
	}
	return string(s.data[start:s.pos]), nil
}

// rawString consumes a string and returns what stands between its quotes, and whether
// that has escapes.
func (s *scanner) rawString() (raw []byte, escaped bool, err error) {
	if s.pos >= len(s.data) {
		return nil, false, s.ended()
	}
	if s.data[s.pos] != '"' {
		return nil, false, s.unexpected()
	}
	start := s.pos + 1
	for at := start; ; {
		quote := bytes.IndexByte(s.data[at:], '"')
		if quote < 0 {
			s.pos = len(s.data)
			return nil, false, s.ended()
		}
		raw = s.data[start : at+quote]
		slashes := len(raw) - len(bytes.TrimRight(raw, `\`))
		if slashes%2 == 0 { // the quote itself is not escaped
			s.pos = start + len(raw) + 1
			return raw, bytes.IndexByte(raw, '\\') >= 0, nil
		}
		at += quote + 1
	}
}

// str consumes a string and returns its value. Control characters are refused, as the
// RFC says; bytes that are no UTF-8 and lone surrogates become U+FFFD.
func (s *scanner) str() (string, error) {
	at := s.pos
	raw, escaped, err := s.rawString()
	if err != nil {
		return "", err
	}
	for i, ch := range raw {
		if ch < ' ' {
			return "", syntaxErrorf(at+1+i, "The request body has a control character inside a string, at byte %d.", at+1+i)
		}
	}
	if escaped {
		if raw, err = unescape(raw, at+1); err != nil {
			return "", err
		}
	}
	return string(bytes.ToValidUTF8(raw, []byte("\uFFFD"))), nil
}

// unescape returns raw with its escapes replaced. offset is where raw starts in the body.
func unescape(raw []byte, offset int) ([]byte, error) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			next := bytes.IndexByte(raw[i:], '\\')
			if next < 0 {
				next = len(raw) - i
			}
			out = append(out, raw[i:i+next]...)
			i += next
			continue
		}
		if i+1 >= len(raw) {
			return nil, badEscape(offset + i)
		}
		switch ch := raw[i+1]; ch {
		case '"', '\\', '/':
			out = append(out, ch)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(raw[i+2:])
			if !ok {
				return nil, badEscape(offset + i)
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := escapedUnit(raw[i+2:])
				pair := utf16.DecodeRune(r, low)
				if ok && pair != utf8.RuneError {
					i += 6
				}
				r = pair
			}
			out = utf8.AppendRune(out, r)
		default:
			return nil, badEscape(offset + i)
		}
		i += 2
	}
	return out, nil
}

// escapedUnit reads the \uXXXX that b starts with.
func escapedUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	return hex4(b[2:])
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var u [2]byte
	if _, err := hex.Decode(u[:], b[:4]); err != nil {
		return 0, false
	}
	return rune(binary.BigEndian.Uint16(u[:])), true
}

func badEscape(at int) error {
	return syntaxErrorf(at, "The request body has a bad escape inside a string, at byte %d.", at)
}

func (s *scanner) ended() error {
	return syntaxErrorf(s.pos, "The request body ends inside a JSON value.")
}

func (s *scanner) unexpected() error {
	return syntaxErrorf(s.pos, "The request body is not valid JSON: unexpected character at byte %d.", s.pos)
}
