package modelfile

import (
	"strings"

	"trilobite/nn"
)

// Memory is what a step of the file's training needs at least, in bytes: for the weights,
// four numbers for each parameter (its value, its derivative and two of the optimiser), and
// for each picture of a batch what its layers hand on, which derivatives are computed from.
// Of a backbone that no stage unfreezes nothing is kept.
func (s *Spec) Memory(n *nn.Network) (weights, picture int64) {
	d := Describe(n)
	kept := s.Backbone.Freeze
	for _, stage := range s.Training.Stages {
		kept = kept && stage.Unfreeze == ""
	}
	for _, b := range d.Blocks {
		if kept && (strings.HasPrefix(b.Name, "backbone.") || s.Network == "classifier" && b.Name != d.Blocks[len(d.Blocks)-1].Name) {
			weights += 4 * b.Parameters
			continue
		}
		weights += 16 * b.Parameters
		picture += b.Activations
	}
	return weights, picture
}

// CheckMemory fails where a training step cannot fit into so many bytes; path is the
// file's, for the error.
func (s *Spec) CheckMemory(path string, n *nn.Network, bytes int64) error {
	weights, picture := s.Memory(n)
	batch := int64(s.Training.Batch)
	fit := (bytes - weights) / max(picture, 1)
	gb := func(n int64) float64 { return float64(n) / 1e9 }
	switch {
	case weights > bytes:
		return Fault(path, "network", "its parameters need %.1f GB in training, this machine has %.1f GB; choose a smaller head or backbone", gb(weights), gb(bytes))
	case fit == 0:
		return Fault(path, "preprocessing.width", "one picture of %d×%d needs %.1f GB in training, this machine has %.1f GB; choose a smaller size",
			s.Preprocessing.Width, s.Preprocessing.Height, gb(weights+picture), gb(bytes))
	case batch > fit:
		return Fault(path, "training.batch", "%d pictures of %d×%d need %.1f GB in a step, this machine has %.1f GB; at most %d fit",
			batch, s.Preprocessing.Width, s.Preprocessing.Height, gb(weights+batch*picture), gb(bytes), fit)
	}
	return nil
}
