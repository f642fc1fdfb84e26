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

// Custom checks a custom.Store. open returns an empty store each time, and closes it
// when the test ends.
func Custom(t *testing.T, open func(t *testing.T) custom.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, custom.Store){
		"projects":                              projects,
		"project names":                         projectNames,
		"another account sees nothing":          strangers,
		"ARNs match in every part":              wholeARNs,
		"data sets":                             datasets,
		"an import":                             importing,
		"entries and their filters":             entries,
		"an update":                             updating,
		"distribution":                          distribution,
		"labels page by name":                   labelPages,
		"versions":                              versions,
		"version names, at once":                versionNames,
		"what a version can be trained from":    trainables,
		"a training reads before sets change":   reading,
		"every state and event of a version":    versionStates,
		"copies":                                copies,
		"a lease is one worker's":               leases,
		"a task that nobody works on":           sweeping,
		"a late worker changes nothing":         lateWorkers,
		"tokens outlive their task":             tokens,
		"deletion of a project":                 deletion,
		"tags":                                  tags,
		"policies":                              policies,
		"updates and imports at once lose none": concurrentEntries,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// must fails the test for an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused[T any](_ T, err error) error { return err }

func projectARN(account, name string) custom.ARN {
	return custom.ARN{Region: "eu-west-1", Account: account, Project: name, Kind: custom.ProjectKind}
}

func newProject(t *testing.T, s custom.Store, account, name string) custom.Project {
	t.Helper()
	return must(s.CreateProject(t.Context(), custom.NewProject{ARN: projectARN(account, name), Feature: "CUSTOM_LABELS", CreatedAt: start()}))(t)
}

func newDataset(t *testing.T, s custom.Store, p custom.Project, typ custom.DatasetType) custom.Dataset {
	t.Helper()
	return must(s.CreateDataset(t.Context(), custom.NewDataset{Project: p.ARN, Type: typ, CreatedAt: start()}))(t)
}

func newVersion(t *testing.T, s custom.Store, p custom.Project, name string) custom.Version {
	t.Helper()
	return must(s.CreateVersion(t.Context(), custom.NewVersion{
		Project: p.ARN, Name: name, CreatedAt: start(),
		Detail: custom.VersionDetail{Output: custom.Output{Bucket: "out", Prefix: "a/b"}, Description: "the version " + name},
	}))(t)
}

// entry is an image with labels of whole images.
func entry(n int, labels ...string) custom.Entry {
	e := custom.Entry{SourceRef: fmt.Sprintf("s3://bucket/dir/%04d.jpg", n), Line: fmt.Sprintf(`{"source-ref":"s3://bucket/dir/%04d.jpg"}`, n)}
	for _, l := range labels {
		e.Labels = append(e.Labels, custom.EntryLabel{Name: l})
	}
	return e
}

func claim(t *testing.T, s custom.Store, w custom.Work, subject int64) custom.Lease {
	t.Helper()
	return must(s.Claim(t.Context(), custom.Task{Work: w, Subject: subject}, "worker", start()))(t)
}

// update puts entries into a data set and ends the update.
func update(t *testing.T, s custom.Store, d custom.Dataset, list ...custom.Entry) {
	t.Helper()
	ok(t, s.UpdateEntries(t.Context(), d.ARN, list, start()))
	ok(t, s.FinishDataset(t.Context(), claim(t, s, custom.CheckWork, d.ID), custom.DidUpdate, "", start()))
}

// finish ends a version's task.
func finish(t *testing.T, s custom.Store, v custom.Version, w custom.Work, event string, edit func(*custom.VersionDetail)) {
	t.Helper()
	now := must(s.VersionByID(t.Context(), v.ID))(t)
	if edit != nil {
		edit(&now.VersionDetail)
	}
	ok(t, s.FinishVersion(t.Context(), claim(t, s, w, v.ID), event, now.VersionDetail))
}

// trained returns a version whose training is over.
func trained(t *testing.T, s custom.Store, p custom.Project, name string) custom.Version {
	t.Helper()
	v := newVersion(t, s, p, name)
	finish(t, s, v, custom.TrainWork, custom.DidTrain, func(d *custom.VersionDetail) { d.Model.Name = "model of " + name })
	return v
}

func projects(t *testing.T, s custom.Store) {
	a := newProject(t, s, ours, "a")
	b := must(s.CreateProject(t.Context(), custom.NewProject{ARN: projectARN(ours, "b"), Feature: "CONTENT_MODERATION", AutoUpdate: "ENABLED", CreatedAt: start().Add(time.Second)}))(t)
	if want := (custom.ARN{Region: "eu-west-1", Account: ours, Project: "b", Kind: custom.ProjectKind, Stamp: start().Add(time.Second).UnixMilli()}); b.ARN != want {
		t.Errorf("ARN %v, want %v", b.ARN, want)
	}
	if diff := cmp.Diff(b, must(s.Project(t.Context(), b.ARN))(t)); diff != "" {
		t.Errorf("Project (-want +got):\n%s", diff)
	}
	d := newDataset(t, s, a, custom.Train)
	for name, tt := range map[string]struct {
		q    custom.ProjectQuery
		want []string
	}{
		"all, newest first": {custom.ProjectQuery{Limit: 9}, []string{"b", "a"}},
		"the first page":    {custom.ProjectQuery{Limit: 1}, []string{"b"}},
		"the second page":   {custom.ProjectQuery{Limit: 1, Before: b.ID}, []string{"a"}},
		"by name":           {custom.ProjectQuery{Limit: 9, Names: []string{"a", "none"}}, []string{"a"}},
		"by feature":        {custom.ProjectQuery{Limit: 9, Features: []string{"CONTENT_MODERATION"}}, []string{"b"}},
	} {
		var names []string
		for _, p := range must(s.Projects(t.Context(), ours, tt.q))(t) {
			names = append(names, p.ARN.Project)
			if p.ARN == a.ARN && (len(p.Datasets) != 1 || p.Datasets[0].ARN != d.ARN) {
				t.Errorf("%s: data sets %+v, want %s", name, p.Datasets, d.ARN)
			}
		}
		if !slices.Equal(names, tt.want) {
			t.Errorf("%s: %v, want %v", name, names, tt.want)
		}
	}
}

func projectNames(t *testing.T, s custom.Store) {
	newProject(t, s, ours, "a")
	_, err := s.CreateProject(t.Context(), custom.NewProject{ARN: projectARN(ours, "a"), CreatedAt: start().Add(time.Hour)})
	wantCode(t, "the same name again", err, trilobite.InUse)
	newProject(t, s, theirs, "a")
	newProject(t, s, ours, "A")
}

func strangers(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := newDataset(t, s, p, custom.Train)
	update(t, s, d, entry(1, "x"))
	v := trained(t, s, p, "v")
	forge := func(a custom.ARN) custom.ARN { a.Account = theirs; return a }
	ctx := t.Context()
	for name, err := range map[string]error{
		"Project":       refused(s.Project(ctx, forge(p.ARN))),
		"DeleteProject": refused(s.DeleteProject(ctx, forge(p.ARN), start())),
		"CreateDataset": refused(s.CreateDataset(ctx, custom.NewDataset{Project: forge(p.ARN), Type: custom.Test, CreatedAt: start()})),
		"Dataset":       refused(s.Dataset(ctx, forge(d.ARN))),
		"DeleteDataset": s.DeleteDataset(ctx, forge(d.ARN), start()),
		"UpdateEntries": s.UpdateEntries(ctx, forge(d.ARN), nil, start()),
		"Entries":       refused(s.Entries(ctx, forge(d.ARN), custom.EntryQuery{Limit: 1})),
		"Labels":        refused(s.Labels(ctx, forge(d.ARN), "", 1)),
		"CreateVersion": refused(s.CreateVersion(ctx, custom.NewVersion{Project: forge(p.ARN), Name: "w", CreatedAt: start()})),
		"Version":       refused(s.Version(ctx, forge(v.ARN))),
		"Versions":      refused(s.Versions(ctx, forge(p.ARN), custom.VersionQuery{Limit: 1})),
		"StartVersion":  refused(s.StartVersion(ctx, forge(v.ARN), 1, 1, start())),
		"StopVersion":   refused(s.StopVersion(ctx, forge(v.ARN), start())),
		"DeleteVersion": refused(s.DeleteVersion(ctx, forge(v.ARN), start())),
		"Tag":           s.Tag(ctx, forge(v.ARN), map[string]string{"a": "b"}),
		"Tags":          refused(s.Tags(ctx, forge(v.ARN))),
		"Untag":         s.Untag(ctx, forge(v.ARN), []string{"a"}),
		"PutPolicy":     s.PutPolicy(ctx, custom.Policy{Project: forge(p.ARN), Name: "p"}, ""),
		"Policies":      refused(s.Policies(ctx, forge(p.ARN), "", 1)),
		"DeletePolicy":  s.DeletePolicy(ctx, forge(p.ARN), "p", ""),
	} {
		wantCode(t, name, err, trilobite.NotFound)
	}
	if got := must(s.Projects(ctx, theirs, custom.ProjectQuery{Limit: 9}))(t); len(got) != 0 {
		t.Errorf("another account lists %v", got)
	}
}

func wholeARNs(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := newDataset(t, s, p, custom.Train)
	v := newVersion(t, s, p, "v").ARN
	ctx := t.Context()
	for name, edit := range map[string]func(*custom.ARN){
		"region":  func(a *custom.ARN) { a.Region = "us-east-1" },
		"project": func(a *custom.ARN) { a.Project = "b" },
		"stamp":   func(a *custom.ARN) { a.Stamp++ },
	} {
		pa, da, va := p.ARN, d.ARN, v
		edit(&pa)
		edit(&da)
		edit(&va)
		wantCode(t, "project with another "+name, refused(s.Project(ctx, pa)), trilobite.NotFound)
		wantCode(t, "data set with another "+name, refused(s.Dataset(ctx, da)), trilobite.NotFound)
		wantCode(t, "version with another "+name, refused(s.Version(ctx, va)), trilobite.NotFound)
	}
	da := d.ARN
	da.Name = "test"
	wantCode(t, "data set of another type", refused(s.Dataset(ctx, da)), trilobite.NotFound)
}

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

// remove does a deletion's task, a row at a time.
func remove(t *testing.T, s custom.Store, w custom.Work, subject int64) {
	t.Helper()
	l := claim(t, s, w, subject)
	for range 100 {
		if must(s.Remove(t.Context(), l, 1))(t) {
			return
		}
	}
	t.Fatal("removing does not end")
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

func versions(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	newDataset(t, s, p, custom.Train)
	v := newVersion(t, s, p, "v1")
	w := newVersion(t, s, p, "v2")
	ctx := t.Context()
	wantCode(t, "deletion of the project", refused(s.DeleteProject(ctx, p.ARN, start())), trilobite.InUse)
	if diff := cmp.Diff(v, must(s.Version(ctx, v.ARN))(t)); diff != "" {
		t.Errorf("Version (-want +got):\n%s", diff)
	}
	done := v.VersionDetail
	done.TrainedAt, done.Seconds, done.Evaluation = start().Add(time.Minute), 60, &custom.Evaluation{F1: 0.5, Summary: custom.Object{Bucket: "o", Key: "k"}}
	done.Model = custom.ModelRef{Name: "m", Labels: []custom.LabelChoice{{Name: "x", Threshold: 0.25}}}
	l := claim(t, s, custom.TrainWork, v.ID)
	half := v.VersionDetail
	half.Progress = "half way"
	ok(t, s.Note(ctx, l, half))
	if got := must(s.VersionByID(ctx, v.ID))(t); got.Progress != "half way" || got.Status != custom.TrainingInProgress {
		t.Errorf("under way: %+v", got)
	}
	ok(t, s.FinishVersion(ctx, l, custom.DidTrain, done))
	v.Status, v.VersionDetail = custom.TrainingCompleted, done
	if diff := cmp.Diff(v, must(s.VersionByID(ctx, v.ID))(t)); diff != "" {
		t.Errorf("trained (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		q    custom.VersionQuery
		want []custom.ARN
	}{
		"all, newest first": {custom.VersionQuery{Limit: 9}, []custom.ARN{w.ARN, v.ARN}},
		"by name":           {custom.VersionQuery{Limit: 9, Names: []string{"v1", "none"}}, []custom.ARN{v.ARN}},
		"the second page":   {custom.VersionQuery{Limit: 1, Before: w.ID}, []custom.ARN{v.ARN}},
	} {
		var got []custom.ARN
		for _, v := range must(s.Versions(ctx, p.ARN, tt.q))(t) {
			got = append(got, v.ARN)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if in := must(s.ModelInUse(ctx, "m", w.ID))(t); !in {
		t.Error("the model is in use")
	}
	if in := must(s.ModelInUse(ctx, "m", v.ID))(t); in {
		t.Error("nobody else uses the model")
	}
}

func versionNames(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	newDataset(t, s, p, custom.Train)
	var wg sync.WaitGroup
	codes := make(chan trilobite.Code, 8)
	for range cap(codes) {
		wg.Go(func() {
			_, err := s.CreateVersion(t.Context(), custom.NewVersion{Project: p.ARN, Name: "v", CreatedAt: start()})
			if err == nil {
				codes <- ""
				return
			}
			codes <- trilobite.CodeOf(err)
		})
	}
	wg.Wait()
	close(codes)
	made := 0
	for c := range codes {
		if c == "" {
			made++
		} else if c != trilobite.InUse {
			t.Errorf("code %s, want in_use", c)
		}
	}
	if made != 1 || len(must(s.Versions(t.Context(), p.ARN, custom.VersionQuery{Limit: 99}))(t)) != 1 {
		t.Errorf("%d versions of one name", made)
	}
}

func trainables(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	manifests := custom.NewVersion{Project: p.ARN, Name: "m", CreatedAt: start(), Detail: custom.VersionDetail{Training: []custom.Object{{Bucket: "b", Key: "k"}}, AutoCreate: true}}
	plain := custom.NewVersion{Project: p.ARN, Name: "p", CreatedAt: start()}
	wantCode(t, "nothing", refused(s.CreateVersion(t.Context(), plain)), trilobite.Invalid)
	v := must(s.CreateVersion(t.Context(), manifests))(t)
	if got := must(s.VersionByID(t.Context(), v.ID))(t); len(got.Training) != 1 || !got.AutoCreate {
		t.Errorf("version %+v", got)
	}
	newDataset(t, s, p, custom.Train)
	manifests.Name = "n"
	wantCode(t, "manifests beside data sets", refused(s.CreateVersion(t.Context(), manifests)), trilobite.Invalid)
	must(s.CreateVersion(t.Context(), plain))(t)
}

func reading(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d, e := newDataset(t, s, p, custom.Train), newDataset(t, s, p, custom.Test)
	update(t, s, d, entry(1, "x"))
	v := newVersion(t, s, p, "v")
	ctx := t.Context()
	wantCode(t, "an update", s.UpdateEntries(ctx, d.ARN, nil, start()), trilobite.InUse)
	wantCode(t, "a deletion", s.DeleteDataset(ctx, d.ARN, start()), trilobite.InUse)
	wantCode(t, "a distribution", s.Distribute(ctx, d.ARN, e.ARN, start()), trilobite.NotReady)
	ok(t, s.HasRead(ctx, claim(t, s, custom.TrainWork, v.ID)))
	update(t, s, d, entry(2))
	ok(t, s.DeleteDataset(ctx, d.ARN, start()))
}

// versionStates brings a version into every state and tries every call there.
func versionStates(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	newDataset(t, s, p, custom.Train)
	ctx := t.Context()
	start1 := func(v custom.Version) { must(s.StartVersion(ctx, v.ARN, 2, 5, start()))(t) }
	stop1 := func(v custom.Version) { must(s.StopVersion(ctx, v.ARN, start()))(t) }
	reach := map[custom.VersionStatus]func(v custom.Version){
		custom.TrainingInProgress: func(custom.Version) {},
		custom.TrainingFailed:     func(v custom.Version) { finish(t, s, v, custom.TrainWork, custom.DidNotTrain, nil) },
		custom.TrainingCompleted:  func(v custom.Version) { finish(t, s, v, custom.TrainWork, custom.DidTrain, nil) },
	}
	then := func(to, from custom.VersionStatus, step func(custom.Version)) {
		before := reach[from]
		reach[to] = func(v custom.Version) { before(v); step(v) }
	}
	then(custom.Starting, custom.TrainingCompleted, start1)
	then(custom.Failed, custom.Starting, func(v custom.Version) { finish(t, s, v, custom.StartWork, custom.DidNotStart, nil) })
	then(custom.Running, custom.Starting, func(v custom.Version) { finish(t, s, v, custom.StartWork, custom.DidStart, nil) })
	then(custom.Stopping, custom.Running, stop1)
	then(custom.Stopped, custom.Stopping, func(v custom.Version) { finish(t, s, v, custom.StopWork, custom.DidStop, nil) })
	calls := map[string]func(custom.ARN) error{
		custom.StartCall:  func(a custom.ARN) error { return refused(s.StartVersion(ctx, a, 1, 0, start())) },
		custom.StopCall:   func(a custom.ARN) error { return refused(s.StopVersion(ctx, a, start())) },
		custom.DeleteCall: func(a custom.ARN) error { return refused(s.DeleteVersion(ctx, a, start())) },
	}
	for state, bring := range reach {
		for call, do := range calls {
			v := newVersion(t, s, p, string(state)+"."+call)
			bring(v)
			want, bad := state.Next(call)
			err := do(v.ARN)
			if (err == nil) != (bad == nil) || err != nil && trilobite.CodeOf(err) != trilobite.InUse {
				t.Errorf("%s while %s: %v, want %v", call, state, err, bad)
			}
			if got := must(s.Version(ctx, v.ARN))(t); got.Status != want {
				t.Errorf("%s while %s leads to %s, want %s", call, state, got.Status, want)
			}
		}
	}
	v := newVersion(t, s, p, "units")
	reach[custom.Running](v)
	if got := must(s.Version(ctx, v.ARN))(t); got.MinUnits != 2 || got.MaxUnits != 5 {
		t.Errorf("units %d and %d, want 2 and 5", got.MinUnits, got.MaxUnits)
	}
}

func copies(t *testing.T, s custom.Store) {
	p, q := newProject(t, s, ours, "a"), newProject(t, s, theirs, "b")
	newDataset(t, s, p, custom.Train)
	v := newVersion(t, s, p, "v")
	n := custom.NewCopy{Source: v.ARN, Project: q.ARN, Name: "copy", Output: custom.Output{Bucket: "theirs"}, Tags: map[string]string{"a": "b"}, CreatedAt: start()}
	ctx := t.Context()
	wantCode(t, "a version in training", refused(s.CopyVersion(ctx, n)), trilobite.Invalid)
	finish(t, s, v, custom.TrainWork, custom.DidTrain, func(d *custom.VersionDetail) { d.Model.Name = "m" })
	c := must(s.CopyVersion(ctx, n))(t)
	if c.Status != custom.CopyingInProgress || c.Source != v.ARN.String() || c.Model.Name != "m" || c.Output.Bucket != "theirs" || c.ARN.Account != theirs {
		t.Errorf("copy %+v", c)
	}
	wantCode(t, "the same name", refused(s.CopyVersion(ctx, n)), trilobite.InUse)
	finish(t, s, c, custom.CopyWork, custom.DidCopy, nil)
	must(s.DeleteVersion(ctx, v.ARN, start()))(t)
	if in := must(s.ModelInUse(ctx, "m", v.ID))(t); !in {
		t.Error("the copy uses the model")
	}
	must(s.StartVersion(ctx, c.ARN, 1, 0, start()))(t)
}

func leases(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	newDataset(t, s, p, custom.Train)
	v := newVersion(t, s, p, "v")
	task := custom.Task{Work: custom.TrainWork, Subject: v.ID}
	ctx := t.Context()
	a := must(s.Claim(ctx, task, "a", start()))(t)
	wantCode(t, "another worker", refused(s.Claim(ctx, task, "b", start().Add(custom.LeaseTime-time.Millisecond))), trilobite.InUse)
	ok(t, s.Extend(ctx, a, start().Add(custom.Heartbeat)))
	wantCode(t, "after the heartbeat", refused(s.Claim(ctx, task, "b", start().Add(custom.LeaseTime))), trilobite.InUse)
	late := start().Add(custom.Heartbeat + custom.LeaseTime)
	b := must(s.Claim(ctx, task, "b", late))(t)
	if b.Token <= a.Token {
		t.Errorf("tokens %d, then %d", a.Token, b.Token)
	}
	wantCode(t, "the first worker's heartbeat", s.Extend(ctx, a, late), trilobite.Canceled)
	ok(t, s.FinishVersion(ctx, b, custom.DidTrain, v.VersionDetail))
	wantCode(t, "a task that is done", refused(s.Claim(ctx, task, "c", late)), trilobite.NotFound)
}

func sweeping(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	newDataset(t, s, p, custom.Train)
	v := newVersion(t, s, p, "v")
	ctx := t.Context()
	sweep := func(after time.Duration) int { return must(s.Sweep(ctx, start().Add(after)))(t) }
	if n := sweep(custom.LeaseTime - time.Millisecond); n != 0 {
		t.Errorf("%d tasks swept before their time", n)
	}
	if n := sweep(custom.LeaseTime); n != 1 {
		t.Errorf("%d tasks swept whose job was lost, want 1", n)
	}
	if n := sweep(custom.LeaseTime + custom.Sweep); n != 0 {
		t.Errorf("%d tasks swept again at once", n)
	}
	l := must(s.Claim(ctx, custom.Task{Work: custom.TrainWork, Subject: v.ID}, "a", start().Add(time.Hour)))(t)
	if n := sweep(time.Hour + custom.LeaseTime); n != 1 {
		t.Errorf("%d tasks swept whose worker died, want 1", n)
	}
	wantCode(t, "the dead worker", s.Extend(ctx, l, start().Add(time.Hour)), trilobite.Canceled)
}

func lateWorkers(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := must(s.CreateDataset(t.Context(), custom.NewDataset{Project: p.ARN, Type: custom.Train, Manifest: &custom.Object{}, CreatedAt: start()}))(t)
	old := claim(t, s, custom.ImportWork, d.ID)
	ctx := t.Context()
	now := must(s.Claim(ctx, old.Task, "b", start().Add(time.Hour)))(t)
	wantCode(t, "AddEntries", s.AddEntries(ctx, old, []custom.Entry{entry(1)}), trilobite.Canceled)
	wantCode(t, "Check", s.Check(ctx, old, nil), trilobite.Canceled)
	wantCode(t, "FinishDataset", s.FinishDataset(ctx, old, custom.DidImport, "", start()), trilobite.Canceled)
	ok(t, s.AddEntries(ctx, now, []custom.Entry{entry(2)}))
	ok(t, s.FinishDataset(ctx, now, custom.DidImport, "", start()))
	wantCode(t, "afterwards", s.FinishDataset(ctx, now, custom.DidImport, "", start()), trilobite.Canceled)
	if got := must(s.Entries(ctx, d.ARN, custom.EntryQuery{Limit: 9}))(t); len(got) != 1 || got[0].SourceRef != entry(2).SourceRef {
		t.Errorf("entries %+v", got)
	}
	v := newVersion(t, s, p, "v")
	old = claim(t, s, custom.TrainWork, v.ID)
	must(s.Claim(ctx, old.Task, "b", start().Add(time.Hour)))(t)
	wantCode(t, "Note", s.Note(ctx, old, v.VersionDetail), trilobite.Canceled)
	wantCode(t, "HasRead", s.HasRead(ctx, old), trilobite.Canceled)
	wantCode(t, "Remove", refused(s.Remove(ctx, custom.Lease{Task: custom.Task{Work: custom.DeleteVersionWork, Subject: v.ID}}, 1)), trilobite.Canceled)
	wantCode(t, "FinishVersion", s.FinishVersion(ctx, old, custom.DidTrain, v.VersionDetail), trilobite.Canceled)
}

func tokens(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d := newDataset(t, s, p, custom.Train)
	ok(t, s.UpdateEntries(t.Context(), d.ARN, nil, start()))
	old := claim(t, s, custom.CheckWork, d.ID)
	ok(t, s.FinishDataset(t.Context(), old, custom.DidUpdate, "", start()))
	ok(t, s.UpdateEntries(t.Context(), d.ARN, nil, start()))
	claim(t, s, custom.CheckWork, d.ID)
	wantCode(t, "the lease of an earlier update", s.FinishDataset(t.Context(), old, custom.DidUpdate, "", start()), trilobite.Canceled)
}

func deletion(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	d, e := newDataset(t, s, p, custom.Train), newDataset(t, s, p, custom.Test)
	update(t, s, d, entry(1, "x"), entry(2, "y"))
	update(t, s, e, entry(3, "x"))
	v := trained(t, s, p, "v")
	ctx := t.Context()
	ok(t, s.Tag(ctx, p.ARN, map[string]string{"a": "b"}))
	ok(t, s.PutPolicy(ctx, custom.Policy{Project: p.ARN, Name: "p", Revision: "1", Document: "{}"}, ""))
	must(s.DeleteVersion(ctx, v.ARN, start()))(t)
	must(s.DeleteVersion(ctx, v.ARN, start()))(t) // again
	wantCode(t, "while a version is being deleted", refused(s.DeleteProject(ctx, p.ARN, start())), trilobite.InUse)
	remove(t, s, custom.DeleteVersionWork, v.ID)
	wantCode(t, "the version", refused(s.Version(ctx, v.ARN)), trilobite.NotFound)
	if got := must(s.DeleteProject(ctx, p.ARN, start()))(t); got.Status != custom.ProjectDeleting {
		t.Errorf("status %s", got.Status)
	}
	must(s.DeleteProject(ctx, p.ARN, start()))(t) // again
	wantCode(t, "a version of a dying project", refused(s.CreateVersion(ctx, custom.NewVersion{Project: p.ARN, Name: "w", CreatedAt: start()})), trilobite.InUse)
	remove(t, s, custom.DeleteProjectWork, p.ID)
	wantCode(t, "the project", refused(s.Project(ctx, p.ARN)), trilobite.NotFound)
	wantCode(t, "its data set", refused(s.Dataset(ctx, d.ARN)), trilobite.NotFound)
	again := newProject(t, s, ours, "a")
	if got := must(s.Tags(ctx, again.ARN))(t); len(got) != 0 {
		t.Errorf("tags %v of the project before", got)
	}
	if again.ID == p.ID {
		t.Error("an ID came back")
	}
}

func tags(t *testing.T, s custom.Store) {
	p := must(s.CreateProject(t.Context(), custom.NewProject{ARN: projectARN(ours, "a"), Tags: map[string]string{"k": "v", "é": ""}, CreatedAt: start()}))(t)
	d := newDataset(t, s, p, custom.Train)
	v := newVersion(t, s, p, "v")
	ctx := t.Context()
	want := func(a custom.ARN, want map[string]string) {
		t.Helper()
		if diff := cmp.Diff(want, must(s.Tags(ctx, a))(t)); diff != "" {
			t.Errorf("tags of %s (-want +got):\n%s", a.Kind, diff)
		}
	}
	want(p.ARN, map[string]string{"k": "v", "é": ""})
	want(d.ARN, map[string]string{})
	ok(t, s.Tag(ctx, p.ARN, map[string]string{"k": "w", "K": "x"}))
	ok(t, s.Tag(ctx, v.ARN, map[string]string{"k": "version's"}))
	ok(t, s.Untag(ctx, p.ARN, []string{"é", "none"}))
	want(p.ARN, map[string]string{"k": "w", "K": "x"})
	want(v.ARN, map[string]string{"k": "version's"})
	many := map[string]string{}
	for i := range custom.MaxTags {
		many[fmt.Sprint("tag", i)] = "x"
	}
	wantCode(t, "202 tags", s.Tag(ctx, p.ARN, many), trilobite.LimitExceeded)
	want(p.ARN, map[string]string{"k": "w", "K": "x"})
	ok(t, s.Tag(ctx, d.ARN, many))
}

func policies(t *testing.T, s custom.Store) {
	p := newProject(t, s, ours, "a")
	ctx := t.Context()
	one := custom.Policy{Project: p.ARN, Name: "one", Revision: "r1", Document: `{"a":1}`, CreatedAt: start(), UpdatedAt: start()}
	ok(t, s.PutPolicy(ctx, one, ""))
	wantCode(t, "the same name", s.PutPolicy(ctx, one, ""), trilobite.Exists)
	wantCode(t, "another revision", s.PutPolicy(ctx, one, "r0"), trilobite.Invalid)
	two := one
	two.Revision, two.Document, two.UpdatedAt = "r2", `{"a":2}`, start().Add(time.Hour)
	ok(t, s.PutPolicy(ctx, two, "r1"))
	three := one
	three.Name = "three"
	ok(t, s.PutPolicy(ctx, three, ""))
	if diff := cmp.Diff([]custom.Policy{two, three}, must(s.Policies(ctx, p.ARN, "", 9))(t)); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	if got := must(s.Policies(ctx, p.ARN, "one", 9))(t); len(got) != 1 || got[0].Name != "three" {
		t.Errorf("after one: %+v", got)
	}
	wantCode(t, "deletion by an old revision", s.DeletePolicy(ctx, p.ARN, "one", "r1"), trilobite.Invalid)
	ok(t, s.DeletePolicy(ctx, p.ARN, "one", "r2"))
	ok(t, s.DeletePolicy(ctx, p.ARN, "three", ""))
	wantCode(t, "deletion again", s.DeletePolicy(ctx, p.ARN, "one", ""), trilobite.NotFound)
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
