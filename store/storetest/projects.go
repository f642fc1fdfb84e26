package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/custom"
)

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
