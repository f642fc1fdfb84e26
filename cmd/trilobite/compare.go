package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/compare"
	"trilobite/compare/advise"
	"trilobite/compare/cost"
	"trilobite/compare/report"
	"trilobite/config"
	"trilobite/dataset/open"
)

// compareFlags are what `trilobite compare` is told.
type compareFlags struct {
	routes  []string
	out     string
	task    string
	mapping string
	score   float64
	curve   string
	rounds  int
	seed    uint64
	json    bool
	own     trainSettings
	data    open.Options
	money   compareMoney
	cloud   compareCloud
	needs   string   // file
	require []string // KEY=VALUE
	weigh   string   // a route whose memory is measured, and nothing else
}

func newCompareCmd(app *App) *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare DATASET -o REPORT",
		Short: "Put pretrained, custom and own models side by side on your own pictures",
		Long: `Sends the labelled pictures of DATASET down several routes and measures what each gets right, how
fast, and what it asks of you. DATASET is a folder or a file of any format in docs/datasets.md; of
one with parts the test part is asked about (or else the validation part) and the rest trains, of one
without a fifth is held out.

Routes:
  pretrained            the models that Trilobite brings; pretrained=MODEL,… for others
  custom                a model trained as Custom Labels trains, from the training part
  own                   a model trained as trilobite train does (--unfreeze, --epochs, --budget);
                        own=MODEL for one that is installed
  rekognition           Amazon Rekognition DetectLabels (paid)
  custom-labels=ARN     a running model of Rekognition Custom Labels (paid by the hour)
  vision                Google Vision (paid)
  vertex=ENDPOINT       a deployed Vertex AI image model (paid by the hour)

The last four send your pictures to the vendor, with credentials where its SDK looks for them. Nothing is
asked of them before you have said how much it may cost (--max-spend, or at the terminal);
--dry-run shows the plan. Every answer is kept, so that no call is paid for twice.

REPORT is a folder. Answers and trained models are kept in it: a run that was stopped goes on where
it was, and nothing is asked twice.`,
		Example: `  trilobite compare photos/ -o report
  trilobite compare street/ -o report --routes pretrained,own=road
  trilobite compare photos/ -o report --routes pretrained,custom,rekognition,vision --max-spend 1
  trilobite compare photos/ -o report --curve 10,25,50 --mapping labels.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runCompare(cmd, app, args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.out, "output", "o", "", "`folder` for the report, and for answers and models")
	fl.StringSliceVar(&f.routes, "routes", []string{"pretrained", "custom", "own"}, "what is compared, `ROUTE` or ROUTE=MODEL")
	fl.StringVar(&f.task, "task", "", "what is asked: classify, detect or segment (default: what the labels are for)")
	fl.StringVar(&f.mapping, "mapping", "", "YAML `file` of lines LABEL: CLASS for labels that mean a class of yours")
	fl.Float64Var(&f.score, "min-score", 0, "an answer that scores less is none, 0 to 1 (default 0.1; 0.5 for boxes and several labels)")
	fl.StringVar(&f.curve, "curve", "auto", "learning curve at these `percents` of the training part, such as 10,25,50; auto: of classifiers; none")
	fl.IntVar(&f.rounds, "bootstrap", 1000, "`rounds` of the bootstrap and of permutation tests")
	fl.Uint64Var(&f.seed, "seed", 0, "makes everything random; the same seed gives the same figures")
	fl.StringVar(&f.own.Unfreeze, "unfreeze", "", "of the own route: also train the last N blocks")
	fl.StringVar(&f.own.Backbone, "backbone", "efficientnet-lite0", "of the own route: the `model` to start from")
	fl.StringVar(&f.own.Network, "network", "", "of the own route: segmentation network")
	fl.IntVar(&f.own.Epochs, "epochs", 0, "of the own route: passes over the pictures (default: the recipe's)")
	fl.DurationVar(&f.own.Budget, "budget", 0, "of each training: stop after this `time` with the best so far")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
	addDatasetFlags(fl, &f.data)
	f.money.addFlags(fl)
	f.cloud.addFlags(fl)
	fl.StringVar(&f.needs, "requirements", "", "YAML `file` of what you need, for a recommendation ("+needsKeys+")")
	fl.StringArrayVar(&f.require, "require", nil, "one requirement, `KEY=VALUE`, such as privacy=local or budget=200; may be repeated")
	fl.StringVar(&f.weigh, weighFlag, "", "print the peak memory of one `route`, which this process does nothing but ask")
	cobra.CheckErr(fl.MarkHidden(weighFlag))
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
	return cmd
}

func runCompare(cmd *cobra.Command, app *App, path string, f compareFlags) error {
	c, err := app.config(cmd)
	if err != nil {
		return err
	}
	if err := checkReportFolder(f.out); err != nil {
		return err
	}
	needs, err := advise.Read(f.needs, f.require)
	if err != nil {
		return err
	}
	f.task = cmp.Or(f.task, needs.Task)
	book, assumed, err := f.money.read(cmd.Flags().Changed)
	if err != nil {
		return err
	}
	s, err := openComparison(cmd, c, path, f, book)
	if err != nil {
		return err
	}
	if f.weigh != "" {
		return weigh(cmd, s.config, f.weigh)
	}
	s.config.Memory = app.weighed()
	if !f.cloud.dry {
		release, err := compare.Lock(f.out)
		if err != nil {
			return fmt.Errorf("-o %s: %w", f.out, err)
		}
		defer release()
	}
	if on, err := s.allow(cmd, f, book); err != nil || !on {
		return err
	}
	if s.config.Budget != nil {
		defer s.config.Budget.Close()
	}
	show := newProgress(cmd.ErrOrStderr())
	s.config.Show = func(p compare.Progress) { showRoute(show, p) }
	r, err := compare.Run(cmd.Context(), s.config)
	show.end()
	if s.config.Budget != nil {
		usd, calls := s.config.Budget.Spent()
		fmt.Fprintf(cmd.ErrOrStderr(), "paid services: %d calls by now, at most $%.4f\n", calls, usd)
	}
	if err != nil {
		return stopped(cmd.Context(), f.out, err)
	}
	s.describe(r)
	if needs.Volume != nil {
		assumed.Volume = *needs.Volume
	}
	return s.tell(cmd, c, r, cost.Of(r, book, assumed), needs, f)
}

// stopped says of a run that did not come to its end what is kept, and how it goes on.
func stopped(ctx context.Context, dir string, err error) error {
	kept := "What was answered and learned is kept in " + dir + ": the same command goes on."
	switch code := trilobite.CodeOf(err); {
	case ctx.Err() != nil:
		return &trilobite.Error{Op: "compare", Code: trilobite.Canceled, Msg: "Stopped. " + kept, Err: err}
	case code == trilobite.Internal:
		return fmt.Errorf("%w\n%s", err, kept)
	case slices.Contains([]trilobite.Code{trilobite.Throttled, trilobite.Unauthorized, trilobite.Forbidden, trilobite.NotReady}, code):
		return &trilobite.Error{Op: "compare", Code: code, Msg: trilobite.Message(err) + " " + kept, Err: err}
	default: // they say themselves what to do
		return err
	}
}

// tell writes the report and prints the main figures.
func (s *comparison) tell(cmd *cobra.Command, c config.Config, r *compare.Result, costs cost.Costs, needs advise.Requirements, f compareFlags) error {
	fonts, err := reportFonts(cmd, c)
	if err != nil {
		return err
	}
	whole, err := report.New(r, costs, fonts)
	if err != nil {
		return err
	}
	if needs.Asked() {
		whole.Advise(needs)
	}
	page, err := whole.Write(f.out)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if f.json {
		data, err := whole.JSON()
		if err != nil {
			return err
		}
		_, err = out.Write(data)
		return err
	}
	if err := printComparison(out, r); err != nil {
		return err
	}
	if err := printCosts(out, costs); err != nil {
		return err
	}
	printAdvice(out, whole.Advice)
	_, err = fmt.Fprintf(out, "\nreport\t%s\n", page)
	return err
}

// reportFonts returns the fonts of reports, fetching them where they are missing. Without
// them figures are drawn in Latin letters alone, and it says so.
func reportFonts(cmd *cobra.Command, c config.Config) (report.Fonts, error) {
	fetchErr := puller(c, cmd, true).Fetch(cmd.Context(), "@fontsource/noto-sans-jp")
	fonts, whole, err := report.ReadFonts(c.Packages)
	if err == nil && !whole {
		fmt.Fprintf(cmd.ErrOrStderr(), "trilobite: the font for Japanese could not be fetched (%v); the figures have Latin letters alone\n", fetchErr)
	}
	return fonts, err
}

// needsKeys are the requirements that may be asked.
const needsKeys = "labels, accuracy, volume, latency, budget, privacy, labelled, staff, task"

// checkReportFolder refuses what is no folder of a report: other files are not to be
// mixed with it.
func checkReportFolder(dir string) error {
	at, err := os.Stat(dir)
	if os.IsNotExist(err) {
		if ext := filepath.Ext(dir); ext == ".html" || ext == ".md" || ext == ".json" {
			return fmt.Errorf("-o %s: the report is a folder with HTML, Markdown, JSON and pictures in it; name it without %s", dir, ext)
		}
		return nil
	} else if err != nil {
		return err
	}
	if !at.IsDir() {
		return fmt.Errorf("-o %s is a file; the report is a folder", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return err
	}
	for _, e := range entries {
		if slices.Contains([]string{"answers", "routes", "report.json", "spending.jsonl"}, e.Name()) {
			return nil
		}
	}
	return fmt.Errorf("-o %s: the folder holds other things; name a new one, or that of an earlier report", dir)
}
