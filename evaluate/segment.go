package evaluate

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/imageio"
	"trilobite/metric"
	"trilobite/segment"
	"trilobite/zoo"
)

// Pixels are a segmentation's figures over all pixels of a set, 0 to 1, at the size of
// its masks.
type Pixels struct {
	MIoU     float64      `json:"miou"` // over the classes that are in the truth or were answered
	Accuracy float64      `json:"pixel_accuracy"`
	Classes  []PixelClass `json:"classes"`
}

// PixelClass is how a segmentation does on one class. Of one that is neither in the truth
// nor among the answers, all is 0.
type PixelClass struct {
	Name      string  `json:"name"`
	Pixels    int64   `json:"pixels"` // in the truth
	IoU       float64 `json:"iou"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
}

// Segmented is a segmentation of a set in counts.
type Segmented struct {
	// Confusion has the set's classes and a last one, for answers that it does not have.
	Confusion *metric.Confusion
	MIoU      []float64 // of each image by itself; -1 where it was skipped
}

// Segment lets s answer every image of the set and counts pixels at the masks' own size.
// Each class of the model counts as that of the set with its name, or with byIndex its
// number. An image or mask that cannot be read ends it with an error that names the file.
func Segment(ctx context.Context, s *segment.Segmenter, labels zoo.Labels, set *dataset.Set, o Options) (*Segmented, []string, error) {
	matched, unmatched := match(labels, set.Classes, o.ByIndex)
	if err := related(matched, set.Classes, labels); err != nil {
		return nil, nil, err
	}
	var to [256]uint8 // the set's class of each of the model's
	for c := range to {
		to[c] = uint8(len(set.Classes))
		if k, ok := matched[c]; ok {
			to[c] = uint8(k)
		}
	}
	all := &Segmented{metric.NewConfusion(len(set.Classes) + 1), make([]float64, len(set.Images))}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Parallel))
	for i := range set.Images {
		g.Go(func() error {
			one, err := compare(ctx, s, set, &set.Images[i], to)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && (o.Skip == nil || ctx.Err() != nil) {
				return fmt.Errorf("%s: %w", set.Images[i].File, err)
			} else if err != nil {
				all.MIoU[i] = -1
				o.Skip(i, err)
				return nil
			}
			all.Confusion.Merge(one)
			all.MIoU[i] = meanIoU(one)
			if o.Step != nil {
				o.Step()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	return all, unmatched, nil
}

// compare counts the pixels of one image.
func compare(ctx context.Context, s *segment.Segmenter, set *dataset.Set, img *dataset.Image, to [256]uint8) (*metric.Confusion, error) {
	truth, err := Truth(set, img)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(img.File)
	if err != nil {
		return nil, err
	}
	pixels, err := imageio.Decode(ctx, data, s.Loading())
	if err != nil {
		return nil, err
	}
	if pixels.FullW != truth.W || pixels.FullH != truth.H {
		return nil, fmt.Errorf("the mask has %d×%d pixels, its picture %d×%d", truth.W, truth.H, pixels.FullW, pixels.FullH)
	}
	got, err := s.Segment(ctx, pixels)
	if err != nil {
		return nil, err
	}
	for i, c := range got.Class {
		got.Class[i] = to[c]
	}
	one := metric.NewConfusion(len(set.Classes) + 1)
	return one, one.AddMasks(truth.Pix, got.Class, set.Ignore)
}

// Truth returns the mask of an image, drawn from its outlines where it has none.
func Truth(set *dataset.Set, img *dataset.Image) (*masks.Mask, error) {
	if img.Mask == "" {
		return masks.Draw(img)
	}
	return masks.Load(set, img)
}

// meanIoU is the mean over the classes that are there, but for the last one, "other".
func meanIoU(c *metric.Confusion) float64 {
	sum, n := 0.0, 0
	for class := range c.Classes() - 1 {
		if c.Present(class) {
			sum, n = sum+c.IoU(class), n+1
		}
	}
	return sum / float64(max(n, 1))
}

// Result returns the figures of a model called ref.
func (s *Segmented) Result(ref string, set *dataset.Set, unmatched []string) *Result {
	p := &Pixels{MIoU: meanIoU(s.Confusion), Accuracy: s.Confusion.Accuracy()}
	r := &Result{Model: ref, Images: len(set.Images), Unmatched: unmatched, Pixels: p, Confusion: &Confusion{Names: set.Classes}}
	for class, name := range set.Classes {
		p.Classes = append(p.Classes, PixelClass{
			Name: name, Pixels: s.Confusion.Truth(class), IoU: s.Confusion.IoU(class),
			Precision: s.Confusion.Precision(class), Recall: s.Confusion.Recall(class),
		})
		row := make([]int64, len(set.Classes)+1)
		for k := range row {
			row[k] = s.Confusion.Count(class, k)
		}
		r.Confusion.Counts = append(r.Confusion.Counts, row)
	}
	return r
}
