package tensor

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"trilobite/atomicfile"
)

// Limits of an archive from outside: entries, and bytes of all of them unpacked.
const (
	maxNPZEntries = 1 << 16
	maxNPZBytes   = 4 << 30
)

// ReadNPZ returns the arrays of an .npz file by name, as numpy.savez and
// numpy.savez_compressed write it.
func ReadNPZ(path string) (map[string]*Tensor, error) {
	return readFile(path, func(r io.ReaderAt, size int64) (map[string]*Tensor, error) {
		return readNPZ(r, size, maxNPZBytes)
	})
}

// ParseNPZ is ReadNPZ for an archive in memory; unpacked it may take limit bytes.
func ParseNPZ(data []byte, limit int64) (map[string]*Tensor, error) {
	return readNPZ(bytes.NewReader(data), int64(len(data)), limit)
}

func readNPZ(r io.ReaderAt, size, limit int64) (map[string]*Tensor, error) {
	zr, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	if len(zr.File) > maxNPZEntries {
		return nil, fmt.Errorf("%d entries, at most %d", len(zr.File), maxNPZEntries)
	}
	out := make(map[string]*Tensor, len(zr.File))
	for _, f := range zr.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("entry %q is no .npy file", f.Name)
		}
		if out[name] != nil {
			return nil, fmt.Errorf("entry %q comes twice", f.Name)
		}
		data, err := unzip(f, limit)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", f.Name, err)
		}
		limit -= int64(len(data))
		if out[name], err = ParseNPY(data); err != nil {
			return nil, fmt.Errorf("entry %q: %w", f.Name, err)
		}
	}
	return out, nil
}

// unzip returns the bytes of an entry, at most limit whatever its header says.
func unzip(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(max(limit, 0)) {
		return nil, fmt.Errorf("unpacks to %d bytes, at most %d are left", f.UncompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// The reader ends at UncompressedSize64 and checks the CRC there.
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("unpacks beyond the limit")
	}
	return data, err
}

// WriteNPZ writes the arrays to path as numpy.savez does, uncompressed, in the order
// of their names.
func WriteNPZ(path string, arrays map[string]*Tensor) error {
	return atomicfile.Write(path, atomicfile.Perm, func(out io.Writer) error {
		zw := zip.NewWriter(out)
		for _, name := range slices.Sorted(maps.Keys(arrays)) {
			data, err := AppendNPY(nil, arrays[name])
			if err != nil {
				return fmt.Errorf("array %q: %w", name, err)
			}
			w, err := zw.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
			if err != nil {
				return err
			}
			if _, err := w.Write(data); err != nil {
				return err
			}
		}
		return zw.Close()
	})
}
