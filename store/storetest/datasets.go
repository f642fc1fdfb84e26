package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/custom"
)

func datasets(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := newDataset(t, s, p, custom.Train)
	if got := must(s.Dataset(t.Context(), d.ARN))(t); got.Status != custom.CreateComplete || got.MessageCode != "SUCCESS" || got.Stats != (custom.DatasetStats{}) {
		t.Errorf("an empty data set is %+v", got)
	}
	_, err := s.CreateDataset(t.Context(), custom.NewDataset{Project: p.ARN, Type: custom.Train, CreatedAt: start().Add(time.Hour)})
	wantCode(t, "a second training set", err, trilobite.Exists)
	ok(t, s.DeleteDataset(t.Context(), d.ARN, start()))
	ok(t, s.DeleteDataset(t.Context(), d.ARN, start())) // again
	wantCode(t, "entries while it is deleted", refused(s.Entries(t.Context(), d.ARN, custom.EntryQuery{Limit: 1})), trilobite.InUse)
	_, err = s.CreateDataset(t.Context(), custom.NewDataset{Project: p.ARN, Type: custom.Train, CreatedAt: start().Add(time.Hour)})
	wantCode(t, "a new one while the old is deleted", err, trilobite.Exists)
	remove(t, s, custom.DeleteDatasetWork, d.ID)
	wantCode(t, "after deletion", refused(s.Dataset(t.Context(), d.ARN)), trilobite.NotFound)
	newDataset(t, s, p, custom.Train)
}

func importing(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	m := &custom.Object{Bucket: "b", Key: "m.manifest", Version: "7"}
	d := must(s.CreateDataset(t.Context(), custom.NewDataset{Project: p.ARN, Type: custom.Train, Manifest: m, CreatedAt: start()}))(t)
	if d.Status != custom.CreateInProgress {
		t.Errorf("status %s", d.Status)
	}
	ctx := t.Context()
	wantCode(t, "entries during the import", refused(s.Entries(ctx, d.ARN, custom.EntryQuery{Limit: 1})), trilobite.NotReady)
	wantCode(t, "an update during the import", s.UpdateEntries(ctx, d.ARN, nil, start()), trilobite.InUse)
	wantCode(t, "deletion during the import", s.DeleteDataset(ctx, d.ARN, start()), trilobite.InUse)
	wantCode(t, "deletion of the project", refused(s.DeleteProject(ctx, p.ARN, start())), trilobite.InUse)
	l := claim(t, s, custom.ImportWork, d.ID)
	if got := must(s.DatasetByID(ctx, d.ID))(t); got.Source.Manifest == nil || *got.Source.Manifest != *m {
		t.Errorf("source %+v, want %+v", got.Source, m)
	}
	ok(t, s.AddEntries(ctx, l, []custom.Entry{entry(1, "x"), entry(2, "y", "x"), entry(3)}))
	again := entry(1, "z")
	again.Line = "{}"
	ok(t, s.AddEntries(ctx, l, []custom.Entry{again, entry(4)})) // what is there stays
	open := must(s.Unchecked(ctx, l, 0, 3))(t)
	if len(open) != 3 || open[0].SourceRef != entry(1).SourceRef {
		t.Fatalf("unchecked: %+v", open)
	}
	open[1].Failed, open[1].Line = true, `{"errors":[]}`
	ok(t, s.Check(ctx, l, open))
	if open = must(s.Unchecked(ctx, l, 0, 9))(t); len(open) != 1 {
		t.Errorf("unchecked after checking: %+v", open)
	}
	ok(t, s.FinishDataset(ctx, l, custom.DidImport, "", start().Add(time.Hour)))
	got := must(s.Dataset(ctx, d.ARN))(t)
	if got.Status != custom.CreateComplete || got.Stats != (custom.DatasetStats{Labeled: 2, Total: 4, Labels: 2, Errors: 1}) || !got.UpdatedAt.Equal(start().Add(time.Hour)) {
		t.Errorf("imported: %+v", got)
	}
	list := must(s.Entries(ctx, d.ARN, custom.EntryQuery{Limit: 9}))(t)
	if len(list) != 4 || list[0].Line != entry(1).Line || list[1].Line != `{"errors":[]}` || !list[0].Checked {
		t.Errorf("entries: %+v", list)
	}
	bad := must(s.CreateDataset(ctx, custom.NewDataset{Project: p.ARN, Type: custom.Test, Manifest: m, CreatedAt: start()}))(t)
	l = claim(t, s, custom.ImportWork, bad.ID)
	ok(t, s.AddEntries(ctx, l, []custom.Entry{entry(1, "x")}))
	ok(t, s.FinishDataset(ctx, l, custom.DidNotImport, "The manifest file has too many rows.", start()))
	got = must(s.Dataset(ctx, bad.ARN))(t)
	if got.Status != custom.CreateFailed || got.MessageCode != "CLIENT_ERROR" || got.Message != "The manifest file has too many rows." || got.Stats.Total != 0 {
		t.Errorf("failed: %+v", got)
	}
	wantCode(t, "an update of a failed set", s.UpdateEntries(ctx, bad.ARN, nil, start()), trilobite.InUse)
	ok(t, s.DeleteDataset(ctx, bad.ARN, start()))
}

