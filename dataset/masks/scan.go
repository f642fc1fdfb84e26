package masks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"trilobite/dataset"
)

// Scan decodes every mask of s, parallel at a time, drops the pictures whose mask cannot
// be used, and returns the number of pixels of each class. step is called after each; it
// may be nil.
func Scan(ctx context.Context, s *dataset.Set, parallel int, step func()) (pixels []int64, err error) {
	counts := make([]atomic.Int64, 256)
	bad := make([]error, len(s.Images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, parallel))
	for i := range s.Images {
		g.Go(func() error {
			if s.Images[i].Mask != "" && ctx.Err() == nil {
				bad[i] = count(s, &s.Images[i], counts)
			}
			if step != nil {
				step()
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	kept := s.Images[:0:0]
	for i, img := range s.Images {
		if bad[i] != nil {
			s.Dropf(img.Mask, 0, "%v", bad[i])
			continue
		}
		kept = append(kept, img)
	}
	s.Images = kept
	pixels = make([]int64, len(s.Classes))
	for c := range pixels {
		pixels[c] = counts[c].Load()
	}
	return pixels, nil
}

func count(s *dataset.Set, img *dataset.Image, counts []atomic.Int64) error {
	m, err := load(s, img)
	if err != nil {
		return err
	}
	var here [256]int64
	for _, v := range m.Pix {
		here[v]++
	}
	for v, n := range here {
		if n > 0 {
			counts[v].Add(n)
		}
	}
	return nil
}

// guess finds out from the masks themselves what values they have.
func guess(s *dataset.Set) error {
	var seen [256]bool
	for _, img := range s.Images {
		data, err := os.ReadFile(img.Mask)
		if err != nil {
			return err
		}
		n, c, err := pixels(data)
		switch {
		case err != nil: // Scan drops it
			continue
		case n == nil:
			if n, err = fromColors(c, &dataset.Set{Classes: make([]string, 256), Ignore: dataset.NoIgnore}); err != nil {
				return fmt.Errorf("mask %s has colours, and no file says which class each is: add classes.txt beside the folders, with lines like \"128 64 128 Road\"", img.Mask)
			}
		}
		for _, v := range n.Pix {
			seen[v] = true
		}
	}
	top := 0
	for v := range seen[:IgnoreValue] {
		if seen[v] {
			top = v
		}
	}
	switch white := seen[255]; {
	case top == 0 && !white:
		return errors.New("the masks are of one value throughout: there is nothing to tell apart")
	case top == 0:
		s.Classes, s.Values = foreground(), map[int]int{0: 0, 255: 1}
	case top == 1 && !white:
		s.Classes, s.Values = foreground(), map[int]int{0: 0, 1: 1}
	default:
		for v := range top + 1 {
			s.Classes = append(s.Classes, "class "+strconv.Itoa(v))
		}
		if white {
			s.Ignore = IgnoreValue
		}
	}
	return nil
}

func foreground() []string { return []string{Background, "foreground"} }
