package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trilobite/dataset"
	"trilobite/runs"
	"trilobite/train"
)

// trainView shows a training to people, or to programs, and records it in its run.
type trainView struct {
	cmd      *cobra.Command
	folder   *runs.Folder
	events   chan train.Event
	done     chan struct{}
	set      *dataset.Set
	headline []string      // the figures that are shown
	lines    *json.Encoder // nil: a bar for people
	bar      progress
	lost     int
}

func newTrainView(cmd *cobra.Command, t *training) *trainView {
	v := &trainView{
		cmd: cmd, folder: t.folder, set: t.set, headline: t.headline(),
		events: make(chan train.Event, 64), done: make(chan struct{}),
	}
	if t.flags.json {
		v.lines = json.NewEncoder(cmd.OutOrStdout())
	} else {
		v.bar = newProgress(cmd.ErrOrStderr())
		for _, d := range t.set.Dropped {
			v.bar.line(fmt.Sprintf("left out: %s", d))
		}
	}
	go v.listen()
	return v
}

func (v *trainView) listen() {
	defer close(v.done)
	var failed error
	for e := range v.events {
		if e.Kind != "features" { // one a picture: for the eye alone
			if err := v.folder.Append(runs.Event(e)); err != nil && failed == nil {
				failed = err
				fmt.Fprintf(v.cmd.ErrOrStderr(), "trilobite: the run's events are not recorded: %v\n", err)
			}
		}
		if e.Kind == "checkpoint" || e.Kind == "done" {
			_ = v.folder.Update(func(r *runs.Run) { // like the list of what was dropped
				r.Epoch = max(r.Epoch, e.Epoch)
				r.Epochs = max(r.Epochs, r.Epoch)
			})
		}
		if v.lines != nil {
			_ = v.lines.Encode(runs.Event(e)) // a reader that is gone has no one to tell
			continue
		}
		v.show(e)
	}
}

func (v *trainView) show(e train.Event) {
	switch e.Kind {
	case "features":
		v.bar.set("pictures", e.Step, e.Steps, "")
	case "step":
		v.bar.set(e.Stage, e.Step, e.Steps, fmt.Sprintf("loss %.4f  %.0f images/s  %s left", e.Loss, e.ImagesPerSecond, e.ETA.Round(time.Second)))
	case "evaluation":
		figures := make([]string, len(v.headline))
		for i, name := range v.headline {
			figures[i] = fmt.Sprintf("%s %.4f", name, e.Metrics[name])
		}
		v.bar.line(fmt.Sprintf("step %d: %s", e.Step, strings.Join(figures, ", ")))
	}
}

// dropped is told of a picture that cannot be read.
func (v *trainView) dropped(file string, why error) {
	v.lost++
	reason := errorText(why)
	_ = v.folder.Update(func(r *runs.Run) { // the list is a courtesy; a full disk shows elsewhere
		r.Dataset.Dropped = append(r.Dataset.Dropped, runs.Dropped{File: file, Reason: reason})
	})
	if v.lines == nil {
		v.bar.line(fmt.Sprintf("left out: %s: %s", file, strings.TrimSuffix(reason, ".")))
	} else {
		_ = v.lines.Encode(map[string]string{"kind": "dropped", "file": file, "reason": reason}) // see listen
	}
}

func (v *trainView) close() {
	close(v.events)
	<-v.done
	v.bar.end()
	if n := v.lost + len(v.set.Dropped); n > 0 && v.lines == nil {
		fmt.Fprintf(v.cmd.ErrOrStderr(), "%d files or boxes were left out; %s lists them\n", n, v.folder.Path("run.json"))
	}
}
