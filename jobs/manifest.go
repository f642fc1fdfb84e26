package jobs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"trilobite"
	"trilobite/custom"
	"trilobite/dataset/groundtruth"
)

// manifest streams the lines of a manifest in a bucket.
type manifest struct {
	io.Closer
	r     *bufio.Reader
	left  int64 // bytes until it is too large
	lines int   // read so far
	limit int   // lines
	buf   []byte
}

// maxLineBytes holds the longest line that can be valid, four bytes a character.
const maxLineBytes = 4*groundtruth.MaxLine + 1

// openManifest opens a manifest, or says with a Code why it cannot be. Another error is
// one that may pass; since says when it began to be asked for.
func (w *Worker) openManifest(ctx context.Context, account string, o custom.Object, since time.Time) (*manifest, error) {
	if path.Ext(o.Key) == "" {
		return nil, Inaccessible
	}
	r, size, err := w.Objects.Open(ctx, account, o.Bucket, o.Key, o.Version)
	switch {
	case err == nil:
	case passing(ctx, err, since):
		return nil, fmt.Errorf("opening manifest s3://%s/%s: %w", o.Bucket, o.Key, err)
	case trilobite.CodeOf(err) == trilobite.Forbidden:
		return nil, ManifestPermissions
	default:
		return nil, Inaccessible
	}
	if size > w.Limits.ManifestBytes {
		return nil, errors.Join(ManifestTooLarge, r.Close())
	}
	return &manifest{Closer: r, r: bufio.NewReaderSize(r, 64<<10), left: w.Limits.ManifestBytes, limit: w.Limits.ManifestLines}, nil
}

// next returns the next line, until io.EOF. A line that is too long comes cut off, and
// longer than groundtruth.MaxLine. The slice is the manifest's, until the next call.
func (m *manifest) next() ([]byte, error) {
	m.buf = m.buf[:0]
	for {
		part, err := m.r.ReadSlice('\n')
		if m.left -= int64(len(part)); m.left < 0 {
			return nil, ManifestTooLarge
		}
		if room := maxLineBytes + 1 - len(m.buf); room > 0 {
			m.buf = append(m.buf, part[:min(room, len(part))]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(m.buf) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("reading the manifest: %w", err)
		}
		if m.lines++; m.lines > m.limit {
			return nil, TooManyRows
		}
		return trimEnd(m.buf), nil
	}
}

func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}