func entries(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := newDataset(t, s, p, custom.Train)
	failed := entry(4, "y")
	failed.Failed = true
	odd := custom.Entry{SourceRef: "s3://bucket/50%_\\é", Line: "{}", Labels: []custom.EntryLabel{{Name: "x", Boxes: 3}}}
	update(t, s, d, entry(1, "x"), entry(2), entry(3, "x", "y"), failed, odd)
	yes, no := true, false
	for name, tt := range map[string]struct {
		q    custom.EntryQuery
		want []int
	}{
		"all":                   {custom.EntryQuery{}, []int{0, 1, 2, 3, 4}},
		"a label":               {custom.EntryQuery{Labels: []string{"y"}}, []int{2, 3}},
		"any label":             {custom.EntryQuery{Labels: []string{"x", "y", "none"}}, []int{0, 2, 3, 4}},
		"labels tell case":      {custom.EntryQuery{Labels: []string{"X"}}, nil},
		"labelled":              {custom.EntryQuery{Labeled: &yes}, []int{0, 2, 3, 4}},
		"not labelled":          {custom.EntryQuery{Labeled: &no}, []int{1}},
		"a part of the name":    {custom.EntryQuery{SourceRef: "dir/000"}, []int{0, 1, 2, 3}},
		"names tell case":       {custom.EntryQuery{SourceRef: "DIR"}, nil},
		"wildcards are letters": {custom.EntryQuery{SourceRef: "%"}, []int{4}},
		"other letters":         {custom.EntryQuery{SourceRef: "0%_\\é"}, []int{4}},
		"errors":                {custom.EntryQuery{Errors: true}, []int{3}},
		"filters hold together": {custom.EntryQuery{Labels: []string{"y"}, SourceRef: "3.jpg", Labeled: &yes}, []int{2}},
	} {
		for limit := 1; limit <= 9; limit += 8 {
			var got []int
			q := tt.q
			for q.Limit = limit; ; {
				page := must(s.Entries(t.Context(), d.ARN, q))(t)
				for _, e := range page {
					got = append(got, slices.IndexFunc([]string{entry(1).SourceRef, entry(2).SourceRef, entry(3).SourceRef, failed.SourceRef, odd.SourceRef},
						func(ref string) bool { return ref == e.SourceRef }))
				}
				if len(page) < limit {
					break
				}
				q.After = page[len(page)-1].ID
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s, pages of %d: %v, want %v", name, limit, got, tt.want)
			}
		}
	}
}

func updating(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := newDataset(t, s, p, custom.Train)
	update(t, s, d, entry(1, "x"), entry(2, "x"))
	before := must(s.Entries(t.Context(), d.ARN, custom.EntryQuery{Limit: 9}))(t)
	changed := custom.Entry{SourceRef: entry(1).SourceRef, Line: `{"new":1}`, Labels: []custom.EntryLabel{{Name: "y", Boxes: 2}}}
	ok(t, s.UpdateEntries(t.Context(), d.ARN, []custom.Entry{changed, entry(3)}, start()))
	if got := must(s.Dataset(t.Context(), d.ARN))(t); got.Status != custom.UpdateInProgress || got.Stats.Total != 3 {
		t.Errorf("at once: %+v", got)
	}
	wantCode(t, "a second update", s.UpdateEntries(t.Context(), d.ARN, nil, start()), trilobite.InUse)
	wantCode(t, "a training", refused(s.CreateVersion(t.Context(), custom.NewVersion{Project: p.ARN, Name: "v", CreatedAt: start()})), trilobite.InUse)
	ok(t, s.FinishDataset(t.Context(), claim(t, s, custom.CheckWork, d.ID), custom.DidUpdate, "", start()))
	after := must(s.Entries(t.Context(), d.ARN, custom.EntryQuery{Limit: 9}))(t)
	if len(after) != 3 || after[0].ID != before[0].ID || after[0].Line != `{"new":1}` || after[1].Line != before[1].Line {
		t.Errorf("after the update: %+v", after)
	}
	want := []custom.LabelStats{{Name: "x", Entries: 1}, {Name: "y", Entries: 1, Boxes: 2}}
	if diff := cmp.Diff(want, must(s.Labels(t.Context(), d.ARN, "", 9))(t)); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	ok(t, s.UpdateEntries(t.Context(), d.ARN, nil, start()))
	ok(t, s.FinishDataset(t.Context(), claim(t, s, custom.CheckWork, d.ID), custom.DidNotUpdate, "why", start()))
	if got := must(s.Dataset(t.Context(), d.ARN))(t); got.Status != custom.UpdateFailed || got.Message != "why" {
		t.Errorf("a failed update: %+v", got)
	}
	update(t, s, d, entry(9))
}

