package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trilobite/runs"
)

func newRunsCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "Trainings: what was tried and what came out",
	}
	cmd.AddCommand(newRunsListCmd(app), newRunsShowCmd(app), newRunsCompareCmd(app))
	return cmd
}

func newRunsListCmd(app *App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List trainings, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			all, err := runs.NewStore(c.Home).List()
			if err != nil { // the others are listed
				fmt.Fprintln(cmd.ErrOrStderr(), err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(append([]runs.Run{}, all...))
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
			fmt.Fprintln(t, "RUN\tTASK\tSTATE\tEPOCHS\tBEST\tTIME\tMODEL")
			for _, r := range all {
				fmt.Fprintf(t, "%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\n", r.ID, r.Task, r.State, r.Epoch, r.Epochs, best(r), elapsed(r), r.Model)
			}
			return t.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newRunsShowCmd(app *App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Show a training and write its report: RUN is an ID, its beginning, or a model's name for its newest",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			s := runs.NewStore(c.Home)
			r, err := s.Get(args[0])
			if err != nil {
				return err
			}
			e, err := s.Evaluation(r.ID)
			if err != nil {
				return err
			}
			report, err := s.WriteReport(r.ID)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					runs.Run
					Evaluation *runs.Evaluation `json:"evaluation,omitempty"`
					Report     string           `json:"report"`
				}{r, withoutPictures(e), report})
			}
			return showRun(cmd.OutOrStdout(), r, e, report)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func showRun(w io.Writer, r runs.Run, e *runs.Evaluation, report string) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, text)
		}
	}
	row("run", "%s", r.ID)
	row("state", "%s", r.State)
	row("error", "%s", r.Error)
	row("model", "%s", r.Model)
	row("task", "%s", r.Task)
	row("started", "%s, took %s", r.Started.Local().Format(time.DateTime), elapsed(r))
	row("epochs", "%d of %d", r.Epoch, r.Epochs)
	if r.Best != nil {
		row("best", "%s after step %d", best(r), r.Best.Step)
	}
	row("data set", "%s: %d images for training, %d for validation, %d left out", r.Dataset.Path, r.Dataset.Train, r.Dataset.Validation, len(r.Dataset.Dropped))
	row("seed", "%d", r.Seed)
	row("report", "%s", report)
	if err := t.Flush(); err != nil || e == nil || len(e.Classes) == 0 {
		return err
	}
	fmt.Fprintf(t, "\nCLASS\tSAMPLES\t%s\n", strings.ToUpper(strings.Join(e.Columns, "\t")))
	for _, c := range e.Classes {
		fmt.Fprintf(t, "%s\t%d", c.Name, c.Samples)
		for _, v := range c.Values {
			fmt.Fprintf(t, "\t%.3f", float64(v))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func newRunsCompareCmd(app *App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare RUN RUN...",
		Short: "Put trainings side by side: results, and the settings in which they differ",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			s := runs.NewStore(c.Home)
			var columns []map[string]string
			var names []string
			for _, ref := range args {
				r, err := s.Get(ref)
				if err != nil {
					return err
				}
				e, err := s.Evaluation(r.ID)
				if err != nil {
					return err
				}
				names = append(names, r.ID)
				columns = append(columns, facts(r, e))
			}
			if asJSON {
				out := map[string]map[string]string{}
				for i, name := range names {
					out[name] = columns[i]
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(out)
			}
			return compareTable(cmd.OutOrStdout(), names, columns)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// facts are what runs are compared by: "result …" and settings, by their path.
func facts(r runs.Run, e *runs.Evaluation) map[string]string {
	f := map[string]string{
		"state": r.State, "task": r.Task, "best": best(r), "time": elapsed(r), "epochs": fmt.Sprintf("%d/%d", r.Epoch, r.Epochs),
		"seed": fmt.Sprint(r.Seed), "data set": filepath.Base(r.Dataset.Path), "data set digest": r.Dataset.Digest,
		"images": fmt.Sprintf("%d + %d", r.Dataset.Train, r.Dataset.Validation),
	}
	for name, v := range r.Versions {
		f["version "+name] = v
	}
	var recipe any
	if json.Unmarshal(r.Recipe, &recipe) == nil {
		flatten("recipe", recipe, f)
	}
	if e != nil {
		for _, x := range e.Figures {
			f["result "+x.Name] = fmt.Sprintf("%.4f", float64(x.Value))
		}
	}
	return f
}

// flatten writes a JSON value's leaves under their paths.
func flatten(path string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(path+"."+k, x, into)
		}
	case []any:
		for i, x := range v {
			flatten(fmt.Sprintf("%s[%d]", path, i), x, into)
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// compareTable prints results, and of the rest what is not the same everywhere.
func compareTable(w io.Writer, names []string, columns []map[string]string) error {
	keys := map[string]bool{}
	for _, c := range columns {
		for k := range c {
			keys[k] = true
		}
	}
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\t%s\n", strings.Join(names, "\t"))
	always := []string{"state", "best", "epochs", "time"}
	for _, k := range append(always, slices.Sorted(maps.Keys(keys))...) {
		values := make([]string, len(columns))
		same := true
		for i, c := range columns {
			values[i] = c[k]
			same = same && values[i] == values[0]
		}
		first := slices.Contains(always, k)
		if keys[k] && (first || !same || strings.HasPrefix(k, "result ")) {
			fmt.Fprintf(t, "%s\t%s\n", k, strings.Join(values, "\t"))
		}
		if first {
			delete(keys, k)
		}
	}
	return t.Flush()
}

// withoutPictures leaves out of JSON what is not for reading.
func withoutPictures(e *runs.Evaluation) *runs.Evaluation {
	if e == nil {
		return nil
	}
	out := *e
	out.Worst = slices.Clone(e.Worst)
	for i := range out.Worst {
		out.Worst[i].Image, out.Worst[i].TruthDraw, out.Worst[i].FoundDraw = nil, nil, nil
	}
	return &out
}

func best(r runs.Run) string {
	if r.Best == nil {
		return "–"
	}
	return fmt.Sprintf("%s %.3f", r.Best.Metric, r.Best.Value)
}

// elapsed is how long a run took. Of one whose process went away nobody knows.
func elapsed(r runs.Run) string {
	if r.State == runs.Interrupted {
		return "–"
	}
	return r.Elapsed(time.Now()).Round(time.Second).String()
}
