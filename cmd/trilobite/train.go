package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/train/segmentation"
	"trilobite/zoo"
)

// trainFlags are what `trilobite train` is told.
type trainFlags struct {
	task, name, val    string
	network            string // for segmentation
	model, modelText   string // a model file, and what it says
	backbone, unfreeze string
	epochs             int
	budget             time.Duration
	seed               uint64
	resume, json       bool
	data               open.Options
}

func newTrainCmd(app *App) *cobra.Command {
	var f trainFlags
	cmd := &cobra.Command{
		Use:   "train DATASET",
		Short: "Train a model of your own on labelled pictures",
		Long: `Trains a classifier of pictures with classes, a detector of pictures with boxes, or a network that
names every pixel of pictures with masks. DATASET is a folder or a file of any format in
docs/datasets.md; where it has no validation part, and --val names none, a fifth of the pictures is
held out.

A network that knows ImageNet stays as it is and what is new at its end learns your classes: a
classifier in seconds, the others in minutes. --unfreeze trains more of it afterwards: slower,
and better where there are many pictures unlike photographs.

The model is installed under --name, ready for label, detect or segment --model, serve --models and eval.
A training that is stopped keeps its best checkpoint and goes on with --resume.`,
		Example: `  trilobite train photos/ --name mushrooms
  trilobite train cells/ --task detect --name cells --epochs 20
  trilobite train leaves/ --name leaves --network unet
  trilobite train photos/ --name mushrooms2 --unfreeze 3 --epochs 20 --budget 30m
  trilobite train photos/ --name mushrooms2 --resume`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runTrain(cmd, app, args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.task, "task", "", "`what` to train, "+strings.Join(trainTasks(), ", ")+" (default what the data set is labelled for)")
	fl.StringVar(&f.name, "name", "", "the model's `name`: lower-case letters, digits, dots, dashes")
	fl.StringVar(&f.val, "val", "", "`data set` to validate on, in place of DATASET's own part")
	fl.StringVar(&f.network, "network", "", "of segmentation, "+strings.Join(segmentation.Networks(), ", ")+" (default "+segmentation.DeepLab+")")
	fl.StringVar(&f.model, "model", "", "model `file` that says what to train and how, in place of --backbone, --unfreeze and --epochs")
	fl.StringVar(&f.backbone, "backbone", "efficientnet-lite0", "the `model` to start from")
	fl.StringVar(&f.unfreeze, "unfreeze", "", "also train the last N blocks, or the parameters that a `pattern` matches")
	fl.IntVar(&f.epochs, "epochs", 0, "passes over the pictures (default: as docs/training.md says for the task)")
	fl.DurationVar(&f.budget, "budget", 0, "stop after this `time`, such as 20m, with the best so far")
	fl.Uint64Var(&f.seed, "seed", 0, "makes everything random; the same seed gives the same model")
	fl.BoolVar(&f.resume, "resume", false, "go on with the newest training of this name")
	fl.BoolVar(&f.json, "json", false, "print what happens as JSON Lines")
	addDatasetFlags(fl, &f.data)
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
	if f.epochs < 0 || f.budget < 0 {
		return fmt.Errorf("--epochs and --budget are %d and %v; they cannot be negative", f.epochs, f.budget)
	}
	spec, err := modelText(&f)
	if err != nil {
		return err
	}
	set, err := readTraining(path, f)
	if err != nil {
		return err
	}
	if spec != nil && len(spec.Classes) > 0 && !slices.Equal(spec.Classes, set.Classes) {
		return fmt.Errorf("%s: classes: are %s, the data set's %s", f.model, strings.Join(spec.Classes, ", "), strings.Join(set.Classes, ", "))
	}
	t, err := openTraining(cmd.Context(), c, path, set, f)
	if err != nil {
		return err
	}
	model, err := t.run(cmd)
	if err != nil {
		return t.end(err)
	}
	installed, err := t.install(cmd, store, model)
	if err != nil {
		return t.end(err)
	}
	report, err := t.finish(cmd, model)
	if err != nil {
		return err
	}
	return printTraining(cmd.OutOrStdout(), installed, model, t, report)
}

// readTraining reads the pictures, those of --val included.
func readTraining(path string, f trainFlags) (*dataset.Set, error) {
	found, err := open.Dataset(path, f.data)
	if err != nil {
		return nil, err
	}
	if f.val == "" {
		return found.Set, nil
	}
	val, err := open.Dataset(f.val, open.Options{Format: f.data.Format})
	if err != nil {
		return nil, err
	}
	set, err := withValidation(found.Set, val.Set)
	if err != nil {
		return nil, fmt.Errorf("--val %s: %w", f.val, err)
	}
	return set, nil
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

// printTraining says what came out and what to do with it.
func printTraining(w io.Writer, installed zoo.Model, m *learned, t *training, report string) error {
	run := t.folder.Run()
	if t.flags.json {
		return json.NewEncoder(w).Encode(map[string]any{
			"kind": "installed", "model": installed.Ref(), "dir": installed.Dir, "run": run.ID,
			"seconds": m.Seconds, "stopped": m.Stopped, "best": m.Best, "report": report,
		})
	}
	fmt.Fprintf(w, "model\t%s\n", installed.Ref())
	if m.Best != nil {
		for _, name := range slices.Sorted(maps.Keys(m.Best.Metrics)) {
			fmt.Fprintf(w, "%s\t%.4f\n", name, m.Best.Metrics[name])
		}
	}
	fmt.Fprintf(w, "steps\t%d (%s)\nseconds\t%.1f\nrun\t%s\nreport\t%s\n", m.Steps, m.Stopped, m.Seconds, run.ID, report)
	command := map[string]string{zoo.Classify: "label", zoo.Detect: "detect", zoo.Segment: "segment"}[m.card.Task]
	fmt.Fprintf(w, "try\ttrilobite %s --model %s PICTURE\n", command, installed.Name)
	return nil
}
