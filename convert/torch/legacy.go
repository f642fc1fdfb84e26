package torch

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/nlpodyssey/gopickle/types"
)

// The stream before torch 1.6 (torch/serialization.py, MAGIC_NUMBER, PROTOCOL_VERSION).
const (
	legacyMagic    = "1950a86a20f9469cfc6c"
	legacyProtocol = 1001
)

// readLegacy reads the stream of torch.save before 1.6: five pickles (magic number,
// protocol, system, object, storage keys), then for each key its number of elements as
// int64 and its bytes (torch/serialization.py, _legacy_save).
func readLegacy(r io.ReaderAt, size int64) (*StateDict, error) {
	br := bufio.NewReader(io.NewSectionReader(r, 0, size))
	var objs [5]any
	storages := map[string]*storage{}
	at := int64(0)
	for i, name := range []string{"magic number", "protocol", "system", "object", "storage keys"} {
		scanned, err := scan(br)
		if err == nil {
			objs[i], err = unpickle(scanned, storages)
		}
		if err == nil && i == 0 {
			if n, ok := objs[0].(*big.Int); !ok || n.Text(16) != legacyMagic {
				err = errors.New("this is no PyTorch file")
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		at += int64(len(scanned))
	}
	if objs[1] != legacyProtocol {
		return nil, fmt.Errorf("protocol %v is not %d", objs[1], legacyProtocol)
	}
	if sys, ok := entries(objs[2]); ok {
		for _, e := range sys {
			if e.key == "little_endian" && e.value != true {
				return nil, errors.New("big-endian files are not supported")
			}
		}
	}
	found, err := inOrder(storages, objs[4])
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	for _, s := range found {
		var head [8]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return nil, fmt.Errorf("storage %.50q: %w", s.key, err)
		}
		at += int64(len(head))
		n := binary.LittleEndian.Uint64(head[:])
		if n != uint64(s.n) || s.n > (size-at)/int64(s.dtype.Size()) {
			return nil, fmt.Errorf("storage %.50q of %d elements, %d in the file, %d bytes left", s.key, s.n, n, size-at)
		}
		b := make([]byte, s.n*int64(s.dtype.Size()))
		if _, err := r.ReadAt(b, at); err != nil && len(b) > 0 {
			return nil, fmt.Errorf("storage %.50q: %w", s.key, err)
		}
		at += int64(len(b))
		data[s.key] = b
	}
	return newStateDict(objs[3], newStorages(size, func(s *storage) ([]byte, error) {
		b, ok := data[s.key]
		if !ok {
			return nil, errors.New("not in the file")
		}
		return b, nil
	}))
}

// inOrder returns the storages that the object named in the order of keys.
func inOrder(byKey map[string]*storage, keys any) ([]*storage, error) {
	list, ok := keys.(*types.List)
	if !ok {
		return nil, fmt.Errorf("storage keys are %T", keys)
	}
	seen := map[string]bool{}
	var out []*storage
	for _, k := range *list {
		key, _ := k.(string)
		if byKey[key] == nil || seen[key] {
			return nil, fmt.Errorf("storage %.50q belongs to no tensor, or comes twice", key)
		}
		seen[key] = true
		out = append(out, byKey[key])
	}
	return out, nil
}
