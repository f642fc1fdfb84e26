package imageio

import (
	"errors"
	"io"
	"os"
	"slices"
)

// probeBytes is what ProbeFile reads of a file at first; the headers of all formats fit,
// unless a camera put a large preview or profile before the size.
const probeBytes = 256 << 10

// ProbeFile is Probe of a file, of which it reads no more than it needs, and at most
// DefaultLimits' length.
func ProbeFile(path string) (Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return Header{}, err
	}
	defer f.Close()
	at, err := f.Stat()
	if err != nil {
		return Header{}, err
	}
	head := make([]byte, min(at.Size()+1, probeBytes)) // the one more finds the end
	n, err := io.ReadFull(f, head)
	if err == nil {
		if h, err := Probe(head); err == nil {
			return h, nil
		}
	} else if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Header{}, err
	}
	limit := DefaultLimits().Bytes
	rest, err := io.ReadAll(io.LimitReader(f, int64(limit)+1-int64(n)))
	if err != nil {
		return Header{}, err
	}
	data := slices.Concat(head[:n], rest)
	if len(data) > limit {
		return Header{}, tooLarge("The image has more than %d bytes.", limit)
	}
	return Probe(data)
}
