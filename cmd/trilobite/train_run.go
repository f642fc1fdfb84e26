package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/config"
	"trilobite/dataset"
	"trilobite/ort"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/zoo"
)

// training is a training under way, in the folder of its run.
type training struct {
	learner

	config config.Config
	path   string // of the data set, as given
	flags  trainFlags
	set    *dataset.Set
	folder *runs.Folder
}

// openTraining makes the folder of a new run, or opens the one to resume.
func openTraining(ctx context.Context, c config.Config, path string, set *dataset.Set, f trainFlags) (*training, error) {
	t := &training{config: c, path: path, flags: f, set: set}
	store := runs.NewStore(c.Home)
	if f.resume {
		return t, t.open(ctx, store)
	}
	var err error
	if t.learner, err = newLearner(cmp.Or(f.task, taskOf(set)), f); err != nil {
		return nil, err
	}
	if set, err = t.prepare(ctx, set); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	t.set = set
	parts, err := t.parts(set)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	recipe, err := json.Marshal(t.settings())
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	r := runs.Run{
		Name: f.name, Task: t.task(), Seed: f.seed, Recipe: recipe, Epochs: f.epochs,
		Versions: map[string]string{"trilobite": version, "onnxruntime": ort.LibraryVersion},
		Dataset:  runs.Dataset{Path: full, Classes: set.Classes, Train: len(parts.train), Validation: len(parts.validation)},
	}
	for _, d := range set.Dropped {
		r.Dataset.Dropped = append(r.Dataset.Dropped, runs.Dropped(d))
	}
	t.folder, err = store.Create(r)
	return t, err
}

// open opens the run to resume and takes its task and settings over; a budget may be new.
func (t *training) open(ctx context.Context, store *runs.Store) error {
	var err error
	t.folder, err = store.Open(t.flags.name)
	if trilobite.CodeOf(err) == trilobite.NotFound {
		return &trilobite.Error{Op: "train", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no training called %s to resume; leave --resume out to start one.", t.flags.name)}
	} else if err != nil {
		return err
	}
	run := t.folder.Run()
	if t.learner, err = newLearner(run.Task, t.flags); err != nil {
		return t.end(err)
	}
	if t.set, err = t.prepare(ctx, t.set); err != nil {
		return t.end(fmt.Errorf("reading %s: %w", t.path, err))
	}
	if err := json.Unmarshal(run.Recipe, t.settings()); err != nil {
		return t.end(fmt.Errorf("reading the settings of run %s: %w", run.ID, err))
	}
	if t.flags.budget > 0 {
		if err := json.Unmarshal(fmt.Appendf(nil, `{"budget": %d}`, t.flags.budget), t.settings()); err != nil {
			return t.end(err)
		}
	}
	return nil
}

// run trains in the folder.
func (t *training) run(cmd *cobra.Command) (*learned, error) {
	parts, err := t.parts(t.set)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.path, err)
	}
	rt, err := openRuntime(t.config.ORT)
	if err != nil {
		return nil, err
	}
	show := newTrainView(cmd, t)
	defer show.close()
	return t.learn(cmd.Context(), workplace{rt, puller(t.config, cmd, true)}, t.set, train.Options{
		Dir: t.folder.Path("."), Resume: t.flags.resume, Events: show.events,
		Dropped: func(validation bool, i int, err error) {
			part := parts.train
			if validation {
				part = parts.validation
			}
			show.dropped(t.set.Images[part[i]].File, err)
		},
		Runtime: ort.Options{Provider: t.config.ORT.Provider, Device: t.config.ORT.Device},
	})
}

// end records why a training ended and says what can be done.
func (t *training) end(why error) error {
	state := runs.Failed
	if trilobite.CodeOf(why) == trilobite.Canceled {
		state = runs.Canceled
		kept := "It has no checkpoint of an evaluation yet"
		if _, err := os.Stat(t.folder.Path("best.safetensors")); err == nil {
			kept = "Its best checkpoint is " + t.folder.Path("best.safetensors")
		}
		why = &trilobite.Error{Op: "train", Code: trilobite.Canceled, Err: why, Msg: fmt.Sprintf(
			"The training was stopped. %s. Go on with `trilobite train %s --name %s --resume`.", kept, t.path, t.flags.name)}
	}
	if err := t.folder.Finish(state, why); err != nil {
		return fmt.Errorf("%w (and recording it failed: %w)", why, err)
	}
	return why
}

// install puts the trained model into the model store.
func (t *training) install(cmd *cobra.Command, store *zoo.Store, m *learned) (zoo.Model, error) {
	tax, err := puller(t.config, cmd, true).Taxonomy(cmd.Context())
	if err != nil {
		return zoo.Model{}, err
	}
	labels, err := zoo.NameClasses(t.set.Classes, tax)
	if err != nil {
		return zoo.Model{}, err
	}
	parts, err := t.parts(t.set)
	if err != nil {
		return zoo.Model{}, err
	}
	run, metric := t.folder.Run(), t.headline()[0]
	m.card.Name = t.flags.name
	m.card.Title = fmt.Sprintf("%d classes learned from %s", len(t.set.Classes), filepath.Base(run.Dataset.Path))
	m.card.Source = zoo.Source{File: t.folder.Path("best.safetensors")}
	m.card.Licence += " (weights it started from)"
	if m.Best != nil {
		data := "validation part of " + run.Dataset.Path
		if parts.heldOut {
			data = "held-out fifth of " + run.Dataset.Path
		}
		m.card.Figures = []zoo.Figure{{Data: data, Measure: metric, Value: m.Best.Metrics[metric], Command: "trilobite train"}}
	}
	installed, err := store.Put(m.card, m.graph, labels)
	if err != nil {
		return installed, err
	}
	return installed, t.folder.Update(func(r *runs.Run) {
		r.Model = installed.Ref()
		if m.Best != nil {
			r.Best = &runs.Best{Metric: metric, Value: m.Best.Metrics[metric], Epoch: m.Best.Epoch, Step: m.Best.Step}
		}
	})
}

// finish measures the model, records that the run is done and writes its report.
func (t *training) finish(cmd *cobra.Command, m *learned) (report string, err error) {
	if m.evaluate != nil && m.Best != nil {
		e, err := m.evaluate(cmd.Context())
		if err != nil {
			return "", t.end(err)
		}
		if err := t.folder.SaveEvaluation(*e); err != nil {
			return "", t.end(err)
		}
	}
	id := t.folder.Run().ID
	if err := t.folder.Finish(runs.Done, nil); err != nil {
		return "", err
	}
	return runs.NewStore(t.config.Home).WriteReport(id)
}
