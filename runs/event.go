package runs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Event is a line of events.jsonl. Its fields are those of train.Event, in their order:
// one converts to the other.
type Event struct {
	Kind            string // "start", "features", "step", "evaluation", "checkpoint", "stage" or "done"
	Time            time.Time
	Stage           string
	Epoch, Epochs   int
	Step, Steps     int64
	Loss, LR        float64
	ImagesPerSecond float64
	Metrics         map[string]float64 // of kind "evaluation"
	ETA             time.Duration
}

// wire is the JSON form of an Event. Numbers that JSON does not have, such as the loss
// of a training that went astray, are null.
type wire struct {
	Kind            string            `json:"kind"`
	Time            time.Time         `json:"time"`
	Stage           string            `json:"stage,omitempty"`
	Epoch           int               `json:"epoch,omitempty"`
	Epochs          int               `json:"epochs,omitempty"`
	Step            int64             `json:"step,omitempty"`
	Steps           int64             `json:"steps,omitempty"`
	Loss            Number            `json:"loss,omitzero"`
	LR              Number            `json:"lr,omitzero"`
	ImagesPerSecond Number            `json:"images_per_second,omitzero"`
	Metrics         map[string]Number `json:"metrics,omitempty"`
	ETA             float64           `json:"eta_seconds,omitempty"`
}

// Number is a float64 that is null in JSON where it is NaN or infinite; null is NaN.
type Number float64

// MarshalJSON writes null for what JSON does not have.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// MarshalJSON writes the event as in events.jsonl.
func (e Event) MarshalJSON() ([]byte, error) {
	w := wire{e.Kind, e.Time, e.Stage, e.Epoch, e.Epochs, e.Step, e.Steps, Number(e.Loss), Number(e.LR), Number(e.ImagesPerSecond), nil, e.ETA.Seconds()}
	for k, v := range e.Metrics {
		if w.Metrics == nil {
			w.Metrics = map[string]Number{}
		}
		w.Metrics[k] = Number(v)
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads an event as in events.jsonl; null is NaN.
func (e *Event) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*e = Event{w.Kind, w.Time, w.Stage, w.Epoch, w.Epochs, w.Step, w.Steps, float64(w.Loss), float64(w.LR), float64(w.ImagesPerSecond), nil, time.Duration(w.ETA * float64(time.Second))}
	for k, v := range w.Metrics {
		if e.Metrics == nil {
			e.Metrics = map[string]float64{}
		}
		e.Metrics[k] = float64(v)
	}
	return nil
}

// openEvents opens the file for appending and cuts off a last line that a crash left
// unfinished.
func openEvents(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644) //nolint:gosec // losses are no secrets
	if err != nil {
		return nil, err
	}
	end, err := lastNewline(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, errors.Join(err, f.Close()))
	}
	return f, nil
}

// lastNewline returns the offset behind the last newline; 0 without any.
func lastNewline(f *os.File) (int64, error) {
	at, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end := at.Size(); end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// maxLine bounds a line of events.jsonl in bytes.
const maxLine = 1 << 20

// Events returns the events of the run called id; an unfinished last line is no event.
func (s *Store) Events(id string) ([]Event, error) {
	path := filepath.Join(s.Dir(id), "events.jsonl")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Event
	r := bufio.NewReaderSize(f, maxLine)
	for line := 1; ; line++ {
		text, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		var e Event
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		all = append(all, e)
	}
}
