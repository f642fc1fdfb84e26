package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/dataset/export"
	"trilobite/dataset/open"
)

func newDatasetExportCmd(app *App) *cobra.Command {
	var o open.Options
	var out export.Options
	var to string
	var asJSON bool
	var names []string
	for _, f := range export.Formats() {
		names = append(names, f.Name)
	}
	cmd := &cobra.Command{
		Use:   "export DATASET FOLDER --to FORMAT",
		Short: "Write a data set in another format, and say what it cannot express",
		Long: `Writes the pictures and what is said of them to a new folder, in one of the formats
` + strings.Join(names, ", ") + `.
What the format has no way to say is counted and named; docs/datasets.md has the table.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := export.Find(to)
			if err != nil {
				return err
			}
			if out.Prefix != "" && !strings.HasSuffix(out.Prefix, "/") && !strings.HasSuffix(out.Prefix, "=") {
				out.Prefix += "/"
			}
			found, err := app.openDataset(cmd, args[0], o)
			if err != nil {
				return err
			}
			r, err := export.Write(found.Set, args[1], f, out)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			printExport(cmd.OutOrStdout(), cmd.ErrOrStderr(), r, len(found.Set.Dropped))
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&to, "to", "", "`format` to write")
	fl.StringVar(&out.Prefix, "prefix", "", "what the folder will be called where formats name pictures by URL, such as s3://bucket/set/")
	fl.BoolVar(&out.Link, "link", false, "hard links instead of copies of the pictures")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	addDatasetFlags(fl, &o)
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

// printExport says what was written and, as a warning, what was not.
func printExport(w, warnings io.Writer, r *export.Report, dropped int) {
	fmt.Fprintf(w, "%s: %d pictures", r.Path, r.Images)
	if r.Objects > 0 {
		fmt.Fprintf(w, ", %d objects", r.Objects)
	}
	if r.Masks > 0 {
		fmt.Fprintf(w, ", %d masks", r.Masks)
	}
	fmt.Fprintf(w, " as %s\n", r.Format)
	if r.Renamed > 0 {
		fmt.Fprintf(warnings, "%d pictures were renamed: others have their names\n", r.Renamed)
	}
	if dropped > 0 {
		fmt.Fprintf(warnings, "%d things that could not be read were left out; trilobite dataset show lists them\n", dropped)
	}
	if len(r.Losses) == 0 {
		return
	}
	fmt.Fprintf(warnings, "%s cannot say everything:\n", r.Format)
	for _, l := range r.Losses {
		fmt.Fprintf(warnings, "  %6d %s (first: %s)\n", l.Count, l.What, l.First)
	}
}
