package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"trilobite/modelfile"
	"trilobite/nn"
	"trilobite/zoo"
)

func newModelCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Model files: define a network of your own and how it is trained",
	}
	cmd.AddCommand(newModelInitCmd(app), newModelCheckCmd(app), newModelDescribeCmd(app), newModelSchemaCmd())
	return cmd
}

func newModelInitCmd(app *App) *cobra.Command {
	var backbone, classes, output string
	cmd := &cobra.Command{
		Use:       "init " + strings.Join(modelfile.Kinds(), "|"),
		Short:     "Write a commented model file that trains as it is",
		Example:   "  trilobite model init deeplabv3plus --classes classes.txt -o road.yaml",
		Args:      cobra.ExactArgs(1),
		ValidArgs: modelfile.Kinds(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var names []string
			if classes != "" {
				var err error
				if names, err = readClasses(classes); err != nil {
					return err
				}
			}
			text, err := initModel(cmd, app, args[0], backbone, names)
			if err != nil {
				return err
			}
			if output == "-" {
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			f, err := os.OpenFile(output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // no secret
			if err != nil {
				return err // an edited file is not overwritten
			}
			_, err = f.Write(text)
			if e := f.Close(); err == nil {
				err = e
			}
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s written; `trilobite model describe %s` shows what it comes to\n", output, output)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&backbone, "backbone", "", "feature extractor, an imported model or one of "+strings.Join(nn.ClassifierNames(), ", ")+" (default efficientnet_lite0)")
	cmd.Flags().StringVar(&classes, "classes", "", "`file` with a class a line, as a name or as number and name")
	cmd.Flags().StringVarP(&output, "output", "o", "model.yaml", "`file` to write, - for standard output")
	return cmd
}

// initModel writes a model file, on a network of package nn or an imported model.
func initModel(cmd *cobra.Command, app *App, kind, backbone string, classes []string) ([]byte, error) {
	if backbone != "" && !slices.Contains(nn.ClassifierNames(), backbone) {
		c, err := app.config(cmd)
		if err != nil {
			return nil, err
		}
		if m, err := zoo.NewStore(c.Home).Get(backbone); err == nil {
			return modelfile.InitOn(kind, backbone, m.Pipeline, classes)
		}
	}
	return modelfile.Init(kind, backbone, classes)
}

// maxClassFile bounds a list of classes, bytes.
const maxClassFile = 1 << 20

// readClasses reads a list of names, one a line, perhaps numbered from 0. A class called
// unlabelled, void or ignore is none.
func readClasses(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	scan := bufio.NewScanner(io.LimitReader(f, maxClassFile))
	for line := 1; scan.Scan(); line++ {
		name := strings.TrimSpace(scan.Text())
		if number, rest, ok := strings.Cut(name, " "); ok && strings.Trim(number, "0123456789") == "" {
			name = strings.TrimSpace(rest)
		}
		switch strings.ToLower(name) {
		case "", "unlabelled", "unlabeled", "void", "ignore":
		default:
			names = append(names, name)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s names no class", path)
	}
	return names, nil
}

func newModelCheckCmd(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a model file, by line",
		Long: `Checks every field, builds the network, looks whether the weights that the file names are there
and fit, and whether a training step fits into this machine's memory.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			if _, err := checkModel(zoo.NewStore(c.Home), args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\tok\n", args[0])
			return nil
		},
	}
}

func newModelDescribeCmd(app *App) *cobra.Command {
	var asJSON bool
	var svg string
	var classes int
	cmd := &cobra.Command{
		Use:   "describe FILE",
		Short: "Print a model's blocks, shapes, parameters, multiply-adds and memory",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			s, err := modelfile.Read(args[0], finder(zoo.NewStore(c.Home), args[0]))
			if err != nil {
				return err
			}
			if classes == 0 && len(s.Classes) == 0 {
				return fmt.Errorf("%s leaves the classes to the data set; say how many with --classes", args[0])
			}
			n, err := s.Build(classes)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			d := modelfile.Describe(n)
			if svg != "" {
				if err := os.WriteFile(svg, d.Draw(), 0o644); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(d)
			}
			return describeModel(cmd.OutOrStdout(), d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&svg, "svg", "", "also draw the network into this `file`")
	cmd.Flags().IntVar(&classes, "classes", 0, "how many classes, where the file leaves them to the data set")
	return cmd
}

func describeModel(w io.Writer, d modelfile.Description) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BLOCK\tOPERATORS\tOUTPUT\tPARAMETERS\tMACS")
	for _, b := range d.Blocks {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.1f M\n", b.Name, b.Ops, dims(b.Output), b.Parameters, float64(b.MACs)/1e6)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s: input %s, output %s\n%d parameters (%.1f MB), %.2f G multiply-adds, %.0f MB of activations for one image\n",
		d.Network, dims(d.Input), dims(d.Output), d.Parameters, float64(d.Weights)/1e6, float64(d.MACs)/1e9, float64(d.Activations)/1e6)
	return err
}

// dims writes a shape, N for the batch.
func dims(shape []int64) string {
	return strings.NewReplacer("-1", "N", " ", "×", "[", "", "]", "").Replace(fmt.Sprint(shape))
}

func newModelSchemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of model files, for editors",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := modelfile.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(data)
			return err
		},
	}
}
