package learn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"trilobite/atomicfile"
	"trilobite/custom"
	"trilobite/onnx"
	"trilobite/tensor"
)

// searchFile is what a search keeps in the training's folder.
const searchFile = "search.safetensors"

// kept is how far a search has come: what it tried, and the best of it, whose last layers
// are the file's tensors and whose graph lies beside it. A search that is taken up again
// goes on with what it has not tried, in the time that it had left.
type kept struct {
	Tried    []custom.Trial  `json:"tried"`
	Done     []keptCandidate `json:"done"`
	Spent    time.Duration   `json:"spent"`
	Left     time.Duration   `json:"left"` // for further candidates
	Reading  time.Duration   `json:"reading"`
	Learning time.Duration   `json:"learning"`

	Best      int           `json:"best"` // of Tried
	Candidate keptCandidate `json:"candidate"`
	Graph     string        `json:"graph"`
	Steps     int64         `json:"steps"`
	Logits    [][]float64   `json:"logits"`
}

// keptCandidate is a candidate on disk.
type keptCandidate struct {
	Network  string  `json:"network"`
	Size     int     `json:"size"`
	Mirrored bool    `json:"mirrored"`
	Blocks   int     `json:"blocks"`
	Rate     float64 `json:"rate"`
	Decay    float64 `json:"decay"`
}

func recordOf(c candidate) keptCandidate {
	return keptCandidate{c.network, c.size, c.mirrored, c.blocks, c.Rate, c.Decay}
}

func (k keptCandidate) candidate() candidate {
	return candidate{k.Network, k.Size, k.Mirrored, k.Blocks, setting{k.Rate, k.Decay}}
}

// knows reports whether a candidate was tried, or skipped, before.
func (s *search) knows(c candidate) bool { return slices.Contains(s.done, recordOf(c)) }

// keep writes how far the search has come, whole or not at all.
func (s *search) keep() error {
	if s.run.Dir == "" {
		return nil
	}
	k := kept{
		Tried: s.tried, Done: s.done, Spent: time.Since(s.began), Left: time.Until(s.until), Reading: s.first.reading, Learning: s.first.learning,
		Best: s.bestRow, Candidate: recordOf(s.best.candidate), Steps: s.best.heads.steps, Logits: s.best.logits,
		Graph: "search-" + strconv.Itoa(s.bestRow) + ".onnx",
	}
	data, err := onnx.Marshal(s.best.graph)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(filepath.Join(s.run.Dir, k.Graph), data, atomicfile.Perm); err != nil {
		return err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	layers := map[string]*tensor.Tensor{}
	for i, l := range s.best.heads.layers {
		layers[fmt.Sprint(i, ".weight")], layers[fmt.Sprint(i, ".bias")] = l.weight, l.bias
	}
	if err := atomicfile.Write(filepath.Join(s.run.Dir, searchFile), atomicfile.Perm, func(w io.Writer) error {
		return tensor.WriteSafetensorsTo(w, layers, map[string]string{"search": string(text)})
	}); err != nil {
		return err
	}
	return s.forget(k.Graph)
}

// forget removes the graphs that were the best before.
func (s *search) forget(but string) error {
	all, err := filepath.Glob(filepath.Join(s.run.Dir, "search-*.onnx"))
	for _, name := range all {
		if filepath.Base(name) != but {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// recall takes the search up where it was kept. What is not whole, or of other images,
// counts as nothing kept.
func (s *search) recall(ctx context.Context) error {
	file, err := tensor.ReadSafetensors(filepath.Join(s.run.Dir, searchFile))
	if err != nil {
		return nil //nolint:nilerr // a search from the start is right, too
	}
	var k kept
	if json.Unmarshal([]byte(file.Meta["search"]), &k) != nil || k.Best >= len(k.Tried) || len(k.Logits) != len(s.run.Train.Images) {
		return nil //nolint:nilerr // as above
	}
	graph, err := onnx.Load(filepath.Join(s.run.Dir, filepath.Base(k.Graph)))
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	h := &heads{steps: k.Steps, logits: k.Logits}
	for i := range slices.Max(s.folds) + 2 {
		l := layer{file.Tensors[fmt.Sprint(i, ".weight")], file.Tensors[fmt.Sprint(i, ".bias")]}
		if l.weight == nil || l.bias == nil {
			return nil
		}
		h.layers = append(h.layers, l)
	}
	f, err := s.prepare(ctx, k.Candidate.candidate())
	if err != nil {
		return err
	}
	f.graph, f.heads, f.logits = graph, h, k.Logits
	f.measured = measure(s.reads, f.logits, s.run.Train.Images)
	s.best, s.bestRow, s.tried, s.done, s.first = f, k.Best, k.Tried, k.Done, took{k.Reading, k.Learning}
	s.began, s.until = time.Now().Add(-k.Spent), time.Now().Add(k.Left)
	cmp.Or(s.Log, slog.Default()).InfoContext(ctx, "search taken up", "model", s.run.Name, "tried", len(s.tried))
	return nil
}

// again computes the best candidate's features where the search was taken up without them.
func (s *search) again(ctx context.Context) error {
	if s.rows != nil {
		return nil
	}
	before, _, err := cut(s.best.net, 0)
	if err != nil {
		return err
	}
	s.rows, err = s.read(ctx, s.best, before, s.first.learning)
	return err
}
