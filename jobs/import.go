package jobs

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite/custom"
	"trilobite/dataset/groundtruth"
)

const (
	batch    = 1000 // entries written in one transaction
	checkers = 16   // images looked for at once
)

// importDataset fills a data set from a manifest or from another data set.
func (w *Worker) importDataset(ctx context.Context, l custom.Lease) error {
	d, err := w.Store.DatasetByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	if d.Source.Manifest == nil {
		return w.copyEntries(ctx, l, d.Source.Dataset)
	}
	c, err := w.readEntries(ctx, l, d)
	if err == nil {
		err = w.checkEntries(ctx, l, d)
	}
	if err == nil {
		err = w.tooManyErrors(ctx, d, c)
	}
	if code, ok := asCode(err); ok {
		return w.Store.FinishDataset(ctx, l, custom.DidNotImport, code.Message(), time.Now())
	} else if err != nil {
		return err
	}
	return w.Store.FinishDataset(ctx, l, custom.DidImport, "", time.Now())
}

func asCode(err error) (Code, bool) {
	if err == nil {
		return "", false
	}
	return errors.AsType[Code](err)
}

// count is what a manifest held.
type count struct{ lines, valid int }

// readEntries writes a manifest's lines into the data set, unchecked.
func (w *Worker) readEntries(ctx context.Context, l custom.Lease, d custom.Dataset) (count, error) {
	var c count
	m, err := w.openManifest(ctx, d.ARN.Account, *d.Source.Manifest, d.CreatedAt)
	if err != nil {
		return c, err
	}
	defer m.Close()
	labels := map[string]bool{}
	list := make([]custom.Entry, 0, batch)
	flush := func() error {
		err := w.Store.AddEntries(ctx, l, list)
		list = list[:0]
		return err
	}
	for {
		text, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return c, err
		}
		c.lines++
		line, err := groundtruth.Parse(text)
		if err != nil {
			continue // dropped without a word, as the service does; the count tells
		}
		c.valid++
		e := custom.EntryOf(line)
		for _, n := range e.Labels {
			if labels[n.Name] = true; len(labels) > w.Limits.Labels {
				return c, TooManyLabels
			}
		}
		if list = append(list, e); len(list) == batch {
			if err := flush(); err != nil {
				return c, err
			}
		}
	}
	if c.lines == 0 {
		return c, EmptyManifest
	}
	return c, flush()
}

// copyEntries fills a data set with another's entries, errors and all.
func (w *Worker) copyEntries(ctx context.Context, l custom.Lease, from int64) error {
	for after := int64(0); ; {
		list, err := w.Store.EntriesByID(ctx, from, custom.EntryQuery{After: after, Limit: batch})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return w.Store.FinishDataset(ctx, l, custom.DidImport, "", time.Now())
		}
		after = list[len(list)-1].ID
		if err := w.Store.AddEntries(ctx, l, list); err != nil {
			return err
		}
	}
}

// checkUpdate looks for the images of an update.
func (w *Worker) checkUpdate(ctx context.Context, l custom.Lease) error {
	d, err := w.Store.DatasetByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	if err := w.checkEntries(ctx, l, d); err != nil {
		return err
	}
	return w.Store.FinishDataset(ctx, l, custom.DidUpdate, "", time.Now())
}

// checkEntries looks for the image of every entry that is not checked yet.
func (w *Worker) checkEntries(ctx context.Context, l custom.Lease, d custom.Dataset) error {
	for after := int64(0); ; {
		list, err := w.Store.Unchecked(ctx, l, after, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1].ID
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(checkers)
		for i := range list {
			g.Go(func() error { return w.checkEntry(gctx, d, &list[i]) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		if err := w.Store.Check(ctx, l, list); err != nil {
			return err
		}
	}
}

// checkEntry marks an entry whose image is not there, or too large.
func (w *Worker) checkEntry(ctx context.Context, d custom.Dataset, e *custom.Entry) error {
	line, err := groundtruth.Parse([]byte(e.Line))
	if err != nil {
		return err // it was read before
	}
	size, err := w.Objects.Stat(ctx, d.ARN.Account, line.Bucket, line.Key)
	switch {
	case passing(ctx, err, d.UpdatedAt):
		return err
	case err == nil && size > 0 && size <= w.Limits.ImageBytes:
		e.Line, e.Failed = line.Text, line.Failed
		return nil
	}
	e.Failed = true
	e.Line, err = groundtruth.AddError(line.Text, groundtruth.InvalidImage)
	return err
}

// tooManyErrors fails if more than a fifth of a manifest's lines cannot be used: lines
// that are none, images given twice, and images that are not there, all together
// (md-create-manifest-file-validation-rules).
func (w *Worker) tooManyErrors(ctx context.Context, d custom.Dataset, c count) error {
	now, err := w.Store.Dataset(ctx, d.ARN)
	if err != nil {
		return err
	}
	bad := c.lines - now.Stats.Total
	mark := `"` + string(groundtruth.InvalidImage) + `"`
	for after := int64(0); ; {
		list, err := w.Store.EntriesByID(ctx, d.ID, custom.EntryQuery{Errors: true, After: after, Limit: batch})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].ID
		for _, e := range list {
			if strings.Contains(e.Line, mark) {
				bad++
			}
		}
	}
	if bad*5 > c.lines {
		return TooManyRecordsInError
	}
	return nil
}
