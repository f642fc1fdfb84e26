package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/config"
	"trilobite/dataset/open"
	"trilobite/modelfile"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/segmentation"
	"trilobite/zoo"
)

// trainSettings say what is trained. They are JSON, in the run's folder, so that a
// training can be resumed with them.
type trainSettings struct {
	Task     string        `json:"task"`
	Network  string        `json:"network,omitempty"` // of segmentation; "": the usual one
	Backbone string        `json:"backbone"`
	From     string        `json:"from,omitempty"` // a model that is trained further, whole; "": a new head on the backbone
	Unfreeze string        `json:"unfreeze,omitempty"`
	Epochs   int           `json:"epochs,omitempty"` // 0: the recipe's
	Budget   time.Duration `json:"budget,omitempty"` // 0: none
	Seed     uint64        `json:"seed"`
	Val      string        `json:"val,omitempty"` // another data set, to validate on

	Model *modelfile.Spec `json:"model,omitempty"` // nil: the task's own network and recipe
}

// trainFlags are what `trilobite train` is told.
type trainFlags struct {
	trainSettings

	name         string
	model        string // file
	resume, json bool
	data         open.Options
}

func newTrainCmd(app *App) *cobra.Command {
	var f trainFlags
	var mlDir string
	cmd := &cobra.Command{
		Use:   "train DATASET --name NAME",
		Short: "Train a model of your own on labelled pictures",
		Long: `Trains a classifier of pictures with classes, a detector of pictures with boxes, or a network that
names every pixel of pictures with masks. DATASET is a folder or a file of any format in
docs/datasets.md, such as one folder of pictures per class, also below train/, val/ and test/.
The validation part chooses the checkpoint that is kept; where there is none, and --val names
none, a fifth of the training part is held out for it. A test part never chooses: the result is
measured on it in the end.

A classifier says which one class a picture is of; where some pictures bear several labels, it answers
each label on its own; pictures without any are left out, but for those of a CSV, which says that they
show none.

A network that knows ImageNet stays as it is and what is new at its end learns your classes: a
classifier in seconds, the others in minutes. --unfreeze trains more of it afterwards: slower,
and better where there are many pictures unlike photographs. A model file (--model) says all of
that for a network of your own.

The model is installed under --name, ready for label, detect or segment --model, serve --models and eval.
A training that is stopped keeps its best checkpoint and goes on with --resume.`,
		Example: `  trilobite train photos/ --name mushrooms
  trilobite train cells/ --task detect --name cells --epochs 20
  trilobite train leaves/ --name leaves --network unet
  trilobite train photos/ --name mushrooms2 --unfreeze 3 --epochs 20 --budget 30m
  trilobite train photos/ --name mushrooms3 --model model.yaml
  trilobite train photos/ --name mushrooms2 --resume
  trilobite train street/ --name street2 --from street --unfreeze .`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				c, err := app.config(cmd)
				switch {
				case err != nil:
					return err
				case c.Container:
					return trainContainer(cmd, app, mlDir, &f)
				}
				return errors.New("name the data set to train on")
			}
			if f.name == "" {
				return errors.New(`required flag(s) "name" not set`)
			}
			return runTrain(cmd, app, args[0], f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "the model's `name`: lower-case letters, digits, dots, dashes")
	fl.StringVar(&f.model, "model", "", "model `file` with network and recipe, as trilobite model init writes it; flags override it")
	fl.StringVar(&f.Task, "task", "", "what is learned: "+strings.Join(taskNames(), ", ")+" (default: what the labels are for)")
	fl.StringVar(&f.Val, "val", "", "validate on this `data set`")
	fl.StringVar(&f.Network, "network", "", "of segmentation, "+strings.Join(segmentation.Networks(), ", ")+" (default "+segmentation.DeepLab+")")
	fl.StringVar(&f.Backbone, "backbone", "efficientnet-lite0", "the `model` to put a new head on, one with published weights or an imported one")
	fl.StringVar(&f.From, "from", "", "train this `model` of the store further, an imported one or your own: all of it but the last layer stays, unless unfrozen")
	fl.StringVar(&f.Unfreeze, "unfreeze", "", "also train the last N blocks, or the parameters that a `pattern` matches")
	fl.IntVar(&f.Epochs, "epochs", 0, "passes over the pictures of the last stage (default: see docs/training.md)")
	fl.DurationVar(&f.Budget, "budget", 0, "stop after this `time`, such as 20m, with the best so far")
	fl.Uint64Var(&f.Seed, "seed", 0, "makes everything random; the same seed gives the same model")
	fl.BoolVar(&f.resume, "resume", false, "go on with the newest training of this name")
	fl.BoolVar(&f.json, "json", false, "print what happens as JSON Lines")
	addDatasetFlags(fl, &f.data)
	fl.Bool("container", false, "train as a container of SageMaker does, with what lies in --ml-dir; no DATASET")
	addMLDir(fl, &mlDir)
	return cmd
}

