// Package runs keeps the folder of every training: $TRILOBITE_HOME/runs/ID/ with
//
//	run.json         what is trained, from what, with which settings and versions, and its state
//	events.jsonl     what happened, a line each, only ever appended to
//	evaluation.json  how the result does on the validation part (evaluation.go)
//	report.html      all of that to look at, in one file (report.go)
//
// and whatever the training puts beside: checkpoints, its own state. run.json is replaced
// whole, a line of events.jsonl is written whole, so that a folder can be read at any
// time, also after a crash. A lock tells a training that is alive from one that is not.
//
// Start at Store, then Folder. Training itself is package train's business.
package runs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The states of a run.
const (
	Running     = "running"
	Done        = "done"
	Failed      = "failed"
	Canceled    = "canceled"    // ended by its user; the best checkpoint is kept
	Interrupted = "interrupted" // its process went away; never stored, told by the lock
)

// Run is what run.json says.
type Run struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"` // of the model that comes out
	Task     string            `json:"task"` // classify, detect or segment
	State    string            `json:"state"`
	Started  time.Time         `json:"started"`
	Ended    time.Time         `json:"ended,omitzero"`
	Seed     uint64            `json:"seed"`
	Dataset  Dataset           `json:"dataset"`
	Recipe   json.RawMessage   `json:"recipe,omitempty"` // settings of the training, an object
	Versions map[string]string `json:"versions"`         // of trilobite, ONNX Runtime and so on
	Epoch    int               `json:"epoch"`            // finished so far
	Epochs   int               `json:"epochs"`           // planned
	Best     *Best             `json:"best,omitempty"`
	Model    string            `json:"model,omitempty"` // name@version in the model store, once installed
	Error    string            `json:"error,omitempty"` // why it failed, for people
}

// Dataset says what the run learned from.
type Dataset struct {
	Path       string    `json:"path"`
	Digest     string    `json:"digest"` // of files and annotations, as "sha256:…"
	Classes    []string  `json:"classes"`
	Train      int       `json:"train"` // images
	Validation int       `json:"validation"`
	Dropped    []Dropped `json:"dropped,omitempty"`
}

// Dropped is a sample that was left out.
type Dropped struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // of the annotation; 0 where it has none
	Reason string `json:"reason"`
}

// Best is the evaluation whose checkpoint is kept.
type Best struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Epoch  int     `json:"epoch"`
	Step   int64   `json:"step"`
}

// Elapsed returns how long the run took, or has taken until now.
func (r Run) Elapsed(now time.Time) time.Duration {
	if !r.Ended.IsZero() {
		now = r.Ended
	}
	return max(0, now.Sub(r.Started))
}

// maxRun bounds run.json in bytes; a list of a hundred thousand dropped samples fits.
const maxRun = 64 << 20

func readRun(dir string) (Run, error) {
	var r Run
	path := filepath.Join(dir, "run.json")
	at, err := os.Stat(path)
	if err != nil {
		return r, err
	}
	if at.Size() > maxRun {
		return r, fmt.Errorf("%s is larger than %d MiB", path, maxRun>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading %s: %w", path, err)
	}
	r.ID = filepath.Base(dir)
	return r, nil
}
