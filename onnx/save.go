package onnx

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"google.golang.org/protobuf/proto"

	"trilobite/atomicfile"
)

// Marshal returns g as the bytes of an ONNX file, the same for the same graph. It
// fails if they would be more than protobuf can hold, 2 GiB; Save writes any graph.
func Marshal(g *Graph) ([]byte, error) {
	if n := constBytes(g); n > maxFile {
		return nil, fmt.Errorf("encoding %q: %d bytes of constants need external data", g.Name, n)
	}
	w, err := newWriter(g, nil)
	if err != nil {
		return nil, err
	}
	return encode(g, w)
}

func encode(g *Graph, w *writer) ([]byte, error) {
	m, err := w.model()
	if err != nil {
		return nil, fmt.Errorf("encoding %q: %w", g.Name, err)
	}
	if n := proto.Size(m); n > maxFile {
		return nil, fmt.Errorf("encoding %q: %d bytes are more than a model file can have (%d)", g.Name, n, maxFile)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// Save writes g to a model file, whole or not at all: a reader, and a crash, sees the
// old file or the new one. A graph of more than 2 GB gets external data, see
// SaveExternal.
func Save(path string, g *Graph) error {
	if constBytes(g) > maxFile-(64<<20) { // room for the nodes
		return SaveExternal(path, g)
	}
	data, err := Marshal(g)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(path, data, atomicfile.Perm); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// SaveExternal writes g as Save does, but its larger constants to a file beside it,
// named after path and the file's content. Files of this kind that an earlier model
// under this path used are removed once the new one is in place.
func SaveExternal(path string, g *Graph) error {
	if err := saveExternal(path, g); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func saveExternal(path string, g *Graph) error {
	data, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer data.Discard()
	sum := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(data.File, sum), 1<<20)
	ext := &external{w: buffered}
	w, err := newWriter(g, ext)
	if err != nil {
		return err
	}
	m, err := w.model() // writes the data as it goes
	if err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s.data", filepath.Base(path), hex.EncodeToString(sum.Sum(nil)[:8]))
	ext.locate(name)
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return err
	}
	if len(raw) > maxFile {
		return fmt.Errorf("%d bytes are more than a model file can have (%d)", len(raw), maxFile)
	}
	if len(ext.entries) > 0 {
		if err := data.Commit(filepath.Join(filepath.Dir(path), name), atomicfile.Perm); err != nil {
			return err
		}
	}
	if err := atomicfile.WriteFile(path, raw, atomicfile.Perm); err != nil {
		return err
	}
	return removeStale(path, name)
}

// removeStale deletes the data files of earlier models under this path.
func removeStale(path, keep string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	ours := regexp.MustCompile("^" + regexp.QuoteMeta(filepath.Base(path)) + "-[0-9a-f]{16}[.]data$")
	for _, e := range entries {
		if ours.MatchString(e.Name()) && e.Name() != keep {
			if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
