package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/dataset"
	"trilobite/evaluate"
	"trilobite/zoo"
)

// evalPipeline measures a model as it is and with a pipeline file in place of the one in
// use, which stays so.
func evalPipeline(cmd *cobra.Command, c config.Config, model, file string, set *dataset.Set, byIndex bool) (now, tried *evaluate.Result, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	home, err := os.MkdirTemp("", "trilobite-eval-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(home)
	ref, err := zoo.NewStore(c.Home).Trial(home, model, file, text)
	if err != nil {
		return nil, nil, err
	}
	if now, err = evalAny(cmd, c, ref, set, byIndex); err != nil {
		return nil, nil, err
	}
	c.Home = home
	tried, err = evalAny(cmd, c, ref, set, byIndex)
	return now, tried, err
}

// printEffect prints the measures of both and the difference.
func printEffect(w io.Writer, now, tried *evaluate.Result, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]*evaluate.Result{"in_use": now, "file": tried})
	}
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, %d images\tin use\tfile\tdifference\n", now.Model, now.Images)
	row := func(name string, a, b float64) { fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%+.4f\n", name, a, b, b-a) }
	if a, b := now.COCO, tried.COCO; a != nil && b != nil {
		row("AP", a.AP, b.AP)
		row("AP50", a.AP50, b.AP50)
		row("AP75", a.AP75, b.AP75)
		row("AR100", a.AR100, b.AR100)
	}
	if now.Top1 != nil && tried.Top1 != nil {
		row("top-1", *now.Top1, *tried.Top1)
		row("top-5", *now.Top5, *tried.Top5)
	}
	if a, b := now.Pixels, tried.Pixels; a != nil && b != nil {
		row("mIoU", a.MIoU, b.MIoU)
		row("pixel accuracy", a.Accuracy, b.Accuracy)
	}
	return t.Flush()
}
