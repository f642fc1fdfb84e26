// Package train trains networks: the loop, whatever the task.
//
// A Task brings a network as a graph, a loss as a function that writes it, samples and a
// judge of the answers; a Recipe says what is trained and how. Run cuts the network in
// two (split.go): the frozen part becomes an inference model whose answers, where the
// data have finitely many versions, are computed once and kept (features.go, cache.go);
// what depends on the trained parameters becomes, with the loss, one step graph (package
// step) whose parameters stay in ONNX Runtime's memory (ort.Stepper). Samples are made
// ahead of the step (prefetch.go), in an order that follows from the seed alone
// (order.go). Every so often the network is evaluated, and checkpoints are written
// (checkpoint.go) that a later Run goes on from, on the CPU bit for bit.
//
// Start at Task, then Run in run.go. The package knows no task.
package train

import (
	"context"
	"time"

	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/step"
	"trilobite/tensor"
)

// Task is what is trained on what.
type Task struct {
	// Graph is the network with the values that its constants start from; it stays as it
	// is. Its inputs begin with the batch.
	Graph *onnx.Graph
	// Params names the constants that are parameters; nil means every float constant
	// with a dimension that is no running statistic.
	Params []string
	// Loss adds the loss to b and returns it. outputs are the network's; the targets are
	// inputs that it declares, in the order of Sample.Targets.
	Loss func(b *onnx.Builder, outputs []*onnx.Value) *onnx.Value

	Train      Source
	Validation Source // nil: nothing is evaluated, the last state is the result
	// Judge starts an evaluation. It may be nil where Validation is.
	Judge func() Judge
	// Metric is the judge's figure that says which evaluation is best; more is better.
	Metric string
	// Check, if it is not nil, looks at the samples that could be made before anything
	// is trained on them: a class may have lost all of its own.
	Check func(train, validation []int) error
}

// Source makes samples. It is used from several goroutines.
type Source interface {
	Len() int
	// Variants is how many versions there are of each sample; 0: any number, a new one
	// for each use.
	Variants() int
	// Sample makes version variant of sample i: 0 is the sample as it is, others are up to
	// Variants()−1, or where that is 0, follow from variant as a seed. The same arguments give the same sample.
	// An error other than ctx's means that the sample cannot be used.
	Sample(ctx context.Context, i int, variant uint64) (Sample, error)
}

// Sample is one picture and what it shows, as tensors. Their first dimension is the
// batch and 1.
type Sample struct {
	Inputs  []*tensor.Tensor // of the network, in its order
	Targets []*tensor.Tensor // of the loss, in its order
}

// Judge measures answers.
type Judge interface {
	// Add takes the network's outputs for validation sample i and its targets.
	Add(i int, outputs, targets []*tensor.Tensor) error
	// Metrics returns the figures over all that was added.
	Metrics() map[string]float64
}

// Recipe says how to train.
type Recipe struct {
	Stages []Stage
	Seed   uint64
	// Batch is the number of samples of a step; 0: all of them.
	Batch int
	// Whole leaves out an epoch's last batch where it would be smaller: batches of one
	// known size make a faster step.
	Whole      bool
	BatchNorm  step.BatchNormMode
	NoDecay    func(name string) bool    // see step.Spec
	LRScale    func(name string) float64 // see step.Spec
	ClipNorm   float64                   // see step.Spec
	EMA        float64                   // decay of averages, which are then what is evaluated and kept; 0: none
	Accumulate int                       // steps per update; 0 and 1: one

	Every    int64         // steps between evaluations; 0: an epoch's
	Patience int           // evaluations without a better one that end the training; 0: never
	Budget   time.Duration // time that ends it, and to which the schedules are shortened; 0: none
}

// Stage is a part of a training with its own parameters and optimiser.
type Stage struct {
	Name      string
	Trainable func(name string) bool // nil: every parameter
	Epochs    int
	Steps     int64 // in place of Epochs
	Batch     int   // in place of Recipe.Batch
	Every     int64 // in place of Recipe.Every
	Plain     bool  // every sample as it is: its version 0, whatever the source has
	Rule      optim.Rule
	LRScale   func(name string) float64 // in place of Recipe.LRScale
	// Schedule makes the learning rates of a stage of so many updates.
	Schedule func(updates int64) optim.Schedule
}

// Options say where a training runs.
type Options struct {
	// Dir holds the checkpoints, best.safetensors and last.safetensors, and state.json;
	// empty: none are written.
	Dir string
	// Resume goes on from last.safetensors in Dir.
	Resume bool
	// Fingerprint stands for everything that a training which resumes must agree in,
	// such as the data.
	Fingerprint string
	// Events receives what happens; its reader must not stop before Run returns. Nil: nobody.
	Events chan<- Event
	// Dropped is told of samples that cannot be used. Nil: nobody.
	Dropped func(validation bool, i int, err error)
	// Memory and Disk bound cached features, in bytes: 0 means 1 GiB and 16 GiB. What
	// fits neither is computed each time. Without Dir nothing goes to the disk.
	Memory, Disk int64
	Runtime      ort.Options // provider, device, threads
}

// Result is what a training came to.
type Result struct {
	// Weights are the trained constants by name, as they were at the best evaluation, or
	// without any, in the end.
	Weights map[string]*tensor.Tensor
	Best    *Evaluation // nil: none
	Steps   int64       // done, over all stages
	Stopped Reason
	Seconds float64 // of training, earlier runs that this one resumed included
}

// Evaluation is the network's figures after a number of steps.
type Evaluation struct {
	Step    int64              `json:"step"`  // over all stages
	Epoch   int                `json:"epoch"` // over all stages, from 1
	Metrics map[string]float64 `json:"metrics"`
}

// Reason says why a training ended.
type Reason string

// The reasons.
const (
	Finished  Reason = "finished"
	OutOfTime Reason = "budget"   // Recipe.Budget
	NoBetter  Reason = "patience" // Recipe.Patience
)
