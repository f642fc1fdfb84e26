package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"trilobite"
)

// lookFlags are what `detect` and `label` have in common.
type lookFlags struct {
	json          bool
	annotate      string
	minConfidence float32
	maxLabels     int
	models        []string
}

func newDetectCmd(app *App) *cobra.Command {
	return newLookCmd(app, trilobite.AnalyzeParams{Objects: true}, &cobra.Command{
		Use:     "detect IMAGE|DIR|GLOB|URL|- ...",
		Short:   "Find objects and their boxes",
		Example: "  trilobite detect photo.jpg\n  trilobite detect --json --min-confidence 0.3 photos/ > boxes.jsonl\n  cat a.jpg | trilobite detect --annotate out -",
	})
}

func newLabelCmd(app *App) *cobra.Command {
	return newLookCmd(app, trilobite.AnalyzeParams{Labels: true, Objects: true}, &cobra.Command{
		Use:     "label IMAGE|DIR|GLOB|URL|- ...",
		Short:   "Name what is in pictures: objects, scenes and what they belong to",
		Example: "  trilobite label photo.jpg\n  trilobite label --json 'photos/*.jpg'",
	})
}

func newLookCmd(app *App, p trilobite.AnalyzeParams, cmd *cobra.Command) *cobra.Command {
	var f lookFlags
	cmd.Args = cobra.MinimumNArgs(1)
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print JSON Lines, one object per image")
	flags.StringVar(&f.annotate, "annotate", "", "write a PNG with boxes and labels for each image into this `folder`")
	flags.Float32Var(&f.minConfidence, "min-confidence", 0.5, "leave out what scores less (0 to 1)")
	flags.IntVar(&f.maxLabels, "max-labels", 0, "at most this many labels per image (0: all)")
	flags.StringSliceVar(&f.models, "model", nil, "use these models instead of the configured list")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.minConfidence < 0 || f.minConfidence > 1 {
			return fmt.Errorf("--min-confidence is %v; it is between 0 and 1", f.minConfidence)
		}
		p.MinScore, p.MaxLabels = f.minConfidence, f.maxLabels
		return look(cmd, app, args, p, f)
	}
	return cmd
}

// look analyses every image the arguments name and prints the answers in their
// order. A bad image is reported and the rest goes on.
func look(cmd *cobra.Command, app *App, args []string, p trilobite.AnalyzeParams, f lookFlags) error {
	ctx := cmd.Context()
	sources, err := expand(args, cmd.InOrStdin(), app.fetch)
	if err != nil {
		return err
	}
	if f.annotate != "" {
		if err := os.MkdirAll(f.annotate, 0o755); err != nil {
			return err
		}
		nameCopies(sources, f.annotate)
	}
	engine, err := app.openEngine(cmd, f.models)
	if err != nil {
		return err
	}
	defer engine.Close()
	show := newPrinter(cmd.OutOrStdout(), f.json, len(sources) > 1)
	bar := newBar(cmd.ErrOrStderr(), len(sources))
	defer bar.done()
	failed := 0
	for seen := range inOrder(ctx, sources, 2*engine.Cores(), func(s source) sighting { return see(ctx, engine, s, p) }) {
		bar.step()
		if seen.err != nil {
			failed++
			if !f.json {
				bar.beside(func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", seen.name, errorText(seen.err)) })
			}
		}
		if err := show.print(seen); err != nil {
			return err
		}
	}
	return outcome(ctx, failed, len(sources))
}

// outcome is the error that a command over images ends with: nil when all went well,
// errReported for a single image, whose error has been told.
func outcome(ctx context.Context, failed, images int) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failed > 0 && images > 1:
		return fmt.Errorf("%d of %d images failed", failed, images)
	case failed > 0:
		return errReported
	default:
		return nil
	}
}

// sighting is the answer for one image.
type sighting struct {
	name     string
	analysis *trilobite.Analysis
	drawn    string // path of the annotated picture
	err      error
}

// analyzer looks at one image.
type analyzer interface {
	Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error)
}

func see(ctx context.Context, a analyzer, s source, p trilobite.AnalyzeParams) sighting {
	data, err := s.read(ctx)
	if err != nil {
		return sighting{name: s.name, err: err}
	}
	analysis, err := a.Analyze(ctx, data, p)
	if err != nil {
		return sighting{name: s.name, err: err}
	}
	seen := sighting{name: s.name, analysis: analysis, drawn: s.annotated}
	if seen.drawn != "" {
		seen.err = draw(ctx, seen.drawn, data, analysis)
	}
	return seen
}
