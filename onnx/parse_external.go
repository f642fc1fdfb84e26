package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"trilobite/onnx/internal/onnxpb"
	"trilobite/tensor"
)

// dataFiles reads external data: tensors kept as ranges of files in or below the
// model's folder. os.Root keeps paths and symbolic links from leading out of it.
type dataFiles struct {
	dir  string
	root *os.Root
	read map[string]int64 // bytes read of each file
	seen map[dataRange]*tensor.Tensor
}

// dataRange is where a tensor is. Equal ranges are read once and shared.
type dataRange struct {
	file           string
	offset, length int64
	dtype          tensor.DType
}

// tensor reads a tensor of n elements from the file that pb names. A model cannot
// make it read more than its files hold: ranges that overlap are refused.
func (f *dataFiles) tensor(pb *onnxpb.TensorProto, d tensor.DType, shape []int64, n int64) (*tensor.Tensor, error) {
	if d == tensor.String {
		return nil, errors.New("strings cannot be external data")
	}
	want := n * int64(d.Size())
	at, err := locate(pb, d, want)
	if err != nil {
		return nil, err
	}
	if t := f.seen[at]; t != nil {
		return t.Reshape(shape...)
	}
	file, size, err := f.open(at.file)
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	defer file.Close()
	if at.offset > size || at.length > size-at.offset {
		return nil, fmt.Errorf("external data: %s has %d bytes, not %d from %d on", at.file, size, at.length, at.offset)
	}
	if f.read[at.file] += at.length; f.read[at.file] > size {
		return nil, fmt.Errorf("external data: tensors overlap in %s", at.file)
	}
	t := newTensor(d, shape, n)
	if err := readElems(io.NewSectionReader(file, at.offset, at.length), t); err != nil {
		return nil, fmt.Errorf("external data: reading %s: %w", at.file, err)
	}
	f.seen[at] = t
	return t, nil
}

// locate reads the keys location, offset and length of external data of want bytes.
func locate(pb *onnxpb.TensorProto, d tensor.DType, want int64) (dataRange, error) {
	at := dataRange{length: want, dtype: d}
	for _, e := range pb.GetExternalData() {
		var err error
		switch e.GetKey() {
		case "location":
			at.file = e.GetValue()
		case "offset":
			at.offset, err = strconv.ParseInt(e.GetValue(), 10, 64)
		case "length":
			at.length, err = strconv.ParseInt(e.GetValue(), 10, 64)
		}
		if err != nil {
			return at, fmt.Errorf("external data: %s %q is no number", e.GetKey(), clip(e.GetValue()))
		}
	}
	switch {
	case at.file == "" || len(at.file) > maxName || !filepath.IsLocal(filepath.FromSlash(at.file)):
		return at, fmt.Errorf("external data: location %q is not a file below the model's folder", clip(at.file))
	case at.offset < 0:
		return at, fmt.Errorf("external data: offset %d", at.offset)
	case at.length != want:
		return at, fmt.Errorf("external data: %d bytes, but the tensor has %d", at.length, want)
	}
	return at, nil
}

// open opens a regular file below the folder and returns its size.
func (f *dataFiles) open(name string) (*os.File, int64, error) {
	if f.dir == "" {
		return nil, 0, fmt.Errorf("%s cannot be found without the model's folder", name)
	}
	if f.root == nil {
		root, err := os.OpenRoot(f.dir)
		if err != nil {
			return nil, 0, err
		}
		f.root, f.read, f.seen = root, map[string]int64{}, map[dataRange]*tensor.Tensor{}
	}
	name = filepath.FromSlash(name)
	st, err := f.root.Stat(name) // before opening: a named pipe would wait for a writer
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("there is no file %s below the model's folder: weights that were saved beside the model belong to it", name)
	} else if failed, ok := errors.AsType[*fs.PathError](err); ok { // without the name of the system's call
		return nil, 0, fmt.Errorf("%s below the model's folder: %w", name, failed.Err)
	} else if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", name)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return file, st.Size(), nil
}

func (f *dataFiles) close() {
	if f.root != nil {
		_ = f.root.Close()
	}
}

// readElems fills a tensor of fixed-size elements from little-endian bytes.
func readElems(r io.Reader, t *tensor.Tensor) error {
	switch d := t.Raw().(type) {
	case []float32:
		return readChunks(r, d, 4)
	case []float64:
		return readChunks(r, d, 8)
	case []int8:
		return readChunks(r, d, 1)
	case []int16:
		return readChunks(r, d, 2)
	case []int32:
		return readChunks(r, d, 4)
	case []int64:
		return readChunks(r, d, 8)
	case []uint8:
		return readChunks(r, d, 1)
	case []uint16:
		return readChunks(r, d, 2)
	case []uint32:
		return readChunks(r, d, 4)
	case []uint64:
		return readChunks(r, d, 8)
	case []bool:
		return readChunks(r, d, 1)
	default:
		return fmt.Errorf("elements of %s have no fixed size", t.DType)
	}
}

// chunk is the bytes read or written at a time: tensors can be gigabytes.
const chunk = 1 << 16

func readChunks[T tensor.Elem](r io.Reader, dst []T, size int) error {
	buf := make([]byte, min(chunk, len(dst)*size))
	for len(dst) > 0 {
		n := min(len(dst), len(buf)/size)
		if _, err := io.ReadFull(r, buf[:n*size]); err != nil {
			return err
		}
		if _, err := binary.Decode(buf[:n*size], binary.LittleEndian, dst[:n]); err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}
