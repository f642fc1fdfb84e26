package learn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"trilobite/onnx"
)

// The automatic limit of a search: so many times the first candidate's time, at least
// searchLeast.
const (
	searchTimes = 4
	searchLeast = 15 * time.Second
)

// limit is when no other candidate is begun.
func (s *search) limit() time.Time {
	first := time.Since(s.began)
	long := max(searchTimes*first, searchLeast)
	if s.Search > 0 {
		long = s.Search
	}
	if s.Budget > 0 {
		long = min(long, s.Budget/2)
	}
	return s.began.Add(max(long, first))
}

// left is what remains of the budget; 0: there is none.
func (s *search) left() time.Duration {
	if s.Budget <= 0 {
		return 0
	}
	return max(s.Budget-time.Since(s.began), time.Second)
}

// took is how long a candidate's parts took.
type took struct{ reading, learning time.Duration }

// late is the error of a candidate that would not be done in time.
type late struct{ need, left time.Duration }

func (l late) Error() string {
	return fmt.Sprintf("it would take about %s, and %s were left", l.need.Round(time.Second), max(l.left, 0).Round(time.Second))
}

// lasts fails with late where what needs a time would not be done in time.
func (s *search) lasts(need time.Duration) error {
	if left := time.Until(s.until); !s.until.IsZero() && need > left {
		return late{need, left}
	}
	return nil
}

// skip notes a candidate that would be late, and returns any other error.
func (s *search) skip(ctx context.Context, c candidate, err error) error {
	l, ok := errors.AsType[late](err)
	if !ok {
		return err
	}
	t := s.trial(c)
	t.Skipped = l.Error()
	return s.note(ctx, c, t)
}

// tryInTime is try, if the time is likely to last; else it notes that it did not. The
// features are the best candidate's, if they are the same.
func (s *search) tryInTime(ctx context.Context, c candidate, same bool) error {
	if s.knows(c) {
		return nil
	}
	need := s.first.learning
	if !same || s.rows == nil {
		need += s.reading(c)
	}
	err := s.lasts(need)
	if err == nil && same {
		err = s.again(ctx)
	}
	var rows *features
	if same {
		rows = s.rows
	}
	if err == nil {
		err = s.try(ctx, c, rows)
	}
	return s.skip(ctx, c, err)
}

// reading is about how long a candidate reads the images, by what the first one took, its
// pixels and versions. What it takes beyond that, read finds out.
func (s *search) reading(c candidate) time.Duration {
	usual := s.tried[0].Size
	size := cmp.Or(c.size, usual)
	return s.first.reading * time.Duration(size*size*c.change().count()) / time.Duration(usual*usual)
}

// read computes the features of the training images by a part of f's network. It fails
// with late as soon as it sees that they, and what needs the time then, would be.
func (s *search) read(ctx context.Context, f *found, by *onnx.Graph, then time.Duration) (*features, error) {
	begun, n := time.Now(), len(s.run.Train.Images)
	return s.extract(ctx, by, f.spec, s.run.Train.Images, f.change(), func(done int) error {
		if done%16 != 0 {
			return nil
		}
		if err := s.lasts(time.Since(begun)*time.Duration(n-done)/time.Duration(done) + then); err != nil {
			return err
		}
		return s.run.Progress(fmt.Sprintf("The model is being trained: %d of %d images are read by %s at %d pixels.", done, n, f.network, f.spec.Width))
	})
}
