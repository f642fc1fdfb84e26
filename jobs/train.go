package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"trilobite"
	"trilobite/custom"
	"trilobite/dataset"
)

// maxInvalid is the part of a manifest's lines that may be invalid, one in maxInvalid.
const maxInvalid = 5

// training is one run of a version's training.
type training struct {
	*Worker
	lease    custom.Lease
	version  custom.Version
	detail   custom.VersionDetail // what will be known of the version
	train    half
	test     half
	learning custom.Learning
	classes  []string
	split    bool   // the test half is a part of the training half
	both     []Code // errors of both halves together
}

// train makes a model of a version's data and writes what it came to.
func (w *Worker) train(ctx context.Context, l custom.Lease) error {
	v, err := w.Store.VersionByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	t := &training{Worker: w, lease: l, version: v, detail: v.VersionDetail}
	err = t.run(ctx)
	var refused *refusal
	code, coded := asCode(err)
	switch {
	case err == nil:
		return t.finish(ctx, custom.DidTrain, "The model is ready to run.")
	case ctx.Err() != nil:
		return errors.Join(context.Cause(ctx), err)
	case errors.As(err, &refused):
		return t.finish(ctx, custom.DidNotTrain, refused.message)
	case noSpace(err):
		w.Log.ErrorContext(ctx, "disk is full", "version", v.ARN.String(), "error", err)
		return t.finish(ctx, custom.DidNotTrain, diskFull)
	case coded:
		return t.finish(ctx, custom.DidNotTrain, code.Message())
	}
	return err
}

// finish ends the training, and takes its checkpoints away once that is recorded.
func (t *training) finish(ctx context.Context, event, message string) error {
	t.detail.Message = message
	if err := t.Store.FinishVersion(ctx, t.lease, event, t.detail); err != nil {
		return err
	}
	_ = os.RemoveAll(t.dir()) // what stays is garbage that package gc finds
	return nil
}

// diskFull is what people read where a training found no room.
const diskFull = "The server's disk is full. Free some space and train again."

// refusal ends a training with a message for people.
type refusal struct{ message string }

// Error returns the message.
func (r *refusal) Error() string { return r.message }

// run is the story of a training.
func (t *training) run(ctx context.Context) error {
	if err := t.read(ctx); err != nil {
		return err
	}
	if err := t.fetchImages(ctx); err != nil {
		return err
	}
	t.validate()
	if err := t.writeValidation(ctx); err != nil {
		return err
	}
	if code, bad := t.firstError(); bad {
		return code
	}
	if err := t.enoughDisk(); err != nil {
		return err
	}
	began := time.Now()
	if err := os.MkdirAll(t.dir(), 0o700); err != nil {
		return err
	}
	result, err := t.Trainer.Train(ctx, custom.TrainingRun{
		Name: fmt.Sprintf("custom-%d", t.version.ID), Learning: t.learning,
		Train: t.train.set(t.learning, t.classes), Test: t.test.set(t.learning, t.classes), Dir: t.dir(),
		Progress: func(text string) error { return t.note(ctx, text) },
	})
	switch {
	case err != nil && (ctx.Err() != nil || noSpace(err)):
		return err
	case err != nil && trilobite.CodeOf(err) == trilobite.Invalid:
		return &refusal{trilobite.Message(err)}
	case err != nil:
		t.Log.ErrorContext(ctx, "training", "version", t.version.ARN.String(), "error", err)
		return &refusal{internalFault}
	}
	now := time.Now()
	t.detail.TrainedAt, t.detail.Base, t.detail.Progress = now, result.Base, ""
	t.detail.Seconds = max(int64(now.Sub(began).Round(time.Second)/time.Second), 1)
	return t.writeResults(ctx, result, now)
}

// dir is where the training keeps its checkpoints.
func (t *training) dir() string {
	return filepath.Join(t.Dir, "trainings", strconv.FormatInt(t.version.ID, 10))
}

