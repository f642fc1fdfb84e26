package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"trilobite/compare"
	"trilobite/dataset"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/train"
	"trilobite/zoo"
)

// own asks an installed model, or trains one as `trilobite train` does.
func (m *routeMaker) own(model string) (compare.Route, error) {
	r := compare.Route{Kind: compare.Own, Service: "trilobite-own"}
	if model == "" {
		r.Train = m.trainOwn
		r.Recipe, r.RecipeJA = recipeOf(m.f.own)
		r.Open = func(ctx context.Context, dir string) (compare.Asker, error) { return m.openOwn(ctx, dir, "own") }
		return r, nil
	}
	card, err := zoo.NewStore(m.c.Home).Get(model)
	if err != nil {
		return r, err
	}
	if card.Task != string(m.task) {
		return r, fmt.Errorf("its task is %s, the comparison's is %s", card.Task, m.task)
	}
	r.Open = func(ctx context.Context, _ string) (compare.Asker, error) { return m.openOwn(ctx, m.c.Home, model) }
	return r, nil
}

// recipeOf says which recipe the settings of a training make, in English and Japanese.
func recipeOf(s trainSettings) (en, ja string) {
	en, ja = "the default recipe", "標準の学習法"
	if s.Unfreeze != "" || s.Network != "" || s.Epochs > 0 || s.Budget > 0 {
		en, ja = "the recipe", "学習法"
	}
	en, ja = en+" on "+s.Backbone, ja+"（"+s.Backbone
	if s.Network != "" {
		en, ja = en+", "+s.Network, ja+"、"+s.Network
	}
	if s.Unfreeze != "" {
		en, ja = en+", its last "+s.Unfreeze+" blocks trained too", ja+"、最後の"+s.Unfreeze+"ブロックも学習"
	}
	if s.Epochs > 0 {
		en, ja = fmt.Sprintf("%s, %d epochs", en, s.Epochs), fmt.Sprintf("%s、%dエポック", ja, s.Epochs)
	}
	if s.Budget > 0 {
		en, ja = fmt.Sprintf("%s, %s at most", en, s.Budget), fmt.Sprintf("%s、最大%s", ja, s.Budget)
	}
	return en + "; nothing was tried out", ja + "）。他の学習法は試していない"
}

func (m *routeMaker) openOwn(ctx context.Context, home, model string) (compare.Asker, error) {
	if m.task != compare.Segment {
		e, err := m.engine(ctx, home, []string{model})
		if err != nil {
			return nil, err
		}
		return compare.NewOwnEngine(e, m.task)
	}
	c := m.c
	c.Home = home
	s, err := openSegmenter(ctx, c, model)
	if err != nil {
		return nil, err
	}
	labels, err := s.card.ReadLabels()
	if err != nil {
		return nil, err
	}
	return compare.Segmenter{
		Model: s.Segmenter, Ref: s.card.Ref(), Classes: labels.Names(), Free: s.model.Close,
		Gate: imageio.NewGate(m.c.Limits.Memory, s.cores), Limits: imageio.Limits{Pixels: int(m.c.Limits.Pixels)},
	}, nil
}

// trainOwn trains on a set and installs the model as "own" in dir.
func (m *routeMaker) trainOwn(ctx context.Context, set *dataset.Set, dir string) error {
	tasks := trainTasks(set)
	at := slices.IndexFunc(tasks, func(t trainTask) bool { return t.name == string(m.task) })
	t := &training{trainSettings: m.f.own, task: tasks[at], config: m.c, puller: puller(m.c, m.cmd, true), runtime: m.rt,
		options: ort.Options{Provider: m.c.ORT.Provider, Device: m.c.ORT.Device}}
	t.Seed = m.f.seed
	var err error
	if t.set, err = t.task.prepare(ctx, set); err != nil {
		return err
	}
	if err := t.checkClasses(); err != nil {
		return err
	}
	if t.task.lastIsBest == nil || !t.task.lastIsBest(t.trainSettings) {
		t.set = t.set.HoldOut(heldOut, t.Seed)
	}
	result, err := t.learnIn(ctx, filepath.Join(dir, "training"))
	if err != nil {
		return err
	}
	tax, err := t.puller.Taxonomy(ctx)
	if err != nil {
		return err
	}
	labels, err := zoo.NameClasses(t.set.Classes, tax)
	if err != nil {
		return err
	}
	card := result.card
	card.Name, card.Task, card.Title = "own", string(m.task), fmt.Sprintf("%d classes learned for a comparison", len(t.set.Classes))
	card.Source = zoo.Source{File: filepath.Join(dir, "training", "best.safetensors")}
	_, err = zoo.NewStore(dir).Put(card, result.graph, labels)
	return err
}

// learnIn trains with a folder of its own, without a run, and goes on from what the folder
// holds.
func (t *training) learnIn(ctx context.Context, dir string) (*trainResult, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	digest, err := t.set.Digest()
	if err != nil {
		return nil, err
	}
	t.digest = digest
	fingerprint, err := t.fingerprint()
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(filepath.Join(dir, "last.safetensors"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	events := make(chan train.Event, 64) // nobody looks: the route's bar stands still meanwhile
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for range events {
		}
	}()
	m, err := t.task.train(ctx, t, train.Options{
		Dir: dir, Resume: err == nil, Fingerprint: fingerprint, Events: events, Dropped: func(bool, int, error) {}, Runtime: t.options,
	})
	close(events)
	<-drained
	return m, err
}
