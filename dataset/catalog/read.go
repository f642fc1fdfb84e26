package catalog

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"trilobite/dataset"
	"trilobite/dataset/open"
)

// maxLine bounds a picture's line: outlines are long.
const maxLine = 256 << 20

// Open returns the set called "name" or "name@version", with the paths of its files on
// this machine. It fails with trilobite.NotFound.
func (c *Catalog) Open(ctx context.Context, ref string) (*open.Found, *Header, error) {
	h, err := c.Get(ref)
	if err != nil {
		return nil, nil, err
	}
	s := &dataset.Set{Classes: h.Classes, Ignore: h.Ignore}
	if err := h.tables(s); err != nil {
		return nil, nil, fmt.Errorf("data set %s: %w", h.Ref(), err)
	}
	byName := map[string]int{}
	for n := range h.Classes {
		byName[className(h.Classes, n)] = n
	}
	var all []record
	err = c.records(h, func(r *record) error {
		all = append(all, *r)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	s.Images = make([]dataset.Image, len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range all {
		g.Go(func() error {
			r := &all[i]
			file, err := c.blobs.File(ctx, r.Sum)
			mask := ""
			if err == nil && r.Mask != "" {
				mask, err = c.blobs.File(ctx, r.Mask)
			}
			if err == nil {
				s.Images[i], err = r.image(byName, file, mask)
			}
			if err != nil {
				return fmt.Errorf("data set %s, %s: %w", h.Ref(), r.Name, err)
			}
			return nil
		})
	}
	return &open.Found{Set: s, Format: h.Format, Ref: h.Ref(), ByIndex: h.ByIndex}, h, g.Wait()
}

// tables reads what masks' pixels mean.
func (h *Header) tables(s *dataset.Set) error {
	if h.Colors != nil {
		s.Colors = map[[3]uint8]int{}
	}
	for text, class := range h.Colors {
		rgb, err := hex.DecodeString(strings.TrimPrefix(text, "#"))
		if err != nil || len(rgb) != 3 {
			return fmt.Errorf("%q is no colour", text)
		}
		s.Colors[[3]uint8(rgb)] = class
	}
	if h.Values != nil {
		s.Values = map[int]int{}
	}
	for text, class := range h.Values {
		v, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		s.Values[v] = class
	}
	return nil
}

// records calls f for each line of a version.
func (c *Catalog) records(h *Header, f func(*record) error) error {
	path := c.lines(h)
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if !r.Sum.Valid() || r.Mask != "" && !r.Mask.Valid() {
			return fmt.Errorf("%s:%d: no sum of a file", path, n)
		}
		if err := f(&r); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", path, n+1, err)
	}
	if n != h.Images {
		return errors.New(path + " is not whole: remove the version and import it again")
	}
	return nil
}
