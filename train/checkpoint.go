package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"trilobite"
	"trilobite/atomicfile"
	"trilobite/tensor"
)

// The files of a checkpoint folder.
const (
	bestFile  = "best.safetensors" // the weights of the best evaluation
	lastFile  = "last.safetensors" // every slot of the step, and the position in its metadata
	stateFile = "state.json"       // the position, for people
)

// position is how far a training has come: everything that a resumed one needs besides
// the slots.
type position struct {
	Fingerprint string      `json:"fingerprint"`
	Seed        uint64      `json:"seed"`
	Stage       int         `json:"stage"`
	Step        int64       `json:"step"`           // done in the stage
	Done        int64       `json:"done"`           // over all stages
	Evaluated   int64       `json:"evaluated"`      // Done at the last evaluation; −1: none
	Worse       int         `json:"worse"`          // evaluations since the best one
	Best        *Evaluation `json:"best,omitempty"` // nil: none
	Seconds     float64     `json:"seconds"`
}

// files is a folder of checkpoints. Every file is replaced whole or not at all, and is
// on the disk when its method returns: a full disk leaves what was there.
type files struct {
	dir  string                    // "": nothing is kept
	wrap func(io.Writer) io.Writer // nil; tests make disks full with it
}

func (f files) saveBest(weights map[string]*tensor.Tensor, e *Evaluation) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return f.write(bestFile, func(w io.Writer) error {
		return tensor.WriteSafetensorsTo(w, weights, map[string]string{"evaluation": string(text)})
	})
}

func (f files) saveLast(state map[string]*tensor.Tensor, p position) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	err = f.write(lastFile, func(w io.Writer) error {
		return tensor.WriteSafetensorsTo(w, state, map[string]string{"position": string(text)})
	})
	if err != nil {
		return err
	}
	return f.write(stateFile, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// write replaces a file.
func (f files) write(name string, fill func(io.Writer) error) error {
	if f.dir == "" {
		return nil
	}
	path := filepath.Join(f.dir, name)
	if err := f.replace(path, fill); err != nil {
		return fmt.Errorf("saving %s (what it held before is unharmed; free some space and resume): %w", path, err)
	}
	return nil
}

func (f files) replace(path string, fill func(io.Writer) error) error {
	return atomicfile.Write(path, atomicfile.Perm, func(w io.Writer) error {
		if f.wrap != nil {
			w = f.wrap(w)
		}
		return fill(w)
	})
}

// load reads the last checkpoint; nil where there is none.
func (f files) load() (*position, map[string]*tensor.Tensor, error) {
	path := filepath.Join(f.dir, lastFile)
	s, err := tensor.ReadSafetensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &trilobite.Error{Op: "train.Run", Code: trilobite.NotFound,
			Msg: "There is no checkpoint to resume from in " + f.dir + "; train without resuming."}
	}
	if err != nil {
		return nil, nil, err
	}
	var p position
	if err := json.Unmarshal([]byte(s.Meta["position"]), &p); err != nil {
		return nil, nil, fmt.Errorf("reading %s: its position: %w", path, err)
	}
	return &p, s.Tensors, nil
}

func (f files) loadBest() (map[string]*tensor.Tensor, error) {
	s, err := tensor.ReadSafetensors(filepath.Join(f.dir, bestFile))
	if err != nil {
		return nil, err
	}
	return s.Tensors, nil
}
