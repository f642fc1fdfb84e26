package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/config"
	"trilobite/dataset"
	"trilobite/dataset/folders"
	"trilobite/ort"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/classification"
	"trilobite/zoo"
)

// trainFlags are what `trilobite train` is told.
type trainFlags struct {
	classification.Params

	name   string
	resume bool
	json   bool
}

func newTrainCmd(app *App) *cobra.Command {
	var f trainFlags
	cmd := &cobra.Command{
		Use:   "train DATASET",
		Short: "Train a model of your own on labelled pictures",
		Long: `Trains a classifier. DATASET is a folder with one folder of pictures per class, or train/ and
val/ or test/ with those inside; without a validation part a fifth of each class is held out.

A network that knows ImageNet stays as it is and a new last layer learns your classes, which
takes seconds. --unfreeze trains more of it afterwards, on pictures that are cropped and
mirrored at random: slower, and better where there are many pictures unlike photographs.

The model is installed under --name, ready for label --model, serve --models and eval. A
training that is stopped keeps its best checkpoint and goes on with --resume.`,
		Example: `  trilobite train photos/ --name mushrooms
  trilobite train photos/ --name mushrooms2 --unfreeze 3 --epochs 20 --budget 30m
  trilobite train photos/ --name mushrooms2 --resume`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runTrain(cmd, app, args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "the model's `name`: lower-case letters, digits, dots, dashes")
	fl.StringVar(&f.Backbone, "backbone", "efficientnet-lite0", "the `model` to start from")
	fl.StringVar(&f.Unfreeze, "unfreeze", "", "also train the last N blocks, or the parameters that a `pattern` matches")
	fl.IntVar(&f.Epochs, "epochs", 0, "passes over the pictures (default 200 of the last layer, 10 with --unfreeze)")
	fl.DurationVar(&f.Budget, "budget", 0, "stop after this `time`, such as 20m, with the best so far")
	fl.Uint64Var(&f.Seed, "seed", 0, "makes everything random; the same seed gives the same model")
	fl.BoolVar(&f.resume, "resume", false, "go on with the newest training of this name")
	fl.BoolVar(&f.json, "json", false, "print what happens as JSON Lines")
	cobra.CheckErr(cmd.MarkFlagRequired("name"))
	return cmd
}

func runTrain(cmd *cobra.Command, app *App, path string, f trainFlags) error {
	c, err := app.config(cmd)
	if err != nil {
		return err
	}
	store := zoo.NewStore(c.Home)
	if err := nameFree(store, f.name); err != nil {
		return err
	}
	if f.Epochs < 0 || f.Budget < 0 {
		return fmt.Errorf("--epochs and --budget are %d and %v; they cannot be negative", f.Epochs, f.Budget)
	}
	set, err := folders.Read(path)
	if err == nil {
		err = set.CheckClassification()
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	folder, err := openRun(c, path, set, &f)
	if err != nil {
		return err
	}
	model, card, err := trainIn(cmd, c, folder, set, f)
	if err != nil {
		return endRun(folder, f, path, err)
	}
	installed, err := install(cmd, c, store, folder, set, card, model, f)
	if err != nil {
		return endRun(folder, f, path, err)
	}
	if err := folder.Finish(runs.Done, nil); err != nil {
		return err
	}
	return reportTraining(cmd.OutOrStdout(), installed, model, folder, f.json)
}

// nameFree fails where a model has the name, or one that can be pulled would.
func nameFree(store *zoo.Store, name string) error {
	known, err := zoo.Known()
	if err != nil {
		return err
	}
	m, err := store.Get(name)
	switch {
	case err == nil:
		return &trilobite.Error{Op: "train", Code: trilobite.Exists, Msg: fmt.Sprintf("There is a model %s already; choose another --name, or remove it with `trilobite models rm %s`.", m.Ref(), name)}
	case slices.ContainsFunc(known, func(c zoo.Card) bool { return c.Name == name }):
		return &trilobite.Error{Op: "train", Code: trilobite.Exists, Msg: fmt.Sprintf("%s is the name of a model that Trilobite brings; choose another --name.", name)}
	default:
		return nil
	}
}

// openRun makes the folder of a new run, or opens the one to resume and takes its
// settings over; a budget may be new.
func openRun(c config.Config, path string, set *dataset.Set, f *trainFlags) (*runs.Folder, error) {
	store := runs.NewStore(c.Home)
	if f.resume {
		folder, err := store.Open(f.name)
		if trilobite.CodeOf(err) == trilobite.NotFound {
			return nil, &trilobite.Error{Op: "train", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no training called %s to resume; leave --resume out to start one.", f.name)}
		} else if err != nil {
			return nil, err
		}
		budget := f.Budget
		if err := json.Unmarshal(folder.Run().Recipe, &f.Params); err != nil {
			return nil, fmt.Errorf("reading the settings of run %s: %w", folder.Run().ID, err)
		}
		f.Budget = cmp.Or(budget, f.Budget)
		return folder, nil
	}
	recipe, err := json.Marshal(f.Params)
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	split := classification.Divide(set, f.Seed)
	r := runs.Run{Name: f.name, Task: zoo.Classify, Seed: f.Seed, Recipe: recipe, Epochs: f.Epochs,
		Versions: map[string]string{"trilobite": version, "onnxruntime": ort.LibraryVersion},
		Dataset:  runs.Dataset{Path: full, Classes: set.Classes, Train: len(split.Train), Validation: len(split.Validation)}}
	for _, d := range set.Dropped {
		r.Dataset.Dropped = append(r.Dataset.Dropped, runs.Dropped(d))
	}
	return store.Create(r)
}

// trainIn trains in a run's folder.
func trainIn(cmd *cobra.Command, c config.Config, folder *runs.Folder, set *dataset.Set, f trainFlags) (*classification.Model, zoo.Card, error) {
	card, net, err := puller(c, cmd, true).Backbone(cmd.Context(), f.Backbone, len(set.Classes))
	if err != nil {
		return nil, card, err
	}
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, card, err
	}
	show := newTrainView(cmd, folder, set, f.json)
	defer show.close()
	split := classification.Divide(set, f.Seed)
	model, err := classification.Train(cmd.Context(), rt, classification.Data{Set: set, Network: net, Spec: card.Pipeline}, f.Params, train.Options{
		Dir: folder.Path("."), Resume: f.resume, Events: show.events, Dropped: func(validation bool, i int, err error) {
			part := split.Train
			if validation {
				part = split.Validation
			}
			show.dropped(set.Images[part[i]].File, err)
		},
		Runtime: ort.Options{Provider: c.ORT.Provider, Device: c.ORT.Device},
	})
	return model, card, err
}

// endRun records why a training ended and says what can be done.
func endRun(folder *runs.Folder, f trainFlags, path string, why error) error {
	state := runs.Failed
	if trilobite.CodeOf(why) == trilobite.Canceled {
		state = runs.Canceled
		kept := "It has no checkpoint of an evaluation yet"
		if _, err := os.Stat(folder.Path("best.safetensors")); err == nil {
			kept = "Its best checkpoint is " + folder.Path("best.safetensors")
		}
		why = &trilobite.Error{Op: "train", Code: trilobite.Canceled, Err: why, Msg: fmt.Sprintf(
			"The training was stopped. %s. Go on with `trilobite train %s --name %s --resume`.", kept, path, f.name)}
	}
	if err := folder.Finish(state, why); err != nil {
		return fmt.Errorf("%w (and recording it failed: %w)", why, err)
	}
	return why
}

// install puts the trained model into the model store.
func install(cmd *cobra.Command, c config.Config, store *zoo.Store, folder *runs.Folder, set *dataset.Set, base zoo.Card, m *classification.Model, f trainFlags) (zoo.Model, error) {
	tax, err := puller(c, cmd, true).Taxonomy(cmd.Context())
	if err != nil {
		return zoo.Model{}, err
	}
	labels, err := zoo.NameClasses(set.Classes, tax)
	if err != nil {
		return zoo.Model{}, err
	}
	run := folder.Run()
	card := zoo.Card{
		Name: f.name, Title: fmt.Sprintf("%d classes learned from %s", len(set.Classes), filepath.Base(run.Dataset.Path)),
		Task: zoo.Classify, Source: zoo.Source{File: folder.Path("best.safetensors")}, Convert: zoo.Convert{Format: "torch", Network: base.Convert.Network},
		Pipeline: base.Pipeline, Decoder: zoo.Decoder{Name: "softmax"}, Licence: base.Licence + " (weights it started from)",
	}
	if m.Best != nil {
		data := "validation part of " + run.Dataset.Path
		if m.Data.HeldOut {
			data = "held-out fifth of " + run.Dataset.Path
		}
		card.Figures = []zoo.Figure{{Data: data, Measure: "top-1", Value: m.Best.Metrics["accuracy"], Command: "trilobite train"}}
	}
	installed, err := store.Put(card, m.Graph, labels)
	if err != nil {
		return installed, err
	}
	return installed, folder.Update(func(r *runs.Run) {
		r.Model = installed.Ref()
		if m.Best != nil {
			r.Best = &runs.Best{Metric: "accuracy", Value: m.Best.Metrics["accuracy"], Epoch: m.Best.Epoch, Step: m.Best.Step}
		}
	})
}

// reportTraining says what came out and what to do with it.
func reportTraining(w io.Writer, installed zoo.Model, m *classification.Model, folder *runs.Folder, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{
			"kind": "installed", "model": installed.Ref(), "dir": installed.Dir, "run": folder.Run().ID,
			"seconds": m.Seconds, "stopped": m.Stopped, "best": m.Best,
		})
	}
	fmt.Fprintf(w, "model\t%s\n", installed.Ref())
	if m.Best != nil {
		for _, name := range slices.Sorted(maps.Keys(m.Best.Metrics)) {
			fmt.Fprintf(w, "%s\t%.4f\n", name, m.Best.Metrics[name])
		}
	}
	fmt.Fprintf(w, "steps\t%d (%s)\nseconds\t%.1f\nrun\t%s\n", m.Steps, m.Stopped, m.Seconds, folder.Run().ID)
	fmt.Fprintf(w, "try\ttrilobite label --model %s PICTURE\n", installed.Name)
	return nil
}

