package storetest

import (
	"testing"
	"time"

	"trilobite"
	"trilobite/custom"
)

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
