package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/dataset/stats"
)

func newDatasetStatsCmd(app *App) *cobra.Command {
	var o open.Options
	var asJSON bool
	var html string
	cmd := &cobra.Command{
		Use:   "stats DATASET",
		Short: "Count classes, sizes of pictures and boxes, and what is seen together",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := app.openDataset(cmd, args[0], o)
			if err != nil {
				return err
			}
			b := newBar(cmd.ErrOrStderr(), len(found.Set.Images))
			s, err := stats.Of(cmd.Context(), found.Set, b.step)
			b.done()
			if err != nil {
				return err
			}
			if html != "" {
				var page bytes.Buffer
				if err := s.Page(&page, args[0]); err != nil {
					return err
				}
				if err := os.WriteFile(html, page.Bytes(), 0o644); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			}
			return printStats(cmd.OutOrStdout(), s)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&html, "html", "", "also draw the figures, to this `file`")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	addDatasetFlags(fl, &o)
	return cmd
}

func printStats(w io.Writer, s *stats.Stats) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	if s.Masks > 0 { // which pictures show a class, only pixels know
		return errors.Join(printPixels(t, s), printSizes(t, w, s))
	}
	fmt.Fprint(t, "CLASS\tPICTURES\tOBJECTS")
	var parts []string
	for _, p := range dataset.Splits() {
		if s.Splits[p] > 0 {
			parts = append(parts, p)
			fmt.Fprintf(t, "\t%s", p)
		}
	}
	fmt.Fprintln(t)
	for _, c := range s.ByCount() {
		v := s.Classes[c]
		if v.Images == 0 && v.Objects == 0 && len(s.Classes) > 200 {
			continue // of a thousand classes of a model
		}
		fmt.Fprintf(t, "%s\t%d\t%d", v.Name, v.Images, v.Objects)
		for _, p := range parts {
			fmt.Fprintf(t, "\t%d", v.Splits[p])
		}
		fmt.Fprintln(t)
	}
	return printSizes(t, w, s)
}

func printPixels(t io.Writer, s *stats.Stats) error {
	sum := int64(0)
	for _, c := range s.Classes {
		sum += c.Pixels
	}
	fmt.Fprintln(t, "CLASS\tPIXELS\tSHARE")
	for _, c := range s.ByCount() {
		v := s.Classes[c]
		fmt.Fprintf(t, "%s\t%d\t%.2f %%\n", v.Name, v.Pixels, 100*float64(v.Pixels)/float64(max(1, sum)))
	}
	return nil
}

// printSizes prints how sizes spread, and the sums.
func printSizes(t *tabwriter.Writer, w io.Writer, s *stats.Stats) error {
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "\n\tLEAST\t10 %\tMEDIAN\t90 %\tMOST")
	line := func(name string, r stats.Range) {
		fmt.Fprintf(t, "%s\t%.4g\t%.4g\t%.4g\t%.4g\t%.4g\n", name, r.Min, r.P10, r.Median, r.P90, r.Max)
	}
	line("picture width, px", s.Width)
	line("picture height, px", s.Height)
	if s.Objects > 0 {
		line("box, root of area, px", s.BoxSide)
		line("the same, of the picture's", s.BoxShare)
		line("box, width over height", s.Aspect)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d pictures, %d objects (small %d, medium %d, large %d), %d masks, %d pictures show nothing\n",
		s.Images, s.Objects, s.Small, s.Medium, s.Large, s.Masks, s.Unlabelled)
	return nil
}
