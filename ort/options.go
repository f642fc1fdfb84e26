package ort

import (
	"fmt"
	"slices"
	"time"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Options configure a model. The zero value runs on the CPU with the defaults below.
type Options struct {
	Name     string // for errors and measurements; empty: the file's path
	Provider string // "cpu" (also empty) or "cuda"
	Device   int    // CUDA device number
	MaxQueue int    // runs that may wait before Throttled; 0: DefaultQueue
	MaxBatch int    // requests joined in a run; 0: 1 on the CPU, 8 on CUDA
	MaxWait  time.Duration
	Threads  int      // of a training step (LoadStep); 0: all cores. A model's are the scheduler's choice
	Recorder Recorder // nil: nothing is recorded
}

// DefaultQueue is how many runs of a model may wait. At 75 images/s and core it is a
// wait of about half a second on two cores; clients that retry do better than that.
const DefaultQueue = 64

// DefaultWait is how long a request waits for company where batching is on and other
// requests are announced.
const DefaultWait = 2 * time.Millisecond

// Recorder receives measurements; telemetry.Recorder is one.
type Recorder interface {
	Observe(stage, model string, d time.Duration) // stages here: "queue", "infer"
	Batch(model string, n int)                    // images in a run
	Queue(model string, depth int)                // runs waiting
}

// ValueInfo describes an input or output. A dimension that is not fixed is
// onnx.Unknown, whatever its symbol.
type ValueInfo struct {
	Name  string
	DType tensor.DType
	Shape onnx.Shape
}

// String returns the value as name dtype [shape].
func (v ValueInfo) String() string {
	return fmt.Sprintf("%s %s %s", v.Name, v.DType, v.Shape)
}

// Infos describes a graph's inputs or its outputs.
func Infos(values []*onnx.Value) []ValueInfo {
	all := make([]ValueInfo, len(values))
	for i, v := range values {
		all[i] = ValueInfo{v.Name, v.DType, slices.Clone(v.Shape)}
		for j, d := range v.Shape {
			if d < 0 {
				all[i].Shape[j] = onnx.Unknown
			}
		}
	}
	return all
}

func (o Options) withDefaults(path string) (Options, error) {
	if o.Name == "" {
		o.Name = path
	}
	if o.MaxQueue == 0 {
		o.MaxQueue = DefaultQueue
	}
	if o.MaxWait == 0 {
		o.MaxWait = DefaultWait
	}
	if o.Recorder == nil {
		o.Recorder = silence{}
	}
	switch o.Provider {
	case "", "cpu":
		o.Provider = "cpu"
		o.MaxBatch = max(o.MaxBatch, 1)
	case "cuda":
		if o.MaxBatch == 0 {
			o.MaxBatch = 8
		}
	default:
		return o, fmt.Errorf("loading model %s: provider %q, want cpu or cuda", o.Name, o.Provider)
	}
	if o.MaxQueue < 0 || o.MaxBatch < 0 || o.MaxWait < 0 || o.Device < 0 || o.Threads < 0 {
		return o, fmt.Errorf("loading model %s: negative queue, batch, wait, device or threads", o.Name)
	}
	return o, nil
}

type silence struct{}

func (silence) Observe(string, string, time.Duration) {}
func (silence) Batch(string, int)                     {}
func (silence) Queue(string, int)                     {}
