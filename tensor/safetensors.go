package tensor

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"trilobite/atomicfile"
)

// maxSafetensorsHeader is the format's own limit (safetensors, tensor.rs, MAX_HEADER_SIZE).
const maxSafetensorsHeader = 100_000_000

// safetensorsTypes are the element types as the format spells them; the 8-bit and
// smaller floats have no DType.
var safetensorsTypes = map[string]DType{
	"F64": Float64, "F32": Float32, "F16": Float16, "BF16": BFloat16, "BOOL": Bool,
	"I64": Int64, "I32": Int32, "I16": Int16, "I8": Int8,
	"U64": Uint64, "U32": Uint32, "U16": Uint16, "U8": Uint8,
}

// Safetensors are the contents of a .safetensors file.
type Safetensors struct {
	Names   []string // in the order of the header
	Tensors map[string]*Tensor
	Meta    map[string]string // __metadata__
}

// ReadSafetensors reads a .safetensors file as github.com/huggingface/safetensors
// defines it: tensors must fill the data section without gap or overlap.
func ReadSafetensors(path string) (*Safetensors, error) {
	return readFile(path, ReadSafetensorsFrom)
}

// ParseSafetensors is ReadSafetensors for a file in memory.
func ParseSafetensors(data []byte) (*Safetensors, error) {
	return ReadSafetensorsFrom(bytes.NewReader(data), int64(len(data)))
}

type safetensorsEntry struct {
	DType   string    `json:"dtype"`
	Shape   []int64   `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"` // begin and end, from the end of the header
}

// ReadSafetensorsFrom is ReadSafetensors for size bytes of r.
func ReadSafetensorsFrom(r io.ReaderAt, size int64) (*Safetensors, error) {
	var b [8]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, errors.New("too short for a safetensors header")
	}
	n := binary.LittleEndian.Uint64(b[:])
	if n > maxSafetensorsHeader || n > uint64(size-8) {
		return nil, fmt.Errorf("header of %d bytes in a file of %d", n, size)
	}
	s := &Safetensors{Tensors: map[string]*Tensor{}}
	entries, err := s.header(json.NewDecoder(io.NewSectionReader(r, 8, int64(n))))
	if err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	start, length := 8+int64(n), uint64(size)-8-n
	if err := checkOffsets(s.Names, entries, length); err != nil {
		return nil, err
	}
	for i, e := range entries {
		d, ok := safetensorsTypes[e.DType]
		if !ok {
			return nil, fmt.Errorf("tensor %q: element type %q is not supported", s.Names[i], e.DType)
		}
		if e.Shape == nil {
			e.Shape = []int64{}
		}
		data := make([]byte, e.Offsets[1]-e.Offsets[0])
		if _, err := r.ReadAt(data, start+int64(e.Offsets[0])); err != nil && len(data) > 0 {
			return nil, fmt.Errorf("tensor %q: %w", s.Names[i], err)
		}
		if s.Tensors[s.Names[i]], err = FromBytes(d, e.Shape, data); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", s.Names[i], err)
		}
	}
	return s, nil
}

// header reads the JSON object by tokens, for its order and to see a name twice.
func (s *Safetensors) header(dec *json.Decoder) ([]safetensorsEntry, error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var entries []safetensorsEntry
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("%q comes twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			err = dec.Decode(&s.Meta)
		} else {
			var e safetensorsEntry
			err = dec.Decode(&e)
			if len(e.Shape) > maxRank {
				err = fmt.Errorf("%d dimensions, at most %d", len(e.Shape), maxRank)
			}
			entries, s.Names = append(entries, e), append(s.Names, name)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	return entries, nil
}

// checkOffsets makes sure that the entries tile the data section, so that a file
// cannot hide bytes or make a tensor of another's.
func checkOffsets(names []string, entries []safetensorsEntry, length uint64) error {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(entries[a].Offsets[0], entries[b].Offsets[0]),
			cmp.Compare(entries[a].Offsets[1], entries[b].Offsets[1]))
	})
	end := uint64(0)
	for _, i := range order {
		o := entries[i].Offsets
		if o[0] != end || o[1] < o[0] || o[1] > length {
			return fmt.Errorf("tensor %q at bytes %d to %d, want it to start at %d of %d", names[i], o[0], o[1], end, length)
		}
		end = o[1]
	}
	if end != length {
		return fmt.Errorf("%d bytes belong to no tensor", length-end)
	}
	return nil
}

// WriteSafetensors writes tensors and meta, which may be nil, to path through a
// temporary file beside it; see WriteSafetensorsTo.
func WriteSafetensors(path string, tensors map[string]*Tensor, meta map[string]string) error {
	return atomicfile.Write(path, atomicfile.Perm, func(w io.Writer) error { return WriteSafetensorsTo(w, tensors, meta) })
}

// WriteSafetensorsTo writes a .safetensors file to w. Larger element types come first
// and names are sorted, as the reference library does, so that every tensor is aligned.
// String is an error.
func WriteSafetensorsTo(w io.Writer, tensors map[string]*Tensor, meta map[string]string) error {
	spelled := make(map[DType]string, len(safetensorsTypes))
	for s, d := range safetensorsTypes {
		spelled[d] = s
	}
	names := slices.SortedFunc(maps.Keys(tensors), func(a, b string) int {
		return cmp.Or(cmp.Compare(tensors[b].DType.Size(), tensors[a].DType.Size()), cmp.Compare(a, b))
	})
	head, err := json.Marshal(map[string]any{"__metadata__": meta})
	if err != nil {
		return err
	}
	if head = head[:len(head)-1]; len(meta) == 0 {
		head = []byte("{")
	}
	end := uint64(0)
	for _, name := range names {
		t := tensors[name]
		d, ok := spelled[t.DType]
		if !ok || name == "__metadata__" {
			return fmt.Errorf("safetensors cannot hold %q of %v", name, t.DType)
		}
		e := safetensorsEntry{DType: d, Shape: append([]int64{}, t.Shape...), Offsets: [2]uint64{end, end + uint64(t.Len())*uint64(t.DType.Size())}}
		end = e.Offsets[1]
		key, _ := json.Marshal(name)
		val, _ := json.Marshal(e)
		if len(head) > 1 {
			head = append(head, ',')
		}
		head = append(append(append(head, key...), ':'), val...)
	}
	head = append(head, '}')
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	if _, err := w.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)); err != nil {
		return err
	}
	for _, name := range names {
		data, err := tensors[name].Bytes()
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}