// trainView shows a training to people, or to programs, and records it in its run.
type trainView struct {
	cmd    *cobra.Command
	folder *runs.Folder
	events chan train.Event
	done   chan struct{}
	set    *dataset.Set
	lines  *json.Encoder // nil: a bar for people
	bar    progress
	lost   int
}

func newTrainView(cmd *cobra.Command, folder *runs.Folder, set *dataset.Set, asJSON bool) *trainView {
	v := &trainView{cmd: cmd, folder: folder, set: set, events: make(chan train.Event, 64), done: make(chan struct{})}
	if asJSON {
		v.lines = json.NewEncoder(cmd.OutOrStdout())
	} else {
		v.bar = newProgress(cmd.ErrOrStderr())
		for _, d := range set.Dropped {
			v.bar.line(fmt.Sprintf("left out: %s", d))
		}
	}
	go v.listen()
	return v
}

func (v *trainView) listen() {
	defer close(v.done)
	var failed error
	for e := range v.events {
		if e.Kind != "features" { // one a picture: for the eye alone
			if err := v.folder.Append(runs.Event(e)); err != nil && failed == nil {
				failed = err
				fmt.Fprintf(v.cmd.ErrOrStderr(), "trilobite: the run's events are not recorded: %v\n", err)
			}
		}
		if v.lines != nil {
			_ = v.lines.Encode(runs.Event(e)) // a reader that is gone has no one to tell
			continue
		}
		v.show(e)
	}
}

