package codec

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// maxMembers bounds a list, so that a body of "[{},{},…" cannot take many times its own
// size in memory. The longest list the service takes has 4096 members.
const maxMembers = 10_000

// Decode reads one JSON object into v, a pointer to a struct of the SDK. Its errors
// are *SyntaxError where the body is at fault. v keeps nothing of data.
func (c *Codec) Decode(data []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("decoding into %T: not a pointer to a struct", v)
	}
	s := &scanner{data: data}
	k, err := s.peek()
	if err != nil {
		return err
	}
	if err := c.value(s, k, rv.Elem()); err != nil {
		return err
	}
	s.space()
	if s.pos < len(data) {
		return s.unexpected()
	}
	return nil
}

// value reads the value of kind k that starts here into v.
func (c *Codec) value(s *scanner, k kind, v reflect.Value) error {
	if k == null {
		return s.literal(null)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return c.value(s, k, v.Elem())
	case reflect.String:
		return s.stringInto(k, v)
	case reflect.Bool:
		if k != yes && k != no {
			return s.mismatch(k, "a Boolean")
		}
		v.SetBool(k == yes)
		return s.literal(k)
	case reflect.Int32, reflect.Int64:
		return s.intInto(k, v)
	case reflect.Float32, reflect.Float64:
		return s.floatInto(k, v)
	case reflect.Struct:
		if v.Type() == timeType {
			return s.timeInto(k, v)
		}
		return c.structInto(s, k, v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return s.blobInto(k, v)
		}
		return c.listInto(s, k, v)
	case reflect.Map:
		return c.mapInto(s, k, v)
	default:
		return fmt.Errorf("no wire form for %s", v.Type())
	}
}

func (c *Codec) structInto(s *scanner, k kind, v reflect.Value) error {
	if k != object {
		return s.mismatch(k, "a structure")
	}
	p := c.plan(v.Type())
	return s.each(object, func(key string) error {
		i, known := p.byName[key]
		if !known {
			return s.skip()
		}
		k, err := s.peek()
		if err != nil {
			return err
		}
		f := v.Field(p.fields[i].index)
		f.SetZero() // of two equal keys the last counts, whole
		return c.value(s, k, f)
	})
}

func (c *Codec) listInto(s *scanner, k kind, v reflect.Value) error {
	if k != array {
		return s.mismatch(k, "a list")
	}
	list := reflect.MakeSlice(v.Type(), 0, 0)
	err := s.each(array, func(string) error {
		k, err := s.peek()
		if err != nil {
			return err
		}
		if k == null {
			return s.literal(null)
		}
		if list.Len() == maxMembers {
			return syntaxErrorf(s.pos, "A list in the request body has more than %d members.", maxMembers)
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if err := c.value(s, k, e); err != nil {
			return err
		}
		list = reflect.Append(list, e)
		return nil
	})
	v.Set(list)
	return err
}

func (c *Codec) mapInto(s *scanner, k kind, v reflect.Value) error {
	if k != object {
		return s.mismatch(k, "a map")
	}
	m := reflect.MakeMap(v.Type())
	err := s.each(object, func(key string) error {
		k, err := s.peek()
		if err != nil {
			return err
		}
		if k == null {
			return s.literal(null)
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if err := c.value(s, k, e); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
		return nil
	})
	v.Set(m)
	return err
}

func (s *scanner) stringInto(k kind, v reflect.Value) error {
	if k != text {
		return s.mismatch(k, "a String")
	}
	str, err := s.str()
	v.SetString(str)
	return err
}

func (s *scanner) intInto(k kind, v reflect.Value) error {
	name, bits := "an Integer", 32
	if v.Kind() == reflect.Int64 {
		name, bits = "a Long", 64
	}
	if k != number {
		return s.mismatch(k, name)
	}
	at := s.pos
	num, err := s.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(num, 10, bits)
	if err != nil {
		return syntaxErrorf(at, "NUMBER_VALUE can not be converted to %s", name)
	}
	v.SetInt(n)
	return nil
}

func (s *scanner) floatInto(k kind, v reflect.Value) error {
	if k != number {
		return s.mismatch(k, "a Float")
	}
	at := s.pos
	num, err := s.number()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(num, v.Type().Bits())
	if err != nil {
		return syntaxErrorf(at, "NUMBER_VALUE can not be converted to a Float")
	}
	v.SetFloat(f)
	return nil
}

// timeInto reads seconds since 1970, which may have a fraction.
func (s *scanner) timeInto(k kind, v reflect.Value) error {
	if k != number {
		return s.mismatch(k, "a Timestamp")
	}
	at := s.pos
	num, err := s.number()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(num, 64)
	// The bound is the year 9999, past which RFC 3339 cannot write it.
	if err != nil || math.Abs(f) > 253402300799 {
		return syntaxErrorf(at, "NUMBER_VALUE can not be converted to a Timestamp")
	}
	v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1e3))).UTC()))
	return nil
}

// blobInto reads base64 (RFC 4648, padded), straight from the body unless it has
// escapes: some clients write / as \/.
func (s *scanner) blobInto(k kind, v reflect.Value) error {
	if k != text {
		return s.mismatch(k, "a Blob")
	}
	at := s.pos
	raw, escaped, err := s.rawString()
	if err != nil {
		return err
	}
	if escaped {
		if raw, err = unescape(raw, at+1); err != nil {
			return err
		}
	}
	blob := make([]byte, base64.StdEncoding.DecodedLen(len(raw)))
	n, err := base64.StdEncoding.Decode(blob, raw)
	if err != nil {
		return syntaxErrorf(at, "The blob at byte %d of the request body is not base64.", at)
	}
	v.SetBytes(blob[:n])
	return nil
}

func (s *scanner) mismatch(k kind, want string) error {
	switch k {
	case object:
		return syntaxErrorf(s.pos, "Start of structure or map found where not expected.")
	case array:
		return syntaxErrorf(s.pos, "Start of list found where not expected.")
	default:
		return syntaxErrorf(s.pos, "%s can not be converted to %s", k.name(), want)
	}
}
