package compare

import (
	"bytes"
	"fmt"
	"image"
	"image/png"

	"trilobite/dataset"
	"trilobite/evaluate"
	"trilobite/metric"
)

// pixelRows counts each image's pixels by true and said class; the last class is for what
// the set does not have.
func pixelRows(set *dataset.Set, records []*record, vocabulary []Label, m *sorted) ([]*metric.Confusion, error) {
	n := len(set.Classes)
	var to [256]uint8
	for c := range to {
		to[c] = uint8(n)
		if c < len(vocabulary) {
			if k := m.class(vocabulary[c], 0); k >= 0 {
				to[c] = uint8(k)
			}
		}
	}
	rows := make([]*metric.Confusion, len(set.Images))
	for i := range set.Images {
		img := &set.Images[i]
		truth, err := evaluate.Truth(set, img)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", img.File, err)
		}
		rows[i] = metric.NewConfusion(n + 1)
		said := bytes.Repeat([]byte{uint8(n)}, len(truth.Pix)) // of no answer nothing is right
		if r := records[i]; len(r.Answer.Mask) > 0 {
			if said, err = readMask(r.Answer.Mask, truth.W, truth.H); err != nil {
				return nil, fmt.Errorf("%s: %w", img.File, err)
			}
			for at, c := range said {
				said[at] = to[c]
			}
		}
		if err := rows[i].AddMasks(truth.Pix, said, set.Ignore); err != nil {
			return nil, fmt.Errorf("%s: %w", img.File, err)
		}
	}
	return rows, nil
}

// readMask returns the palette's indices of a PNG of w by h pixels.
func readMask(data []byte, w, h int) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	p, ok := img.(*image.Paletted)
	if !ok || p.Stride != w || len(p.Pix) != w*h {
		return nil, fmt.Errorf("the route's mask has %d×%d pixels, the true one %d×%d", img.Bounds().Dx(), img.Bounds().Dy(), w, h)
	}
	return p.Pix, nil
}

// pixels judges segmentations. known, where it is not nil, keeps the classes that the
// route has a word for.
func pixels(rows []*metric.Confusion, known []bool) judge {
	return sheet[*metric.Confusion]{
		title: []string{"mIoU", "pixel accuracy", "precision", "recall", "F1"}, rows: rows,
		reckon: func(rows []*metric.Confusion) []float64 {
			c := summed(rows)
			var out [5]float64
			var n, right, all float64
			for k := range c.Classes() - 1 {
				if known != nil && !known[k] {
					continue
				}
				right, all = right+float64(c.Count(k, k)), all+float64(c.Truth(k))
				if c.Present(k) {
					n++
					out[0] += c.IoU(k)
					out[2] += c.Precision(k)
					out[3] += c.Recall(k)
					out[4] += c.F1(k)
				}
			}
			for _, i := range []int{0, 2, 3, 4} {
				out[i] = share(out[i], n)
			}
			out[1] = share(right, all)
			return out[:]
		},
	}
}

func summed(rows []*metric.Confusion) *metric.Confusion {
	c := metric.NewConfusion(rows[0].Classes())
	for _, r := range rows {
		c.Merge(r)
	}
	return c
}

// pixelFigures are the single classes' figures.
func pixelFigures(names []string, rows []*metric.Confusion, known []bool) []Class {
	c := summed(rows)
	out := make([]Class, len(names))
	for k, name := range names {
		out[k] = Class{Name: name, Samples: c.Truth(k), Precision: Number(c.Precision(k)), Recall: Number(c.Recall(k)), Main: Number(c.IoU(k)), Known: known[k]}
	}
	return out
}
