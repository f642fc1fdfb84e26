package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/zoo"
)

// failureBytes is how much of a failure file SageMaker tells.
const failureBytes = 1024

// trainContainer keeps SageMaker's contract of a training container: hyperparameters are
// the command's flags, channels its data; the model goes where SageMaker packs it up, and
// a failure's reason into its file.
//
//	input/config/hyperparameters.json   {"epochs": "20", "network": "unet"}
//	input/data/CHANNEL/                 training or train; validation or val; test
//	model/                              card.yaml, model.onnx, labels.json
//	output/failure
//
// Source: SageMaker's developer guide, "How Amazon SageMaker AI provides training
// information".
func trainContainer(cmd *cobra.Command, app *App, mlDir string, f *trainFlags) error {
	err := trainChannels(cmd, app, mlDir, f)
	if err == nil {
		return nil
	}
	text := errorText(err)
	dir := filepath.Join(mlDir, "output")
	said := os.MkdirAll(dir, 0o755)
	if said == nil {
		said = os.WriteFile(filepath.Join(dir, "failure"), []byte(text[:min(len(text), failureBytes)]), 0o644)
	}
	return errors.Join(err, said)
}

func trainChannels(cmd *cobra.Command, app *App, mlDir string, f *trainFlags) error {
	if err := setHyperparameters(cmd, filepath.Join(mlDir, "input", "config", "hyperparameters.json")); err != nil {
		return err
	}
	data, val, err := channels(filepath.Join(mlDir, "input", "data"))
	if err != nil {
		return err
	}
	if f.name == "" {
		f.name = "model"
	}
	if val != "" && f.Val == "" {
		f.Val = val
	}
	if err := runTrain(cmd, app, data, *f); err != nil {
		return err
	}
	c, err := app.config(cmd)
	if err != nil {
		return err
	}
	m, err := zoo.NewStore(c.Home).Get(f.name)
	if err != nil {
		return err
	}
	return m.CopyTo(filepath.Join(mlDir, "model"))
}

// setHyperparameters sets the command's flags: the values are strings, which SageMaker's
// own Python package writes as JSON once more. Names of SageMaker's are left aside.
func setHyperparameters(cmd *cobra.Command, file string) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var all map[string]string
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("reading %s: it is an object of strings: %w", file, err)
	}
	for name, value := range all {
		if strings.HasPrefix(name, "sagemaker_") || strings.HasPrefix(name, "_") {
			continue
		}
		var inner string
		if json.Unmarshal([]byte(value), &inner) == nil {
			value = inner
		}
		flag := strings.ReplaceAll(name, "_", "-")
		if cmd.LocalNonPersistentFlags().Lookup(flag) == nil {
			return &trilobite.Error{Op: "train", Code: trilobite.Invalid, Msg: fmt.Sprintf("There is no hyperparameter %q: they are the flags of trilobite train, such as epochs or network.", name)}
		}
		if err := cmd.Flags().Set(flag, value); err != nil {
			return fmt.Errorf("hyperparameter %s: %w", name, err)
		}
	}
	return nil
}

// channels returns the data set of the training, and that of the validation where it is
// another channel: the only channel there is, or those of the usual names. A channel
// called test makes the whole folder the data set, with its parts below.
func channels(dir string) (data, val string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", fmt.Errorf("reading the channels: %w", err)
	}
	var names []string
	for _, e := range entries {
		if at, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && at.IsDir() {
			names = append(names, e.Name())
		}
	}
	find := func(wanted ...string) string {
		for _, n := range wanted {
			if slices.Contains(names, n) {
				return filepath.Join(dir, n)
			}
		}
		return ""
	}
	data, val = find("training", "train"), find("validation", "val")
	switch {
	case data != "" && find("test") != "":
		return dir, "", nil
	case data != "":
		return data, val, nil
	case len(names) == 1:
		return filepath.Join(dir, names[0]), "", nil
	}
	return "", "", &trilobite.Error{Op: "train", Code: trilobite.Invalid, Msg: fmt.Sprintf("The channels in %s are %q: one must be called training.", dir, names)}
}
