package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/custom"
)

// Quotas holds a store to the quotas that it was given: two projects, three versions, one
// training and one running version an account; and to an audit that names keys.
func Quotas(t *testing.T, s custom.Store) {
	t.Helper()
	ctx := custom.WithKey(t.Context(), "KEY1")
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	project := func(account, name string) (custom.Project, error) {
		return s.CreateProject(ctx, custom.NewProject{ARN: custom.ARN{Region: "r", Account: account, Project: name, Kind: custom.ProjectKind}, CreatedAt: now})
	}
	limited := func(what string, err error) {
		t.Helper()
		if trilobite.CodeOf(err) != trilobite.LimitExceeded {
			t.Errorf("%s: %v, want LimitExceeded", what, err)
		}
	}
	p, err := project("1", "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := project("1", "b"); err != nil {
		t.Fatal(err)
	}
	_, err = project("1", "c")
	limited("a third project", err)
	if _, err := project("2", "c"); err != nil {
		t.Errorf("another account's: %v", err)
	}
	version := func(name string) (custom.Version, error) {
		return s.CreateVersion(ctx, custom.NewVersion{Project: p.ARN, Name: name, CreatedAt: now,
			Detail: custom.VersionDetail{Training: []custom.Object{{Bucket: "b", Key: "m"}}}})
	}
	finish := func(v custom.Version, w custom.Work, event string) {
		t.Helper()
		l, err := s.Claim(ctx, custom.Task{Work: w, Subject: v.ID}, "w", now)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.FinishVersion(ctx, l, event, v.VersionDetail); err != nil {
			t.Fatal(err)
		}
	}
	var versions []custom.Version
	for _, name := range []string{"v1", "v2", "v3"} {
		v, err := version(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "v1" {
			_, err = version("too soon")
			limited("a second training", err)
		}
		finish(v, custom.TrainWork, custom.DidTrain)
		versions = append(versions, v)
	}
	_, err = version("v4")
	limited("a fourth version", err)
	if _, err := s.StartVersion(ctx, versions[0].ARN, 1, 0, now); err != nil {
		t.Fatal(err)
	}
	_, err = s.StartVersion(ctx, versions[1].ARN, 1, 0, now)
	limited("a second that runs", err)

	changes, err := s.Audit(ctx, custom.AuditQuery{Account: "1", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range changes {
		changes[i].ID = 0
	}
	want := []custom.Change{
		{At: now, Account: "1", KeyID: "KEY1", Action: custom.StartCall, Resource: versions[0].ARN.String()},
		{At: now, Account: "1", KeyID: "KEY1", Action: "create", Resource: versions[2].ARN.String()},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("audit (-want +got)\n%s", diff)
	}
	if n, err := s.ForgetAudit(ctx, now.Add(time.Millisecond)); err != nil || n == 0 {
		t.Errorf("forgotten: %d, %v", n, err)
	}
	if left, err := s.Audit(ctx, custom.AuditQuery{Limit: 9}); err != nil || len(left) != 0 {
		t.Errorf("what is left: %v, %v", left, err)
	}
	models, training, err := s.Kept(ctx)
	if err != nil || len(models) != 0 || len(training) != 0 {
		t.Errorf("kept: %v, %v, %v; want nothing", models, training, err)
	}
	quotaRaces(t, s)
}

// quotaRaces holds a store to the quotas while many ask at once.
func quotaRaces(t *testing.T, s custom.Store) {
	t.Helper()
	const askers = 8
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	race := func(what string, want int, call func(n int) error) {
		t.Helper()
		var all sync.WaitGroup
		begin, done := make(chan struct{}), make(chan error, askers)
		for n := range askers {
			all.Go(func() { <-begin; done <- call(n) })
		}
		close(begin)
		all.Wait()
		close(done)
		got := 0
		for err := range done {
			switch {
			case err == nil:
				got++
			case trilobite.CodeOf(err) != trilobite.LimitExceeded:
				t.Errorf("%s: %v", what, err)
			}
		}
		if got != want {
			t.Errorf("%d %s at once, want %d", got, what, want)
		}
	}
	arn := func(account, name string) custom.ARN {
		return custom.ARN{Region: "r", Account: account, Project: name, Kind: custom.ProjectKind}
	}
	race("projects", 2, func(n int) error {
		_, err := s.CreateProject(t.Context(), custom.NewProject{ARN: arn("3", fmt.Sprint("p", n)), CreatedAt: now})
		return err
	})
	projects, err := s.Projects(t.Context(), "3", custom.ProjectQuery{Limit: 9})
	if err != nil || len(projects) != 2 {
		t.Fatalf("projects: %v, %v", projects, err)
	}
	race("trainings", 1, func(n int) error {
		_, err := s.CreateVersion(t.Context(), custom.NewVersion{Project: projects[n%2].ARN, Name: fmt.Sprint("v", n), CreatedAt: now,
			Detail: custom.VersionDetail{Training: []custom.Object{{Bucket: "b", Key: "m"}}}})
		return err
	})
}
