package tensor

import (
	"fmt"
	"io"
	"os"
)

// readFile opens path for read, whose errors it puts under the file's name.
func readFile[T any](path string, read func(r io.ReaderAt, size int64) (T, error)) (T, error) {
	var none T
	f, err := os.Open(path)
	if err != nil {
		return none, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return none, err
	}
	out, err := read(f, st.Size())
	if err != nil {
		return none, fmt.Errorf("reading %s: %w", path, err)
	}
	return out, nil
}
