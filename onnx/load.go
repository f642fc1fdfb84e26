package onnx

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// maxFile is the size at which protobuf, and so an ONNX file, ends: 2 GiB − 1.
// Larger models keep their tensors in files beside it (external data).
const maxFile = math.MaxInt32

// Load reads a model file, and the data files beside it that it names, upgraded to
// Opset. See Parse.
func Load(path string) (*Graph, error) {
	data, err := readModel(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	g, err := Parse(data, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return g, nil
}

func readModel(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case st.Size() > maxFile:
		return nil, fmt.Errorf("%d bytes are more than a model file can have (%d)", st.Size(), maxFile)
	}
	data := make([]byte, st.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}
