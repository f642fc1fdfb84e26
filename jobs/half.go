package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"trilobite"
	"trilobite/custom"
	"trilobite/dataset/groundtruth"
)

// half is the training or the testing data of a version.
type half struct {
	records []record
	errors  []Code // of the half as a whole
	used    []int  // records in the set that was learned from, in its order
}

// record is a line with its image.
type record struct {
	text   string            // for the validation manifest
	line   *groundtruth.Line // nil: invalid as a whole
	file   string            // the image here; "": there is none
	w, h   int               // pixels of the image
	denied bool              // its bucket is not the account's
}

// usable reports whether a record can be learned from; any learning for "".
func (r *record) usable(l custom.Learning) bool {
	return r.line != nil && r.file != "" && (l != custom.Boxes && len(r.line.Labels) > 0 || (l == custom.Boxes || l == "") && len(r.line.Objects) > 0)
}

// invalid reports whether a line counts as an error: it, its image or all of its labels
// cannot be used, though it has some.
func (r *record) invalid() bool {
	return r.line == nil || r.file == "" || r.line.Failed && len(r.line.Labels)+len(r.line.Objects) == 0
}

// ignored reports whether a line is right and says nothing.
func (r *record) ignored() bool {
	return !r.invalid() && len(r.line.Labels)+len(r.line.Objects) == 0
}

// learning decides what is learned: boxes where most labelled lines have them, and of
// labels, one to an image where no image has more.
func (h *half) learning() custom.Learning {
	boxes, labels, many := 0, 0, false
	for i := range h.records {
		l := h.records[i].line
		if l == nil {
			continue
		}
		if len(l.Objects) > 0 {
			boxes++
		}
		if len(l.Labels) > 0 {
			labels++
		}
		many = many || len(l.Labels) > 1
	}
	switch {
	case boxes > labels:
		return custom.Boxes
	case many:
		return custom.ManyLabels
	}
	return custom.OneLabel
}

