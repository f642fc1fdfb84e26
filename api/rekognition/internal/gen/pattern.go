package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"strings"
)

// translate returns a Go regular expression, anchored at both ends, that means what the
// model's Java pattern does, and a prefix that is forbidden besides.
//
//   - \uXXXX is \x{XXXX} in Go.
//   - Go repeats at most 1000 times. A higher count becomes *, which is right only where
//     the shape's own maximum is as tight.
//   - Go has no lookahead. The only one in the model, ^(?!aws:), is a forbidden prefix.
func translate(pattern string, most *json.Number) (re, forbidden string, err error) {
	re = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`).ReplaceAllString(pattern, `\x{$1}`)
	if rest, ok := strings.CutPrefix(re, "^(?!aws:)"); ok {
		re, forbidden = "^"+rest, "aws:"
	}
	if strings.Contains(re, "{0,2048}") {
		if most == nil || most.String() != "2048" {
			return "", "", fmt.Errorf("pattern %s repeats more than 1000 times", pattern)
		}
		re = strings.ReplaceAll(re, "{0,2048}", "*")
	}
	re = `\A(?:` + re + `)\z`
	_, err = regexp.Compile(re)
	return re, forbidden, err
}

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
