package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"trilobite"
	"trilobite/config"
	"trilobite/dataset"
	"trilobite/ort"
	"trilobite/runs"
	"trilobite/zoo"
)

// resumeRun opens the newest run of the name and takes its settings over; a budget may be
// new.
func resumeRun(c config.Config, f *trainFlags) (*runs.Folder, error) {
	folder, err := runs.NewStore(c.Home).Open(f.name)
	if trilobite.CodeOf(err) == trilobite.NotFound {
		return nil, &trilobite.Error{Op: "train", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no training called %s to resume; leave --resume out to start one.", f.name)}
	} else if err != nil {
		return nil, err
	}
	budget := f.Budget
	f.trainSettings = trainSettings{}
	if err := json.Unmarshal(folder.Run().Recipe, &f.trainSettings); err != nil {
		return nil, fmt.Errorf("reading the settings of run %s: %w", folder.Run().ID, err)
	}
	f.Budget = cmp.Or(budget, f.Budget)
	return folder, nil
}

// newRun makes the folder of a new run.
func newRun(c config.Config, t *training, f trainFlags) (*runs.Folder, error) {
	recipe, err := json.Marshal(t.trainSettings)
	if err != nil {
		return nil, err
	}
	full := t.path
	if !t.imported {
		if full, err = filepath.Abs(t.path); err != nil {
			return nil, err
		}
	}
	r := runs.Run{Name: f.name, Task: t.Task, Seed: t.Seed, Recipe: recipe, Epochs: t.Epochs,
		Versions: map[string]string{"trilobite": version, "onnxruntime": ort.LibraryVersion},
		Dataset: runs.Dataset{Path: full, Digest: t.digest, Classes: t.set.Classes,
			Train: len(t.set.Part(dataset.Train)), Validation: len(t.set.Part(dataset.Val))}}
	for _, d := range t.set.Dropped {
		r.Dataset.Dropped = append(r.Dataset.Dropped, runs.Dropped(d))
	}
	return runs.NewStore(c.Home).Create(r)
}

// fingerprint is of all that a training which is resumed must agree in.
func (t *training) fingerprint() (string, error) {
	s := t.trainSettings
	s.Budget = 0 // may differ
	text, err := json.Marshal(s)
	return t.digest + " " + string(text), err
}

// kept says what there is of a run that was stopped.
func kept(folder *runs.Folder) string {
	if _, err := os.Stat(folder.Path("best.safetensors")); err == nil {
		return "Its best checkpoint is " + folder.Path("best.safetensors")
	}
	return "It has no checkpoint of an evaluation yet"
}

// measure measures the result on the test part, or else on what validated, and records
// it; nil where there is neither.
func (t *training) measure(ctx context.Context, m *trainResult) (*runs.Evaluation, error) {
	pictures, _ := t.measured()
	if len(pictures.Images) == 0 {
		return nil, nil
	}
	e, err := t.task.measure(ctx, t, m, pictures)
	if err != nil {
		return nil, err
	}
	return e, t.folder.SaveEvaluation(*e)
}

// install puts the trained model into the model store.
func (t *training) install(ctx context.Context, m *trainResult, e *runs.Evaluation) (zoo.Model, error) {
	tax, err := t.puller.Taxonomy(ctx)
	if err != nil {
		return zoo.Model{}, err
	}
	labels, err := zoo.NameClasses(t.set.Classes, tax)
	if err != nil {
		return zoo.Model{}, err
	}
	run := t.folder.Run()
	card := m.card
	card.Name, card.Task = run.Name, t.Task
	card.Licence += " (weights it started from)"
	card.Title = fmt.Sprintf("%d classes learned from %s", len(t.set.Classes), filepath.Base(run.Dataset.Path))
	card.Source = zoo.Source{File: t.folder.Path(weightsFile)}
	if e != nil {
		_, part := t.measured()
		for _, f := range e.Figures {
			card.Figures = append(card.Figures, zoo.Figure{Data: part + " part of " + run.Dataset.Path, Measure: f.Name, Value: float64(f.Value), Command: "trilobite train"})
		}
	}
	installed, err := t.puller.Store.Put(card, m.graph, labels)
	if err != nil {
		return installed, err
	}
	if err := keepWeights(installed, m.state); err != nil {
		return installed, err
	}
	return installed, t.folder.Update(func(r *runs.Run) {
		r.Model = installed.Ref()
		if m.Best != nil {
			r.Best = &runs.Best{Metric: t.task.headline[0], Value: m.Best.Metrics[t.task.headline[0]], Epoch: m.Best.Epoch, Step: m.Best.Step}
		}
	})
}

// tell says what came out and what to do with it.
func (t *training) tell(w io.Writer, installed zoo.Model, m *trainResult, e *runs.Evaluation, report string, asJSON bool) error {
	_, part := t.measured()
	figures := map[string]runs.Number{}
	if e != nil {
		for _, f := range e.Figures {
			figures[f.Name] = f.Value
		}
	}
	if asJSON {
		out := map[string]any{
			"kind": "installed", "model": installed.Ref(), "dir": installed.Dir, "run": t.folder.Run().ID, "report": report,
			"seconds": m.Seconds, "stopped": m.Stopped, "best": m.Best,
		}
		if e != nil {
			out[part] = map[string]any{"images": e.Images, "figures": figures}
		}
		return json.NewEncoder(w).Encode(out)
	}
	fmt.Fprintf(w, "model\t%s\n", installed.Ref())
	if e != nil {
		fmt.Fprintf(w, "measured on\t%d pictures of the %s part\n", e.Images, part)
		for _, f := range e.Figures {
			fmt.Fprintf(w, "%s\t%.4f\n", f.Name, float64(f.Value))
		}
	}
	fmt.Fprintf(w, "steps\t%d (%s)\nseconds\t%.1f\nreport\t%s\n", m.Steps, m.Stopped, m.Seconds, report)
	verb := map[string]string{zoo.Classify: "label", zoo.Detect: "detect", zoo.Segment: "segment"}[t.Task]
	_, err := fmt.Fprintf(w, "try\ttrilobite %s --model %s PICTURE\n", verb, installed.Name)
	return err
}