// labels returns the labels of the half by name: all that lines have for "", those of
// usable records otherwise.
func (h *half) labels(l custom.Learning) []string {
	set := map[string]bool{}
	for i := range h.records {
		r := &h.records[i]
		if r.line == nil || l != "" && !r.usable(l) {
			continue
		}
		if l != custom.Boxes {
			for _, n := range r.line.Labels {
				set[n] = true
			}
		}
		if l == custom.Boxes || l == "" {
			for _, o := range r.line.Objects {
				set[o.Label] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// check looks for what spoils a half: images of several buckets or of somebody else's,
// none that can be had, too many invalid lines.
func (h *half) check() {
	buckets, invalid, files, denied := map[string]bool{}, 0, 0, 0
	for i := range h.records {
		r := &h.records[i]
		if r.line != nil {
			buckets[r.line.Bucket] = true
		}
		if r.invalid() {
			invalid++
		}
		if r.denied {
			denied++
		}
		if r.file != "" {
			files++
		}
	}
	switch {
	case len(buckets) > 1:
		h.errors = append(h.errors, SeveralBuckets)
	case denied > 0:
		h.errors = append(h.errors, BucketOwner)
	case len(buckets) == 1 && files == 0:
		h.errors = append(h.errors, ImagesCopy)
	}
	if invalid*maxInvalid > len(h.records) {
		h.errors = append(h.errors, TooManyInvalidRows)
	}
}

// add reads a line into the half.
func (h *half) add(text []byte) {
	line, err := groundtruth.Parse(text)
	if err == nil {
		h.records = append(h.records, record{text: line.Text, line: line})
		return
	}
	code, _ := errors.AsType[groundtruth.Code](err)
	kept := "{}"
	if code == groundtruth.MissingSourceRef || code == groundtruth.InvalidSourceRef {
		kept = string(text) // a JSON object
	}
	if noted, err := groundtruth.AddError(kept, code); err == nil {
		kept = noted
	}
	h.records = append(h.records, record{text: kept})
}

// read reads both halves: as they were when the training began, if it began before;
// from the version's own manifests; or from the project's data sets, which it then
// keeps as manifests beside the results.
func (t *training) read(ctx context.Context) error {
	if len(t.detail.TrainingFiles.Input) == 0 {
		if err := t.keepInput(ctx); err != nil {
			return err
		}
	}
	for _, o := range t.detail.TrainingFiles.Input {
		if err := t.readManifest(ctx, &t.train, o); err != nil {
			return err
		}
	}
	if len(t.train.records) == 0 {
		return EmptyManifest
	}
	for _, o := range t.detail.TestingFiles.Input {
		if err := t.readManifest(ctx, &t.test, o); err != nil {
			return err
		}
	}
	if t.split = len(t.detail.TestingFiles.Input) == 0; t.split {
		t.splitOff()
	} else if len(t.test.records) == 0 {
		return EmptyManifest
	}
	return nil
}

func (t *training) readManifest(ctx context.Context, h *half, o custom.Object) error {
	m, err := t.openManifest(ctx, t.version.ARN.Account, o, t.version.CreatedAt)
	if err != nil {
		return err
	}
	defer m.Close()
	for {
		text, err := m.next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		h.add(text)
	}
}

// splitOff makes a fifth of the training half the test half.
func (t *training) splitOff() {
	all := make([]sample, len(t.train.records))
	for i, r := range t.train.records {
		all[i].ref = r.text
		if r.line != nil {
			names, _ := r.line.Names()
			all[i] = sample{r.line.SourceRef, names}
		}
	}
	test, enough := split(all)
	if !enough {
		return
	}
	var rest []record
	for i, r := range t.train.records {
		if _, found := slices.BinarySearch(test, i); found {
			t.test.records = append(t.test.records, r)
		} else {
			rest = append(rest, r)
		}
	}
	t.train.records = rest
}

// keepInput decides what is read, so that a training that is taken up again reads the
// same.
func (t *training) keepInput(ctx context.Context) error {
	if len(t.detail.Training) > 0 {
		t.detail.TrainingFiles.Input = t.detail.Training
		t.detail.TestingFiles.Input = t.detail.Testing
		return t.Store.Note(ctx, t.lease, t.detail)
	}
	a := t.version.ARN
	list, err := t.Store.Projects(ctx, a.Account, custom.ProjectQuery{Names: []string{a.Project}, Limit: 1})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("project of %s is gone", a)
	}
	for _, d := range list[0].Datasets {
		files, name := &t.detail.TrainingFiles, "training_input.manifest"
		if d.Type == custom.Test {
			files, name = &t.detail.TestingFiles, "testing_input.manifest"
		}
		text, n, err := t.entriesText(ctx, d.ID)
		if err != nil {
			return err
		}
		if n == 0 && d.Type == custom.Test {
			continue // an empty test set is none
		}
		o, err := t.write(ctx, name, text)
		if err != nil {
			return err
		}
		files.Input = []custom.Object{o}
	}
	if err := t.Store.Note(ctx, t.lease, t.detail); err != nil {
		return err
	}
	return t.Store.HasRead(ctx, t.lease)
}

// entriesText returns a data set as a manifest, and its number of lines.
func (t *training) entriesText(ctx context.Context, id int64) ([]byte, int, error) {
	var text []byte
	n := 0
	for after := int64(0); ; {
		list, err := t.Store.EntriesByID(ctx, id, custom.EntryQuery{After: after, Limit: batch})
		if err != nil || len(list) == 0 {
			return text, n, err
		}
		after = list[len(list)-1].ID
		for _, e := range list {
			text = append(append(text, e.Line...), '\n')
			n++
		}
	}
}

// write puts a file of the results into the output bucket.
func (t *training) write(ctx context.Context, name string, data []byte) (custom.Object, error) {
	return t.writeAt(ctx, path.Join(t.version.ARN.Project+"-"+t.version.ARN.Name, name), data)
}

// writeAt is write, of a name below the output's prefix. A bucket that does not answer is
// asked again for a while, for hours of training may stand behind the answer.
func (t *training) writeAt(ctx context.Context, name string, data []byte) (custom.Object, error) {
	o := custom.Object{Bucket: t.detail.Output.Bucket, Key: strings.TrimPrefix(path.Join(t.detail.Output.Prefix, name), "/")}
	for try, began := time.Second, time.Now(); ; try *= 2 {
		err := t.Objects.Write(ctx, t.version.ARN.Account, o.Bucket, o.Key, data)
		if err == nil || trilobite.CodeOf(err) == trilobite.Canceled {
			return o, err
		}
		t.Log.WarnContext(ctx, "writing results", "version", t.version.ARN.String(), "error", err)
		if !passing(ctx, err, began) {
			return o, CannotWriteOutput
		}
		select {
		case <-ctx.Done():
			return o, context.Cause(ctx)
		case <-time.After(min(try, time.Minute)):
		}
	}
}
