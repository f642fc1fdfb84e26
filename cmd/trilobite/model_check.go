package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"trilobite/convert/torch"
	"trilobite/modelfile"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/train/transfer"
	"trilobite/zoo"
)

// checkModel reads a model file and finds what can be wrong with it before there are data:
// its fields, its network, the weights that it names and the memory that it takes.
func checkModel(store *zoo.Store, path string) (*modelfile.Spec, error) {
	s, err := modelfile.Read(path, finder(store, path))
	if err != nil {
		return nil, err
	}
	n, err := s.Build(max(2, len(s.Classes)))
	if err != nil {
		return nil, modelfile.Fault(path, "network", "%s", strings.TrimPrefix(err.Error(), s.Network+": "))
	}
	if err := checkWeights(path, s, n); err != nil {
		return nil, err
	}
	return s, s.CheckMemory(path, n, machineMemory())
}

// checkWeights looks whether the weights that a file names are there and fit its network.
// A known model's package is not fetched for it.
func checkWeights(path string, s *modelfile.Spec, n *nn.Network) error {
	ref := s.Backbone.Weights
	wrong := func(format string, args ...any) error {
		return modelfile.Fault(path, "backbone.weights", format, args...)
	}
	switch {
	case ref == "":
		return nil
	case isWeightsFile(ref):
		state, err := torch.Read(beside(path, ref))
		if err != nil {
			return wrong("%v", err)
		}
		if err := assignBackbone(s, n, state); err != nil {
			return wrong("%s: %v", ref, err)
		}
		return nil
	}
	known, err := zoo.Known()
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(c zoo.Card) bool { return c.Task != zoo.Classify || c.Convert.Format != "torch" })
	var names []string
	for _, c := range known {
		if c.Name == ref && c.Convert.Network != s.Backbone.Name {
			return wrong("%s has weights of %s, the backbone is %s", ref, c.Convert.Network, s.Backbone.Name)
		} else if c.Name == ref {
			return nil
		}
		names = append(names, c.Name)
	}
	return wrong("there is no model %q with weights for it; %s, or name a .pth or .safetensors file", ref, modelfile.Nearest(ref, names))
}

// beside is where a file that a model file names is.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}

// assignBackbone gives a model file's backbone its weights.
func assignBackbone(s *modelfile.Spec, n *nn.Network, state *torch.StateDict) error {
	prefix, params := transfer.Backbone, n.Params
	if s.Network == "classifier" { // all but the layer of the classes
		prefix, params = "", n.Params[:len(n.Params)-2]
	}
	return torch.AssignUnder(slices.DeleteFunc(slices.Clone(params), func(v *onnx.Value) bool { return !strings.HasPrefix(v.Name, prefix) }), prefix, state)
}

// machineMemory is the memory of the machine or of the container, in bytes, as Linux tells
// it; elsewhere there is no end to it.
func machineMemory() int64 {
	most := int64(math.MaxInt64)
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
				if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					most = n << 10
				}
			}
		}
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			most = min(most, n)
		}
	}
	return most
}
