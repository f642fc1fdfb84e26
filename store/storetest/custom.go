package storetest

import (
	"fmt"
	"testing"

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
		"a copy and a deletion at once":         copyRaces,
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
