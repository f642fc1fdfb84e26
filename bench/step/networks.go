package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
)

const (
	classes = 12 // of the segmentation networks
	size    = 256
)

// network is what a step is made of: a graph with its logits and what it is fed.
type network struct {
	graph  *onnx.Graph
	params []*onnx.Value
	batch  int64
	target onnx.Shape // of the class indices, without N
	class  int        // number of classes
}

// networkOf builds one of the networks of peer.py.
func networkOf(name string) (*network, error) {
	switch name {
	case "head", "whole":
		net, err := nn.DeepLabV3Plus(nn.DeepLabV3PlusOptions{
			SegmenterOptions: nn.SegmenterOptions{
				Backbone: nn.BackboneOptions{Name: "resnet50"}, Classes: classes, Height: size, Width: size,
			},
			ClassifyLast: true,
		})
		if err != nil {
			return nil, err
		}
		n := &network{net.Graph, net.Params, 4, onnx.Shape{size, size}, classes}
		if name == "head" {
			n.cut(net.Taps)
		}
		return n, nil
	case "lite0":
		net, err := nn.EfficientNetLite0(nn.ClassifierOptions{})
		if err != nil {
			return nil, err
		}
		return &network{net.Graph, net.Params, 16, nil, 1000}, nil
	default:
		build := nn.Classifiers()[name]
		if build == nil {
			return nil, fmt.Errorf("network %q, want head, whole, lite0 or a classifier of package nn", name)
		}
		net, err := build(nn.ClassifierOptions{})
		if err != nil {
			return nil, err
		}
		return &network{net.Graph, net.Params, 16, nil, 1000}, nil
	}
}

// cut makes inputs of the backbone's features: the head is trained on them alone.
func (n *network) cut(taps []nn.Tap) {
	n.graph.Inputs = nil
	for _, t := range taps {
		for _, node := range n.graph.Nodes {
			node.Out = slices.DeleteFunc(node.Out, func(v *onnx.Value) bool { return v == t.Value })
		}
		t.Value.Node = nil
		n.graph.Inputs = append(n.graph.Inputs, t.Value)
	}
	n.graph.Nodes = slices.DeleteFunc(n.graph.Nodes, func(node *onnx.Node) bool { return len(node.Out) == 0 })
	n.params = slices.DeleteFunc(n.params, func(p *onnx.Value) bool { return strings.HasPrefix(p.Name, "backbone.") })
}

// stepOf makes the step: cross-entropy, AdamW, batch norm in training mode.
func (n *network) stepOf() (*step.Step, error) {
	nn.Initialise(n.params, 4)
	b := onnx.Extend(n.graph)
	logits := n.graph.Outputs[0]
	target := b.Input("target", tensor.Int64, slices.Concat(logits.Shape[:1], n.target))
	l := loss.CrossEntropy(b, logits, target, loss.CrossEntropyAttrs{})
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := onnx.Bind(n.graph, map[string]int64{"N": n.batch}); err != nil {
		return nil, err
	}
	var trained []*onnx.Value
	for _, p := range n.params {
		if !strings.Contains(p.Name, "running_") {
			trained = append(trained, p)
		}
	}
	return step.Build(n.graph, step.Spec{Loss: l, Params: trained, BatchNorm: step.Train, Rule: optim.NewAdamW()})
}

// inputsOf makes the batch: normal images or features, random classes. Features come out
// of a ReLU.
func (n *network) inputsOf(in []*onnx.Value) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(4, 4)) //nolint:gosec // a batch to measure with, the same every time
	batch := make([]*tensor.Tensor, len(in))
	for i, v := range in {
		if v.DType == tensor.Int64 {
			list := make([]int64, tensor.Size(v.Shape))
			for k := range list {
				list[k] = r.Int64N(int64(n.class))
			}
			batch[i] = tensor.Of(v.Shape, list)
			continue
		}
		list := make([]float32, tensor.Size(v.Shape))
		for k := range list {
			list[k] = float32(r.NormFloat64())
			if v.Name != "input" {
				list[k] = max(list[k], 0)
			}
		}
		batch[i] = tensor.Of(v.Shape, list)
	}
	return batch
}
