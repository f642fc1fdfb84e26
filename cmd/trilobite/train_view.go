package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"trilobite/dataset"
	"trilobite/runs"
	"trilobite/train"
)

// trainView shows a training to people, or to programs, and records it in its run.
type trainView struct {
	cmd    *cobra.Command
	t      *training
	events chan train.Event
	done   chan struct{}
	mu     sync.Mutex    // of lines
	lines  *json.Encoder // nil: a bar for people
	bar    progress
	lost   int
}

func newTrainView(cmd *cobra.Command, t *training, asJSON bool) *trainView {
	v := &trainView{cmd: cmd, t: t, events: make(chan train.Event, 64), done: make(chan struct{})}
	if asJSON {
		v.lines = json.NewEncoder(cmd.OutOrStdout())
	} else {
		v.bar = newProgress(cmd.ErrOrStderr())
	}
	for _, d := range t.set.Dropped {
		v.leftOut(runs.Dropped(d))
	}
	go v.listen()
	return v
}

func (v *trainView) listen() {
	defer close(v.done)
	var failed error
	for e := range v.events {
		if e.Kind != "features" { // one a picture: for the eye alone
			if err := v.t.folder.Append(runs.Event(e)); err != nil && failed == nil {
				failed = err
				fmt.Fprintf(v.cmd.ErrOrStderr(), "trilobite: the run's events are not recorded: %v\n", err)
			}
		}
		if slices.Contains([]string{"stage", "checkpoint", "evaluation", "done"}, e.Kind) {
			_ = v.t.folder.Update(func(r *runs.Run) { // like the list of what was dropped
				r.Epoch, r.Epochs = max(r.Epoch, e.Epoch), max(r.Epochs, e.Epochs)
				r.Best = better(r.Best, e, v.t.task.headline[0])
			})
		}
		if v.lines != nil {
			v.print(runs.Event(e))
			continue
		}
		v.show(e)
	}
}

// better is the best evaluation so far: of two as good the later one, as package train keeps
// checkpoints. A training that is stopped has no other record of it.
func better(before *runs.Best, e train.Event, metric string) *runs.Best {
	value, ok := e.Metrics[metric]
	if !ok || math.IsNaN(value) || math.IsInf(value, 0) || before != nil && value < before.Value {
		return before
	}
	return &runs.Best{Metric: metric, Value: value, Epoch: e.Epoch, Step: e.Step}
}

// print writes a line for programs.
func (v *trainView) print(x any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_ = v.lines.Encode(x) // a reader that is gone has no one to tell
}

func (v *trainView) show(e train.Event) {
	switch e.Kind {
	case "features":
		v.bar.set("pictures", e.Step, e.Steps, "")
	case "step":
		v.bar.set(e.Stage, e.Step, e.Steps, fmt.Sprintf("loss %.4f  %.0f images/s  %s left", e.Loss, e.ImagesPerSecond, e.ETA.Round(time.Second)))
	case "evaluation":
		figures := make([]string, len(v.t.task.headline))
		for i, name := range v.t.task.headline {
			figures[i] = fmt.Sprintf("%s %.4f", name, e.Metrics[name])
		}
		v.bar.line(fmt.Sprintf("step %d: %s", e.Step, strings.Join(figures, ", ")))
	}
}

// unusable is told of a picture that cannot be made a sample of: place i of its part.
func (v *trainView) unusable(validation bool, i int, why error) {
	split := dataset.Train
	if validation {
		split = dataset.Val
	}
	v.lost++
	file := v.t.set.Images[v.t.set.Part(split)[i]].File
	d := runs.Dropped{File: file, Reason: strings.TrimPrefix(strings.TrimSuffix(errorText(why), "."), file+": ")}
	_ = v.t.folder.Update(func(r *runs.Run) { // the list is a courtesy; a full disk shows elsewhere
		r.Dataset.Dropped = append(r.Dataset.Dropped, d)
	})
	v.leftOut(d)
}

func (v *trainView) leftOut(d runs.Dropped) {
	if v.lines != nil {
		v.print(map[string]any{"kind": "dropped", "file": d.File, "line": d.Line, "reason": d.Reason})
		return
	}
	v.bar.line("left out: " + dataset.Dropped(d).String())
}

func (v *trainView) close() {
	close(v.events)
	<-v.done
	v.bar.end()
	if n := v.lost + len(v.t.set.Dropped); n > 0 && v.lines == nil {
		fmt.Fprintf(v.cmd.ErrOrStderr(), "%d left out, of files and labels; %s lists them\n", n, v.t.folder.Path("run.json"))
	}
}
