package torch

import (
	"archive/zip"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// readZip reads the container of torch.save since 1.6: NAME/data.pkl, the pickle, and
// NAME/data/KEY, one uncompressed record for each storage (torch/serialization.py,
// _save; caffe2/serialize/inline_container.h).
func readZip(r io.ReaderAt, size int64) (*StateDict, error) {
	zr, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	records := make(map[string]*zip.File, len(zr.File))
	root := ""
	for _, f := range zr.File {
		if records[f.Name] != nil {
			return nil, fmt.Errorf("record %.100q comes twice", f.Name)
		}
		records[f.Name] = f
		if dir, base := path.Split(f.Name); base == "data.pkl" && strings.Count(dir, "/") == 1 {
			root = dir
		}
	}
	switch {
	case root == "":
		return nil, errors.New("the archive has no data.pkl")
	case records[root+"constants.pkl"] != nil:
		return nil, errors.New("this is TorchScript, a program; save the module's state_dict()")
	}
	if f := records[root+"byteorder"]; f != nil {
		order, err := stored(f, 16)
		if err != nil {
			return nil, fmt.Errorf("record byteorder: %w", err)
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("byte order %q is not supported", order)
		}
	}
	p, err := records[root+"data.pkl"].Open()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	scanned, err := scan(bufio.NewReader(p))
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	obj, err := unpickle(scanned, map[string]*storage{})
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	left := size // records cannot share bytes, so all of them together are smaller
	return newStateDict(obj, newStorages(size, func(s *storage) ([]byte, error) {
		f := records[root+"data/"+s.key]
		if f == nil {
			return nil, errors.New("no such record")
		}
		data, err := stored(f, left)
		left -= int64(len(data))
		return data, err
	}))
}

// stored returns the bytes of a record that is not compressed.
func stored(f *zip.File, limit int64) ([]byte, error) {
	if f.Method != zip.Store {
		return nil, errors.New("the record is compressed")
	}
	if f.UncompressedSize64 > uint64(max(limit, 0)) {
		return nil, fmt.Errorf("the record claims %d bytes, at most %d are left", f.UncompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	// One more read reaches the end, where the CRC is checked.
	if n, err := r.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the record does not end at %d bytes: %w", len(data), cmp.Or(err, io.ErrShortBuffer))
	}
	return data, nil
}
