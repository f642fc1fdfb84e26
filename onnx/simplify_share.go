package onnx

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// shareConstants makes one constant of those with the same type, shape and elements.
//
// Exact bit for bit. Saves their place in the file and in memory.
func shareConstants(e *editor) bool {
	alike := map[string][]*Value{} // by type, shape and first elements
	for v := range e.users {
		if _, isText := rawOf(v).([]string); v.Data != nil && !e.kept[v] && !isText {
			head := reflect.ValueOf(v.Data.Raw())
			key := fmt.Sprint(v.Data.DType, v.Data.Shape, head.Slice(0, min(head.Len(), 8)))
			alike[key] = append(alike[key], v)
		}
	}
	changed := false
	for _, group := range alike {
		if len(group) < 2 {
			continue
		}
		slices.SortFunc(group, func(a, b *Value) int { return strings.Compare(a.Name, b.Name) })
		first := map[[sha256.Size]byte]*Value{}
		for _, v := range group {
			h := contentHash(v)
			same, seen := first[h]
			if !seen {
				first[h] = v
				continue
			}
			e.redirect(v, same)
			changed = true
		}
	}
	return changed
}

func rawOf(v *Value) any {
	if v.Data == nil {
		return nil
	}
	return v.Data.Raw()
}

// contentHash hashes the elements of a constant of numbers.
func contentHash(v *Value) (sum [sha256.Size]byte) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, v.Data.Raw()); err != nil {
		panic(err) // no number that binary does not know, and a hash takes everything
	}
	h.Sum(sum[:0])
	return sum
}
