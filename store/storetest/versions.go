package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/custom"
)

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

// copyRaces copies versions while they are deleted: who deletes and then asks whether the
// model is in use hears of every copy that was made.
func copyRaces(t *testing.T, s custom.Store) {
	p, q := newProject(t, s, ours, "a"), newProject(t, s, ours, "b")
	newDataset(t, s, p, custom.Train)
	for n := range 8 {
		name := fmt.Sprint("v", n)
		v := trained(t, s, p, name)
		var both sync.WaitGroup
		var copied error
		both.Go(func() {
			_, copied = s.CopyVersion(t.Context(), custom.NewCopy{Source: v.ARN, Project: q.ARN, Name: name, Output: custom.Output{Bucket: "b"}, CreatedAt: start()})
		})
		inUse := false
		both.Go(func() {
			_, err := s.DeleteVersion(t.Context(), v.ARN, start())
			if err == nil {
				inUse, err = s.ModelInUse(t.Context(), "model of "+name, v.ID)
			}
			if err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if inUse != (copied == nil) || copied != nil && trilobite.CodeOf(copied) != trilobite.Invalid {
			t.Errorf("the copy: %v, the model in use: %v", copied, inUse)
		}
	}
}
