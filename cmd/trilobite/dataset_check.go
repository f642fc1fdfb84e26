package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trilobite/dataset/check"
	"trilobite/dataset/open"
)

// errFindings ends "dataset check" where it found something: the findings are printed.
var errFindings = fmt.Errorf("%w: the data set has faults", errReported)

func newDatasetCheckCmd(app *App) *cobra.Command {
	var o open.Options
	limits := check.Default()
	var asJSON, strict, quick bool
	cmd := &cobra.Command{
		Use:   "check DATASET",
		Short: "Look for what spoils a training: leaks, conflicts, broken pictures, tiny boxes, rare classes",
		Long: `Decodes every picture and prints what is wrong or deserves a look, each with file and line:
near-duplicates across parts and under different labels, pictures that cannot be read or are of
another size than annotated, boxes that are tiny, doubled or outside, classes that are empty, rare
or missing from a part. The exit status is 1 where there is an error, with --strict also for a
warning. docs/datasets.md has every kind.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := app.openDataset(cmd, args[0], o)
			if err != nil {
				return err
			}
			b := newBar(cmd.ErrOrStderr(), len(found.Set.Images))
			limits.Step, limits.Pictures = b.step, !quick
			findings, err := check.Set(cmd.Context(), found.Set, limits)
			b.done()
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(append([]check.Finding{}, findings...))
			} else {
				printFindings(cmd.OutOrStdout(), findings, len(found.Set.Images))
			}
			for _, f := range findings {
				if f.Level == check.Error || strict {
					return errors.Join(err, errFindings)
				}
			}
			return err
		},
	}
	fl := cmd.Flags()
	fl.Float64Var(&limits.MinBox, "min-box", limits.MinBox, "shorter side of a box, in `pixels`, below which it is tiny")
	fl.IntVar(&limits.Few, "few", limits.Few, "`pictures` of a class below which there are few")
	fl.Float64Var(&limits.Balance, "balance", limits.Balance, "how many `times` as many pictures the largest class may have")
	fl.BoolVar(&strict, "strict", false, "warnings count as errors")
	fl.BoolVar(&quick, "quick", false, "look at the annotations only, not at the pictures")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	addDatasetFlags(fl, &o)
	return cmd
}

// printFindings lists findings by kind, the first of many.
func printFindings(w io.Writer, all []check.Finding, pictures int) {
	const most = 10
	for _, k := range check.Kinds() {
		var some []check.Finding
		for _, f := range all {
			if f.Kind == k.Kind {
				some = append(some, f)
			}
		}
		if len(some) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s: %d %s (%s)\n", some[0].Level, len(some), k.Text, k.Kind)
		for _, f := range some[:min(most, len(some))] {
			fmt.Fprintln(w, "  "+f.String())
		}
		if len(some) > most {
			fmt.Fprintf(w, "  … and %d more; --json lists them\n", len(some)-most)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d pictures, %d findings\n", pictures, len(all))
}