// enoughDisk refuses to train where checkpoints and the model might not find room.
func (t *training) enoughDisk() error {
	if t.FreeDisk <= 0 {
		return nil
	}
	if err := os.MkdirAll(t.Dir, 0o700); err != nil {
		return err
	}
	free, err := t.Free(t.Dir)
	if err != nil || free >= t.FreeDisk {
		return err
	}
	t.Log.Error("disk is short", "folder", t.Dir, "free", free, "wanted", t.FreeDisk)
	return &refusal{fmt.Sprintf("The training needs %d MiB of free disk; the server has %d MiB.", t.FreeDisk>>20, free>>20)}
}

// note keeps a word of progress, and fails when the training is somebody else's. Records
// that do not answer lose the word, no more: the heartbeat decides how long that may go on.
func (t *training) note(ctx context.Context, text string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if text == t.detail.Progress {
		return nil
	}
	t.detail.Progress = text
	err := t.Store.Note(ctx, t.lease, t.detail)
	if err != nil && trilobite.CodeOf(err) != trilobite.Canceled {
		t.Log.WarnContext(ctx, "noting progress", "version", t.version.ARN.String(), "error", err)
		return nil
	}
	return err
}

// validate looks for what spoils the halves as a whole, and picks the classes.
func (t *training) validate() {
	t.learning = t.train.learning()
	for _, h := range []*half{&t.train, &t.test} {
		h.check()
	}
	if t.split && len(t.test.records) == 0 {
		t.train.errors = append(t.train.errors, TooFewForAutosplit)
	}
	least := 2
	if t.learning == custom.Boxes {
		least = 1
	}
	all, used := t.train.labels(""), t.train.labels(t.learning)
	switch {
	case len(all) < least:
		t.train.errors = append(t.train.errors, TooFewLabels)
	case len(used) < least:
		t.train.errors = append(t.train.errors, TooFewUsableLabels)
	}
	if len(all) > t.Limits.Labels {
		t.train.errors = append(t.train.errors, TooManyLabels)
	}
	switch {
	case t.split && len(t.test.records) == 0: // said already
	case overlap(all, t.test.labels("")) < 0.5:
		t.both = append(t.both, LabelOverlap)
	case overlap(used, t.test.labels(t.learning)) < 0.5:
		t.both = append(t.both, UsableLabelOverlap)
	}
	t.classes = used
}

// overlap is the part of the training labels that the test has too.
func overlap(train, test []string) float64 {
	if len(train) == 0 {
		return 1 // too few labels is the error then
	}
	n := 0
	for _, l := range train {
		if slices.Contains(test, l) {
			n++
		}
	}
	return float64(n) / float64(len(train))
}

// firstError returns the error that ends the training, if there is one.
func (t *training) firstError() (Code, bool) {
	for _, list := range [][]Code{t.train.errors, t.test.errors, t.both} {
		if len(list) > 0 {
			return list[0], true
		}
	}
	return "", false
}

// set returns the usable images of a half.
func (h *half) set(l custom.Learning, classes []string) *dataset.Set {
	s := &dataset.Set{Classes: classes, Ignore: dataset.NoIgnore}
	h.used = h.used[:0]
	for i := range h.records {
		r := &h.records[i]
		if !r.usable(l) {
			continue
		}
		img := dataset.Image{File: r.file, W: r.w, H: r.h}
		if l == custom.Boxes {
			for _, o := range r.line.Objects {
				if c, known := slices.BinarySearch(classes, o.Label); known {
					img.Objects = append(img.Objects, dataset.Object{Class: c, Box: o.Box, Area: o.Box.Area()})
				}
			}
		} else {
			for _, n := range r.line.Labels {
				if c, known := slices.BinarySearch(classes, n); known {
					img.Classes = append(img.Classes, c)
				}
			}
		}
		if len(img.Objects)+len(img.Classes) == 0 {
			continue // labels that training does not know
		}
		s.Images = append(s.Images, img)
		h.used = append(h.used, i)
	}
	return s
}
