// Step measures training steps beside PyTorch: the head of a DeepLabV3+ on ResNet-50 and
// the whole network (256×256, batch 4), and EfficientNet-Lite0 (224×224, batch 16) or
// another classifier that both package nn and torchvision have, resnet18 for one, with
// cross-entropy, AdamW and batch norm in training mode, random weights and one fixed
// batch. Both sides have the same cores, and each run is a process of its own, so that its
// peak memory is its own. They alternate; each round compares with the better of PyTorch's
// two memory formats, and the median of the rounds counts.
//
//	go run ./bench/step -python .venv/bin/python
//
// With -network it is one such process of ours, and -save writes its graph.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/step"
	"trilobite/tensor"
)

const warmUp = 2 // steps that are not counted

// measured is what a process prints.
type measured struct {
	Seconds float64   `json:"seconds"` // median of the steps
	Peak    int       `json:"peak"`    // resident, MB
	Create  float64   `json:"create"`  // seconds until the session was ready
	Nodes   int       `json:"nodes"`
	Losses  []float64 `json:"losses"`
}

func main() {
	one := flag.String("network", "", "measure one network in this process: head, whole, lite0, a classifier")
	save := flag.String("save", "", "write the step's graph to this file, its slots beside it, and stop")
	steps := flag.Int("steps", 5, "measured in each process")
	rounds := flag.Int("rounds", 3, "processes of each side")
	python := flag.String("python", "python3", "interpreter with the packages of deps/python/step.txt")
	networks := flag.String("networks", "head,whole,lite0", "what is compared")
	flag.Parse()
	log.SetFlags(0)
	var err error
	switch {
	case *save != "":
		err = saveStep(*one, *save)
	case *one != "":
		err = measure(*one, *steps)
	default:
		err = compare(context.Background(), *python, strings.Split(*networks, ","), *rounds, *steps)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// measure runs one network's steps and prints what it measured.
func measure(name string, steps int) error {
	n, err := networkOf(name)
	if err != nil {
		return err
	}
	st, err := n.stepOf()
	if err != nil {
		return err
	}
	s, create, err := load(st)
	if err != nil {
		return err
	}
	defer s.Close()
	batch := n.inputsOf(inputs(st))
	m := measured{Create: create.Seconds(), Nodes: len(st.Graph.Nodes)}
	var seconds []float64
	for i := range warmUp + steps {
		start := time.Now()
		out, err := s.Run(context.Background(), slices.Concat(batch, []*tensor.Tensor{
			tensor.Scalar(float32(1e-3)), tensor.Scalar(int64(i + 1)),
		}))
		if err != nil {
			return err
		}
		seconds = append(seconds, time.Since(start).Seconds())
		l, _ := tensor.Data[float32](out[0])
		m.Losses = append(m.Losses, float64(l[0]))
	}
	m.Seconds, m.Peak = median(seconds[warmUp:]), peak()
	return json.NewEncoder(os.Stdout).Encode(m)
}

// load makes the session; what the graph was built of may be collected after it.
func load(st *step.Step) (*ort.Stepper, time.Duration, error) {
	model, err := onnx.Marshal(st.Graph)
	if err != nil {
		return nil, 0, err
	}
	r, err := ort.Open("")
	if err != nil {
		return nil, 0, err
	}
	var slots []ort.Slot
	var initial []*tensor.Tensor
	for i, s := range st.Slots {
		slots, initial = append(slots, ort.Slot{In: s.In, Out: s.Out}), append(initial, s.Init)
		st.Slots[i].Init = nil
	}
	start := time.Now()
	s, err := r.LoadStep(context.Background(), model, slots, initial, ort.Options{Name: st.Graph.Name})
	took := time.Since(start)
	clear(initial)
	runtime.GC()
	return s, took, err
}

// inputs are those of the model: lr and step come after them, the slots are ort's.
func inputs(st *step.Step) []*onnx.Value {
	return slices.DeleteFunc(slices.Clone(st.Graph.Inputs), func(v *onnx.Value) bool {
		return v.Name == "lr" || v.Name == "step" ||
			slices.ContainsFunc(st.Slots, func(s step.Slot) bool { return s.In == v.Name })
	})
}

// saveStep writes the graph for other tools, such as ONNX Runtime's own profiler.
func saveStep(name, path string) error {
	n, err := networkOf(name)
	if err != nil {
		return err
	}
	st, err := n.stepOf()
	if err != nil {
		return err
	}
	slots := make([][2]string, len(st.Slots))
	for i, s := range st.Slots {
		slots[i] = [2]string{s.In, s.Out}
	}
	data, err := json.Marshal(slots)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".json", data, 0o600); err != nil {
		return err
	}
	return onnx.Save(path, st.Graph)
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// peak is the process's largest resident size in MB; 0 where the system does not say.
func peak() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb / 1024
		}
	}
	return 0
}
