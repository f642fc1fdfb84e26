// Package torch reads PyTorch state dicts, names with tensors, from the files that
// torch.save (zip since 1.6, and the stream before it) and safetensors write, and
// assigns them to the parameters of a network that package nn built.
//
// A checkpoint is a pickle, a program. It is never run: scan.go walks its opcodes
// first, allows only those that a state dict needs and bounds every length; then
// gopickle interprets it with the closed list of classes of unpickle.go, which build
// nothing but dicts and descriptions of tensors. Any other class is an error that
// names it. Start at Read; zip.go and legacy.go are the two containers, rebuild.go
// turns storages and strides into tensors.
//
// It reads no modules (only their weights), no TorchScript and no tar archives of
// PyTorch 0.1.
package torch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"trilobite/tensor"
)

// StateDict is the weights of a network by name.
type StateDict struct {
	Names   []string // in the order of the file
	Tensors map[string]*tensor.Tensor
}

// Read returns the state dict of a .pth, .pt, .bin or .safetensors file; the contents
// tell which it is. A checkpoint that holds the state dict beside other things, under
// "state_dict", "model_state_dict", "model" or "params", is read as that state dict.
func Read(path string) (*StateDict, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	sd, err := read(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return sd, nil
}

// Parse is Read for a file in memory.
func Parse(data []byte) (*StateDict, error) {
	return read(bytes.NewReader(data), int64(len(data)))
}

func read(r io.ReaderAt, size int64) (*StateDict, error) {
	head := make([]byte, 9)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readZip(r, size)
	case len(head) == 9 && head[8] == '{':
		s, err := tensor.ReadSafetensorsFrom(r, size)
		if err != nil {
			return nil, err
		}
		return &StateDict{Names: s.Names, Tensors: s.Tensors}, nil
	case bytes.HasPrefix(head, []byte("\x80")):
		return readLegacy(r, size)
	default:
		return nil, errors.New("neither a PyTorch checkpoint nor safetensors")
	}
}

// wrappers are the keys under which training scripts keep the state dict.
var wrappers = []string{"state_dict", "model_state_dict", "model", "params"}

// newStateDict returns the tensors of an unpickled object. Entries that are no tensors
// (a version, _extra_state) are left out.
func newStateDict(obj any, data *storages) (*StateDict, error) {
	d, ok := entries(obj)
	if !ok {
		return nil, fmt.Errorf("the pickle holds %T, not a dict of tensors", obj)
	}
	isTensor := func(e entry) bool { _, ok := e.value.(*view); return ok }
	if !slices.ContainsFunc(d, isTensor) {
		inner, ok := unwrap(d)
		if !ok {
			var keys []string
			for _, e := range d[:min(len(d), 10)] {
				keys = append(keys, e.key)
			}
			return nil, fmt.Errorf("no tensors under the keys %.200q", strings.Join(keys, ", "))
		}
		d = inner
	}
	sd := &StateDict{Tensors: map[string]*tensor.Tensor{}}
	for _, e := range d {
		v, ok := e.value.(*view)
		if !ok {
			continue
		}
		t, err := data.tensor(v)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.key, err)
		}
		if sd.Tensors[e.key] == nil {
			sd.Names = append(sd.Names, e.key)
		}
		sd.Tensors[e.key] = t
	}
	return sd, nil
}

// unwrap returns the dict under the first wrapper key that d has. It looks at one
// entry only: a dict may hold itself a million times.
func unwrap(d []entry) ([]entry, bool) {
	i := slices.IndexFunc(d, func(e entry) bool { return slices.Contains(wrappers, e.key) })
	if i < 0 {
		return nil, false
	}
	return entries(d[i].value)
}