func (v *trainView) show(e train.Event) {
	switch e.Kind {
	case "features":
		v.bar.set("pictures", e.Step, e.Steps, "")
	case "step":
		v.bar.set(e.Stage, e.Step, e.Steps, fmt.Sprintf("loss %.4f  %.0f images/s  %s left", e.Loss, e.ImagesPerSecond, e.ETA.Round(time.Second)))
	case "evaluation":
		v.bar.line(fmt.Sprintf("step %d: accuracy %.4f, loss %.4f", e.Step, e.Metrics["accuracy"], e.Metrics["loss"]))
	}
}

// dropped is told of a picture that cannot be read.
func (v *trainView) dropped(file string, why error) {
	v.lost++
	reason := errorText(why)
	_ = v.folder.Update(func(r *runs.Run) { // the list is a courtesy; a full disk shows elsewhere
		r.Dataset.Dropped = append(r.Dataset.Dropped, runs.Dropped{File: file, Reason: reason})
	})
	if v.lines == nil {
		v.bar.line(fmt.Sprintf("left out: %s: %s", file, strings.TrimSuffix(reason, ".")))
	} else {
		_ = v.lines.Encode(map[string]string{"kind": "dropped", "file": file, "reason": reason}) // see listen
	}
}

func (v *trainView) close() {
	close(v.events)
	<-v.done
	v.bar.end()
	if n := v.lost + len(v.set.Dropped); n > 0 && v.lines == nil {
		fmt.Fprintf(v.cmd.ErrOrStderr(), "%d files were left out; %s lists them\n", n, v.folder.Path("run.json"))
	}
}