func runTrain(cmd *cobra.Command, app *App, path string, f trainFlags) error {
	c, err := app.config(cmd)
	if err != nil {
		return err
	}
	if err := nameFree(zoo.NewStore(c.Home), f.name); err != nil {
		return err
	}
	if f.Epochs < 0 || f.Budget < 0 {
		return fmt.Errorf("--epochs and --budget are %d and %v; they cannot be negative", f.Epochs, f.Budget)
	}
	if f.From != "" && (f.model != "" || cmd.Flags().Changed("backbone") || cmd.Flags().Changed("network")) {
		return errors.New("--from trains a whole model further, without --model, --backbone or --network")
	}
	if f.model != "" && !f.resume {
		if err := f.readModel(zoo.NewStore(c.Home), f.model, cmd.Flags().Changed); err != nil {
			return err
		}
	}
	var folder *runs.Folder
	if f.resume {
		if folder, err = resumeRun(c, &f); err != nil {
			return err
		}
		if err := f.findImported(zoo.NewStore(c.Home)); err != nil {
			return err
		}
	}
	t, err := openTraining(cmd, c, path, f)
	if err == nil && folder == nil {
		folder, err = newRun(c, t, f)
	}
	if folder == nil {
		return err
	}
	if err == nil {
		t.folder = folder
		err = t.run(cmd, f)
	}
	if err != nil {
		return endRun(c, folder, f, path, err)
	}
	return nil
}

// run trains, measures and installs.
func (t *training) run(cmd *cobra.Command, f trainFlags) error {
	ctx := cmd.Context()
	fingerprint, err := t.fingerprint()
	if err != nil {
		return err
	}
	show := newTrainView(cmd, t, f.json)
	m, err := t.task.train(ctx, t, train.Options{
		Dir: t.folder.Path("."), Resume: f.resume, Fingerprint: fingerprint,
		Events: show.events, Dropped: show.unusable, Runtime: t.options,
	})
	show.close()
	if err != nil {
		return err
	}
	e, err := t.measure(ctx, m)
	if err != nil {
		return err
	}
	installed, err := t.install(ctx, m, e)
	if err != nil {
		return err
	}
	if err := t.folder.Finish(runs.Done, nil); err != nil {
		return err
	}
	report, err := runs.NewStore(t.config.Home).WriteReport(t.folder.Run().ID)
	if err != nil {
		return err
	}
	return t.tell(cmd.OutOrStdout(), installed, m, e, report, f.json)
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

// endRun records why a training ended and says what can be done.
func endRun(c config.Config, folder *runs.Folder, f trainFlags, path string, why error) error {
	state := runs.Failed
	if trilobite.CodeOf(why) == trilobite.Canceled || errors.Is(why, context.Canceled) {
		state = runs.Canceled
		why = &trilobite.Error{Op: "train", Code: trilobite.Canceled, Err: why, Msg: fmt.Sprintf(
			"The training was stopped. %s. Go on with `trilobite train %s --name %s --resume`.", kept(folder), path, f.name)}
	}
	if err := folder.Finish(state, why); err != nil {
		return fmt.Errorf("%w (and recording it failed: %w)", why, err)
	}
	if state == runs.Canceled {
		if _, err := runs.NewStore(c.Home).WriteReport(folder.Run().ID); err != nil {
			return errors.Join(why, err)
		}
	}
	return why
}
