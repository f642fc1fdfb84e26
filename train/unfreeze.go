package train

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"trilobite"
)

// block finds the number of a block in a parameter's name: _blocks.3.…, features.3.…,
// layer2.0.… of the networks of package nn, alone or as a backbone.
var block = regexp.MustCompile(`^(?:backbone\.)?(_blocks\.\d+|features\.\d+|layer\d+\.\d+)\.`)

// Unfrozen reads which parameters a person wants trained: of the last N blocks, with all
// that follows them, or those that a regular expression matches. names are the
// parameters in the order of their use.
func Unfrozen(names []string, text string) (func(name string) bool, error) {
	invalid := func(format string, args ...any) error {
		return &trilobite.Error{Op: "train.Unfrozen", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, invalid("What to unfreeze, %q, is neither a number of blocks nor a regular expression: %v.", text, err)
		}
		if slices.ContainsFunc(names, re.MatchString) {
			return re.MatchString, nil
		}
		return nil, invalid("No parameter matches %q; they are called %s to %s.", text, names[0], names[len(names)-1])
	}
	var blocks []string
	for _, name := range names {
		if m := block.FindStringSubmatch(name); m != nil && (len(blocks) == 0 || blocks[len(blocks)-1] != m[1]) {
			blocks = append(blocks, m[1])
		}
	}
	if len(blocks) == 0 && len(names) > 0 {
		return nil, invalid("The network's parameters tell of no blocks to count; name a pattern, such as . for all. They are called %s to %s.", names[0], names[len(names)-1])
	}
	if n < 1 || n > len(blocks) {
		return nil, invalid("%d blocks cannot be unfrozen: the network has %d.", n, len(blocks))
	}
	first, on, from := blocks[len(blocks)-n], false, map[string]bool{}
	for _, name := range names {
		if m := block.FindStringSubmatch(name); m != nil && m[1] == first {
			on = true
		}
		from[name] = on
	}
	return func(name string) bool { return from[name] }, nil
}
