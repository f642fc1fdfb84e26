package dataset

import (
	"fmt"
	"io"
)

// Limit returns a reader of r that fails, rather than ends, where r holds more than n
// bytes; name is what the error calls it.
func Limit(r io.Reader, n int64, name string) io.Reader { return &limited{r, n, n, name} }

type limited struct {
	r         io.Reader
	left, all int64
	name      string
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("%s has more than %d bytes", l.name, l.all)
	}
	return n, err
}
