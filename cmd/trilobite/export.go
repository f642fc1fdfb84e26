package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/config"
	"trilobite/dataset/open"
	"trilobite/export"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
	"trilobite/zoo"
)

// exportFlags say what file is made of a model.
type exportFlags struct {
	output, calibration string

	int8, preprocessing, json bool
	images                    int
	data                      open.Options
}

func newExportCmd(app *App) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export MODEL -o FILE",
		Short: "Write a model to a file for other programs: .onnx, in eight bits too, or .safetensors",
		Long: `Writes a model of the store to a file.

An .onnx file (opset 22) has labels, task and preprocessing in its metadata. With --preprocessing
they are in the graph: its input is then "image", uint8 (N, height, width, 3), RGB, of any size.
With --int8 it computes with eight-bit integers, whose ranges are measured on pictures of a labelled
data set (--calibration); accuracy and speed before and after are measured too and printed.

A .safetensors file has the weights under PyTorch's names, for the network in torchvision or timm.
docs/models.md has more.`,
		Example: `  trilobite export mushrooms -o mushrooms.onnx
  trilobite export mushrooms -o mushrooms.onnx --preprocessing
  trilobite export mushrooms -o mushrooms-int8.onnx --int8 --calibration photos/
  trilobite export resnet50 -o resnet50.safetensors`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			return runExport(cmd, c, args[0], f)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.output, "output", "o", "", "`file` to write, .onnx or .safetensors")
	fl.BoolVar(&f.int8, "int8", false, "compute with eight-bit integers; needs --calibration")
	fl.StringVar(&f.calibration, "calibration", "", "labelled `data set` whose pictures show the ranges of activations and measure accuracy")
	fl.IntVar(&f.images, "calibrate", 100, "pictures to calibrate with, at most")
	fl.BoolVar(&f.preprocessing, "preprocessing", false, "put preprocessing inside the graph: pictures of any size go in")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	addDatasetFlags(fl, &f.data)
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
	return cmd
}

func runExport(cmd *cobra.Command, c config.Config, ref string, f exportFlags) error {
	m, err := zoo.NewStore(c.Home).Get(ref)
	if err != nil {
		return err
	}
	ext := strings.ToLower(filepath.Ext(f.output))
	switch {
	case ext != ".onnx" && ext != ".safetensors":
		return fmt.Errorf("--output is %s; it ends in .onnx or .safetensors", f.output)
	case ext == ".safetensors" && (f.int8 || f.preprocessing):
		return errors.New("--int8 and --preprocessing change the graph; a .safetensors file has weights alone")
	case f.int8 != (f.calibration != ""):
		return errors.New("--int8 and --calibration go together: the ranges of integers are measured on pictures")
	}
	g, err := onnx.Load(m.GraphFile())
	if err != nil {
		return err
	}
	said := map[string]any{"model": m.Ref(), "file": f.output}
	if ext == ".safetensors" {
		return exportWeights(cmd.OutOrStdout(), m, g, f, said)
	}
	labels, err := m.ReadLabels()
	if err != nil {
		return err
	}
	if f.int8 {
		var figures *quantised
		if g, figures, err = quantise(cmd, c, m, g, labels, f); err != nil {
			return err
		}
		said["int8"] = figures
	}
	if f.preprocessing {
		if err := export.Preprocess(g, m.Pipeline); err != nil {
			return fmt.Errorf("preprocessing of %s: %w", m.Ref(), err)
		}
	}
	if err := export.Describe(g, m.Card, labels.Names(), f.preprocessing); err != nil {
		return err
	}
	if err := onnx.Save(f.output, g); err != nil {
		return err
	}
	return tellExport(cmd.OutOrStdout(), g, f, said)
}

// exportWeights writes the weights under PyTorch's names: those that its training kept, or
// else the graph's, of a network that they fit.
func exportWeights(w io.Writer, m zoo.Model, g *onnx.Graph, f exportFlags, said map[string]any) error {
	weights, missing := keptWeights(m)
	if missing != nil {
		var err error
		if weights, err = zoo.StateDict(m.Card, g); err != nil {
			return &trilobite.Error{Op: "export", Code: trilobite.Invalid, Msg: fmt.Sprintf("%s Of its training: %v.", trilobite.Message(err), missing), Err: err}
		}
	}
	if err := tensor.WriteSafetensors(f.output, weights, map[string]string{"format": "pt", "network": m.Convert.Network}); err != nil {
		return err
	}
	said["network"], said["tensors"] = m.Convert.Network, len(weights)
	return tellExport(w, nil, f, said)
}

// tellExport says what was written.
func tellExport(w io.Writer, g *onnx.Graph, f exportFlags, said map[string]any) error {
	at, err := os.Stat(f.output)
	if err != nil {
		return err
	}
	said["bytes"] = at.Size()
	if g != nil {
		in := ort.ValueInfo{Name: g.Inputs[0].Name, DType: g.Inputs[0].DType, Shape: slices.Clone(g.Inputs[0].Shape)}
		for i, d := range in.Shape {
			in.Shape[i] = max(d, -1) // whatever its name
		}
		said["input"] = in.String()
	}
	if f.json {
		return json.NewEncoder(w).Encode(said)
	}
	if q, ok := said["int8"].(*quantised); ok {
		q.print(w)
	}
	for _, name := range []string{"model", "network", "tensors", "input", "file", "bytes"} {
		if said[name] != nil {
			fmt.Fprintf(w, "%s\t%v\n", name, said[name])
		}
	}
	return nil
}

// tempStore installs a graph in place of a model's in a store of its own, to be measured as
// models are.
func tempStore(m zoo.Model, g *onnx.Graph, labels zoo.Labels) (home string, remove func(), err error) {
	home, err = os.MkdirTemp("", "trilobite-export-*")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(home) }
	if _, err := zoo.NewStore(home).Put(m.Card, g, labels); err != nil {
		remove()
		return "", nil, err
	}
	return home, remove, nil
}
