package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"trilobite/zoo"
)

func newModelsPipelineCmd(app *App) *cobra.Command {
	var set string
	var show, history, rollback bool
	cmd := &cobra.Command{
		Use:   "pipeline MODEL",
		Short: "Show or change how images are prepared for an installed model",
		Long: `Gives a version another preprocessing without training it again. Each file set is a revision; the
one before is a --rollback away. A name alone is its newest version. docs/pipelines.md has the steps.`,
		Example: "  trilobite models pipeline road --set dusk.yaml\n  trilobite models pipeline road@2 --rollback",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			s, out := zoo.NewStore(c.Home), cmd.OutOrStdout()
			var m zoo.Model
			switch {
			case set != "":
				text, err := os.ReadFile(set)
				if err != nil {
					return err
				}
				if m, err = s.SetPipeline(args[0], set, text); err != nil {
					return err
				}
				fmt.Fprintf(out, "%s\trevision %d\n", m.Ref(), m.Revision)
				return nil
			case rollback:
				if m, err = s.RollBack(args[0]); err != nil {
					return err
				}
				fmt.Fprintf(out, "%s\trevision %d\n", m.Ref(), m.Revision)
				return nil
			}
			if m, err = s.Get(args[0]); err != nil {
				return err
			}
			if history {
				return printRevisions(out, m)
			}
			return printPipeline(out, m)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&set, "set", "", "make this pipeline `file` a new revision, in use from now on")
	fl.BoolVar(&show, "show", false, "print the pipeline in use (the default)")
	fl.BoolVar(&history, "history", false, "list revisions")
	fl.BoolVar(&rollback, "rollback", false, "use the revision before again")
	cmd.MarkFlagsMutuallyExclusive("set", "show", "history", "rollback")
	return cmd
}

// printPipeline prints the card's preprocessing, or the revision's file beneath it.
func printPipeline(w io.Writer, m zoo.Model) error {
	text, err := yaml.Marshal(m.Pipeline)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "# %s, revision %d\n%s", m.Ref(), m.Revision, text)
	if m.Revision == 0 {
		return nil
	}
	if text, err = m.ReadRevision(m.Revision); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n# %s\n%s", m.RevisionFile(m.Revision), text)
	return nil
}

func printRevisions(out io.Writer, m zoo.Model) error {
	r, err := m.Revisions()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	used := func(n int) string {
		if n == r.Current {
			return "in use"
		}
		return ""
	}
	_, err = fmt.Fprintf(t, "REVISION\tBEFORE\tSET\tFROM\t\n0\t\t\tcard.yaml\t%s\n", used(0))
	for _, rev := range r.All {
		_, e := fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\n", rev.N, rev.Before, rev.Created.Format(time.DateTime), rev.Source, used(rev.N))
		err = errors.Join(err, e)
	}
	return errors.Join(err, t.Flush())
}
