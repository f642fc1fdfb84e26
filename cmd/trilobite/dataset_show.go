package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"trilobite/dataset"
	"trilobite/dataset/open"
)

// datasetSummary is what "dataset show" says.
type datasetSummary struct {
	Format  string         `json:"format"`
	Images  int            `json:"images"`
	Splits  map[string]int `json:"splits,omitempty"` // pictures, where the set has splits
	Classes []datasetClass `json:"classes"`
	Masks   int            `json:"masks,omitempty"`
	Dropped []droppedLine  `json:"dropped"`
	Clipped []droppedLine  `json:"clipped"`
}

type datasetClass struct {
	Name    string `json:"name"`
	Images  int    `json:"images"`  // that are labelled so, as a whole or in a part
	Objects int    `json:"objects"` // boxes and outlines
}

type droppedLine struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Reason string `json:"reason"`
}

func newDatasetShowCmd(app *App) *cobra.Command {
	var o open.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DATASET",
		Short: "Print what is in a data set, and what of it cannot be used",
		Long: `Prints the format in which a data set was recognised, its splits, its classes with the number
of pictures and objects of each, and what was left out, with file, line and reason.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := app.summarise(cmd, args[0], o)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			}
			return s.print(cmd.OutOrStdout())
		},
	}
	addDatasetFlags(cmd.Flags(), &o)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// summarise looks at every picture of a data set once.
func (a *App) summarise(cmd *cobra.Command, ref string, o open.Options) (*datasetSummary, error) {
	s := &datasetSummary{}
	found, err := a.scanDataset(cmd, ref, o, s.add)
	if err != nil {
		return nil, err
	}
	s.Format, s.Dropped, s.Clipped = found.Format, lines(found.Set.Dropped), lines(found.Set.Clipped)
	counted := s.Classes
	s.Classes = make([]datasetClass, len(found.Set.Classes))
	for c, n := range counted {
		if found.Numbers != nil {
			c = found.Numbers[c]
		}
		s.Classes[c] = n
	}
	for c, name := range found.Set.Classes {
		s.Classes[c].Name = name
	}
	return s, nil
}

// add counts a picture.
func (s *datasetSummary) add(img *dataset.Image) {
	s.Images++
	if img.Split != "" {
		if s.Splits == nil {
			s.Splits = map[string]int{}
		}
		s.Splits[img.Split]++
	}
	if img.Mask != "" {
		s.Masks++
	}
	seen := map[int]bool{}
	for _, c := range img.Classes {
		seen[c] = true
	}
	for _, o := range img.Objects {
		seen[o.Class] = true
		s.class(o.Class).Objects++
	}
	for c := range seen {
		s.class(c).Images++
	}
}

// class returns the counts of a class.
func (s *datasetSummary) class(c int) *datasetClass {
	for len(s.Classes) <= c {
		s.Classes = append(s.Classes, datasetClass{})
	}
	return &s.Classes[c]
}

func lines(all []dataset.Dropped) []droppedLine {
	out := []droppedLine{}
	for _, d := range all {
		out = append(out, droppedLine(d))
	}
	return out
}

func (s *datasetSummary) print(w io.Writer) error {
	fmt.Fprintf(w, "format   %s\npictures %d", s.Format, s.Images)
	var splits []string
	for _, name := range dataset.Splits() {
		if n := s.Splits[name]; n > 0 {
			splits = append(splits, fmt.Sprintf("%s %d", name, n))
		}
	}
	if len(splits) > 0 {
		fmt.Fprintf(w, " (%s)", strings.Join(splits, ", "))
	}
	fmt.Fprintln(w)
	if s.Masks > 0 {
		fmt.Fprintf(w, "masks    %d\n", s.Masks)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	if s.Masks > 0 { // which classes a mask holds is in its pixels
		fmt.Fprintln(t, "CLASS")
	} else {
		fmt.Fprintln(t, "CLASS\tPICTURES\tOBJECTS")
	}
	for _, c := range s.Classes {
		switch {
		case s.Masks > 0:
			fmt.Fprintln(t, c.Name)
		case c.Name != "" || c.Images > 0:
			fmt.Fprintf(t, "%s\t%d\t%d\n", c.Name, c.Images, c.Objects)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	printLines(w, "left out", s.Dropped)
	printLines(w, "boxes cut at the edge of their picture", s.Clipped)
	return nil
}

// printLines lists the first of what was left out or cut.
func printLines(w io.Writer, title string, all []droppedLine) {
	if len(all) == 0 {
		return
	}
	const most = 20
	fmt.Fprintf(w, "\n%d %s\n", len(all), title)
	for _, d := range all[:min(most, len(all))] {
		fmt.Fprintln(w, "  "+dataset.Dropped(d).String())
	}
	if len(all) > most {
		fmt.Fprintf(w, "  … and %d more; --json lists them\n", len(all)-most)
	}
}
