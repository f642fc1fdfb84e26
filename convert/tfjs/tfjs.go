// Package tfjs converts TensorFlow.js graph models to ONNX.
//
// A model is a model.json, which holds a TensorFlow graph, and shards of weights:
// ReadFile reads them (reader.go, weights.go, attr.go), Convert writes the ONNX graph.
// Convert walks the part of the graph between the wanted inputs and outputs (walk.go)
// and gives each node to the rule of its operation (rules.go lists them all).
//
// TensorFlow keeps images as NHWC, ONNX as NCHW. Each tensor is held in the layout in
// which it was made (operand.go), rules work in either where they can, by renumbering
// axes, and a Transpose is written only where the order of elements shows: before a
// Reshape, mostly. Weights are transposed while converting. Arithmetic on shapes is
// done while converting too, with the batch kept as a symbol, so that reshapes that
// a graph computes from its input become constants (number.go).
//
// Batch normalisations and other products and sums per channel go into the weights
// and biases of the convolution before them (fold.go), and paddings into its pads
// (window.go).
//
// Control flow is not converted: a model such as COCO-SSD, which resizes its images
// in a loop, is entered behind it by naming a tensor as an input. What COCO-SSD does
// before that tensor, Preprocessor/sub, is pinned by golden/cocossd.py: it takes RGB
// bytes, resizes each image to 300×300 without keeping its proportions, by
// ResizeBilinear with align_corners and half_pixel_centers both false (output pixel i
// is read at exactly i·in/out, no antialiasing, the last pixel repeated at the
// edge), then multiplies by float32(1/127.5) and subtracts 1. Behind the network,
// Postprocessor/Slice holds scores (N, 1917, 90), sigmoids of which column k is
// category k+1 of COCO's 90 (background is cut off), and Postprocessor/ExpandDims_1
// the boxes (N, 1917, 1, 4): ymin, xmin, ymax, xmax as fractions of the image, not
// clipped to it.
package tfjs

import (
	"fmt"
	"os"
	"path/filepath"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Options say which part of a model to convert.
type Options struct {
	Name    string   // of the graph
	Inputs  []Input  // nil: the placeholders that the outputs depend on, in the file's order
	Outputs []Output // nil: the signature's outputs, else the tensors that no node reads
}

// Input makes a tensor of the model an input of the graph; what computes it in the
// model is cut away.
type Input struct {
	Name string // the tensor: a node, or "node:1" for its second output
	As   string // the input's name in ONNX; "" is the tensor's own, "node:0"

	// Shape is in TensorFlow's order, NHWC for images. -1 is any size and becomes a
	// symbol, N for the first axis. An input of rank 4 is taken for an image and is
	// NCHW in ONNX. Nil is the shape of the placeholder of that name.
	Shape []int64
	DType tensor.DType // Invalid is the placeholder's, else float32
}

// Output makes a tensor of the model an output of the graph.
type Output struct {
	Name string // as Input.Name
	As   string
	NCHW bool // of rank 4: leave an image NCHW instead of TensorFlow's NHWC
}

// ConvertFile converts the model whose model.json is at path. Weights are only read
// from its folder.
func ConvertFile(path string, o Options) (*onnx.Graph, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	m, err := ReadFile(root.FS(), filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return Convert(m, o)
}

// Convert returns the ONNX graph that computes o.Outputs from o.Inputs.
func Convert(m *Model, o Options) (*onnx.Graph, error) {
	c := newConverter(m, o.Name)
	if len(o.Outputs) == 0 {
		o.Outputs = c.defaultOutputs()
	}
	if len(o.Inputs) == 0 {
		o.Inputs = c.defaultInputs(o.Outputs)
	}
	for _, in := range o.Inputs {
		if err := c.input(in); err != nil {
			return nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
	}
	steps, err := c.plan(o.Outputs)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if err := c.convert(s); err != nil {
			return nil, fmt.Errorf("%s %q: %w", s.Op, s.Name, err)
		}
	}
	for _, out := range o.Outputs {
		if err := c.output(out); err != nil {
			return nil, fmt.Errorf("output %q: %w", out.Name, err)
		}
	}
	g, err := c.b.Graph()
	if err != nil {
		return nil, err
	}
	c.name(steps, g)
	return c.b.Graph()
}