func distribution(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	train, test := newDataset(t, s, p, custom.Train), newDataset(t, s, p, custom.Test)
	ctx := t.Context()
	wantCode(t, "an empty training set", s.Distribute(ctx, train.ARN, test.ARN, start()), trilobite.Invalid)
	update(t, s, train, entry(1, "x"), entry(2, "y"), entry(3, "x"))
	wantCode(t, "the wrong way round", s.Distribute(ctx, test.ARN, train.ARN, start()), trilobite.Invalid)
	wantCode(t, "another project's set", s.Distribute(ctx, train.ARN, newDataset(t, s, newProject(t, s, ours, "b"), custom.Test).ARN, start()), trilobite.Invalid)
	ok(t, s.Distribute(ctx, train.ARN, test.ARN, start()))
	for _, d := range []custom.Dataset{train, test} {
		if got := must(s.Dataset(ctx, d.ARN))(t); got.Status != custom.UpdateInProgress {
			t.Errorf("%s is %s", d.Type, got.Status)
		}
		wantCode(t, "deletion", s.DeleteDataset(ctx, d.ARN, start()), trilobite.InUse)
	}
	wantCode(t, "twice", s.Distribute(ctx, train.ARN, test.ARN, start()), trilobite.NotReady)
	list := must(s.EntriesByID(ctx, train.ID, custom.EntryQuery{Limit: 9}))(t)
	ok(t, s.FinishDistribute(ctx, claim(t, s, custom.DistributeWork, train.ID), []int64{list[1].ID}, "", start()))
	for d, want := range map[custom.ARN]custom.DatasetStats{train.ARN: {Labeled: 2, Total: 2, Labels: 1}, test.ARN: {Labeled: 1, Total: 1, Labels: 1}} {
		if got := must(s.Dataset(ctx, d))(t); got.Status != custom.UpdateComplete || got.Stats != want {
			t.Errorf("%s: %+v, want %+v", d.Name, got, want)
		}
	}
	wantCode(t, "into a full test set", s.Distribute(ctx, train.ARN, test.ARN, start()), trilobite.Invalid)
}

func labelPages(t *testing.T, s custom.Store) {
	d := newDataset(t, s, newProject(t, s, ours, "a"), custom.Train)
	names := []string{"a b", "B", "a", "é", "ab", "a-b"}
	update(t, s, d, entry(1, names...), entry(2, "B"))
	var got []string
	for after := ""; ; {
		page := must(s.Labels(t.Context(), d.ARN, after, 2))(t)
		for _, l := range page {
			got = append(got, l.Name)
			after = l.Name
		}
		if len(page) < 2 {
			break
		}
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("labels %q, want %q", got, names)
	}
}

// concurrentEntries updates data sets of several projects at once while others read.
func concurrentEntries(t *testing.T, s custom.Store) {
	const sets, rounds, each = 4, 5, 20
	var wg sync.WaitGroup
	for n := range sets {
		d := newDataset(t, s, newProject(t, s, ours, fmt.Sprint("p", n)), custom.Train)
		wg.Go(func() {
			for r := range rounds {
				var list []custom.Entry
				for i := range each {
					list = append(list, entry(r*each+i, "x"))
				}
				if err := updateOnce(t.Context(), s, d, list); err != nil {
					t.Error(err)
					return
				}
				if got, err := s.Dataset(t.Context(), d.ARN); err != nil || got.Stats.Total != (r+1)*each {
					t.Errorf("%d entries, %v, want %d", got.Stats.Total, err, (r+1)*each)
				}
			}
		})
	}
	wg.Wait()
}

func updateOnce(ctx context.Context, s custom.Store, d custom.Dataset, list []custom.Entry) error {
	if err := s.UpdateEntries(ctx, d.ARN, list, start()); err != nil {
		return err
	}
	l, err := s.Claim(ctx, custom.Task{Work: custom.CheckWork, Subject: d.ID}, "worker", start())
	if err != nil {
		return err
	}
	return s.FinishDataset(ctx, l, custom.DidUpdate, "", start())
}
