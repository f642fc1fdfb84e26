package rekognition

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// constraint is one rule of a shape: what holds it, and how AWS words it.
type constraint struct {
	text  string
	holds func(reflect.Value) bool
}

// constraints returns the shape's rules, in the order AWS reports them.
func (s *shape) constraints() []constraint {
	var out []constraint
	if s.enum != nil {
		out = append(out, constraint{
			"Member must satisfy enum value set: [" + strings.Join(s.enum, ", ") + "]",
			func(x reflect.Value) bool { return slices.Contains(s.enum, deref(x).String()) },
		})
	}
	noun := "length"
	if s.kind == integerShape || s.kind == longShape || s.kind == floatShape {
		noun = "value"
	}
	if s.max != none {
		out = append(out, constraint{
			fmt.Sprintf("Member must have %s less than or equal to %d", noun, s.max),
			func(x reflect.Value) bool { return measure(s.kind, deref(x)) <= float64(s.max) },
		})
	}
	if s.min != none {
		out = append(out, constraint{
			fmt.Sprintf("Member must have %s greater than or equal to %d", noun, s.min),
			func(x reflect.Value) bool { return measure(s.kind, deref(x)) >= float64(s.min) },
		})
	}
	if s.pattern != "" {
		re := regexp.MustCompile(s.re)
		out = append(out, constraint{
			"Member must satisfy regular expression pattern: " + s.pattern,
			func(x reflect.Value) bool {
				text := deref(x).String()
				if s.forbidden != "" && strings.HasPrefix(text, s.forbidden) {
					return false
				}
				return re.MatchString(text)
			},
		})
	}
	return out
}

func deref(x reflect.Value) reflect.Value {
	for x.Kind() == reflect.Pointer {
		x = x.Elem()
	}
	return x
}

// measure returns what a shape's limits bound: the value of a number, the characters
// of a string, the members or bytes of anything else.
func measure(kind shapeKind, x reflect.Value) float64 {
	switch kind {
	case integerShape, longShape:
		return float64(x.Int())
	case floatShape:
		return x.Float()
	case stringShape:
		return float64(utf8.RuneCountInString(x.String()))
	default:
		return float64(x.Len())
	}
}
