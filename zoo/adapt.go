package zoo

import (
	"fmt"
	"slices"

	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// Adapt makes the graph of an imported model one like those of package nn: its image comes
// as float32 (N, 3, H, W) in the size given, any number at once, and it answers with the
// one output that is read. Simplified, it computes what it did before. Facts are those that
// Recognise found; task may be another, and with "" all outputs stay, as a backbone's.
func Adapt(g *onnx.Graph, f Facts, task string, width, height int) error {
	if task == Classify || task == Segment {
		if err := keepOutput(g, f, task); err != nil {
			return err
		}
	}
	if err := takeFloats(g); err != nil {
		return err
	}
	if f.Single {
		if err := takeOne(g); err != nil {
			return err
		}
	}
	in := g.Inputs[0]
	in.Shape = onnx.Shape{in.Shape[0], 3, int64(height), int64(width)}
	if f.Layout == pipeline.NHWC {
		in.Shape = onnx.Shape{in.Shape[0], int64(height), int64(width), 3}
	}
	if err := onnx.Infer(g); err != nil {
		return invalidf("The model does not take images of %d×%d: %v.", width, height, err)
	}
	if err := checkSizes(g); err != nil {
		return err
	}
	if f.Layout == pipeline.NHWC {
		if err := onnx.ChannelsFirst(g); err != nil {
			return err
		}
	}
	if f.Binary && task == Segment {
		if err := twoClasses(g); err != nil {
			return err
		}
	}
	if err := onnx.Simplify(g); err != nil {
		return fmt.Errorf("simplifying: %w", err)
	}
	if task != Detect {
		freeBatch(g)
	}
	return onnx.Check(g)
}

// maxTensor bounds what a node computes for one image: 2^30 elements, 4 GiB.
const maxTensor = 1 << 30

// checkSizes refuses a graph that computes tensors beyond all use, before anything runs it.
func checkSizes(g *onnx.Graph) error {
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if v == nil {
				continue
			}
			size := int64(1)
			for _, d := range v.Shape {
				if size *= max(d, 1); size > maxTensor {
					return invalidf("%s computes a tensor of %s, more than %d elements.", n, v.Shape, maxTensor)
				}
			}
		}
	}
	return nil
}

// keepOutput drops all outputs but the one that is read.
func keepOutput(g *onnx.Graph, f Facts, task string) error {
	i := slices.IndexFunc(g.Outputs, func(y *onnx.Value) bool { return y.Name == f.Output })
	if i < 0 || f.Task != task {
		return invalidf("Task %s reads %s, and the graph's outputs are %s.", task, map[string]string{
			Classify: "float32 [N,C]", Segment: "float32 [N,C,H,W], [N,H,W,C] or int64 [N,H,W]",
		}[task], OutputsText(g))
	}
	g.Outputs = []*onnx.Value{g.Outputs[i]}
	onnx.RemoveDead(g)
	return nil
}

// takeFloats makes the graph's input float32, as preprocessing makes it.
func takeFloats(g *onnx.Graph) error {
	in := g.Inputs[0]
	switch in.DType {
	case tensor.Float32:
		return nil
	case tensor.Uint8, tensor.Int32, tensor.Float16, tensor.Float64:
	default:
		return invalidf("The graph's input %q is %s; images are float32 or uint8.", in.Name, in.DType)
	}
	return onnx.Feed(g, func(b *onnx.Builder, name string, old *onnx.Value) (x, fed *onnx.Value) {
		x = b.Input(name, tensor.Float32, slices.Clone(old.Shape))
		return x, b.Cast(x, old.DType)
	})
}

// takeOne gives the graph's image, which comes by itself, the axis of several.
func takeOne(g *onnx.Graph) error {
	return onnx.Feed(g, func(b *onnx.Builder, name string, old *onnx.Value) (x, fed *onnx.Value) {
		x = b.Input(name, tensor.Float32, batched(old.Shape))
		return x, b.Squeeze(x, 0)
	})
}

// twoClasses puts a score of 0 for "nothing" before the one score of each pixel: the
// softmax of both is the sigmoid of the one. A Sigmoid at the end goes.
func twoClasses(g *onnx.Graph) error {
	y := g.Outputs[0]
	logits := y
	if n := y.Node; n != nil && n.Op == "Sigmoid" {
		logits = n.In[0]
	}
	name := y.Name
	y.Name += "_one"
	g.Outputs = nil
	b := onnx.Extend(g)
	b.Output(name, b.Pad(logits, 0, 1, 0, 0, 0, 0, 0, 0))
	_, err := b.Graph()
	return err
}

// freeBatch lets a graph that was exported for one image take any number: the first axis
// becomes a symbol, a Reshape to (1, …) one to (N, …), and a Resize to (1, C, H, W) one to
// (H, W). Where two images do not go through, or the outputs then do not have that axis, the
// graph stays as it is.
func freeBatch(g *onnx.Graph) {
	if g.Inputs[0].Shape[0] != 1 || freed(g, 2) == nil {
		return
	}
	if c := freed(g, g.Symbols.Dim("N")); c != nil {
		*g = *c
	}
}

// freed is a copy of a graph that takes n images, nil where there is none.
func freed(g *onnx.Graph, n int64) *onnx.Graph {
	c := onnx.Clone(g)
	c.Inputs[0].Shape[0] = n
	for _, node := range c.Nodes {
		if node.Domain != "" {
			continue
		}
		switch node.Op {
		case "Reshape":
			freeReshape(node)
		case "Resize":
			freeResize(node)
		}
	}
	if onnx.Infer(c) != nil || onnx.Check(c) != nil {
		return nil
	}
	for i, y := range c.Outputs {
		if len(y.Shape) == 0 || y.Shape[0] != n && y.Shape[0] != onnx.Unknown || len(y.Shape) != len(g.Outputs[i].Shape) {
			return nil
		}
		y.Shape[0] = n
	}
	return c
}

func freeReshape(n *onnx.Node) {
	target := n.Input(1)
	if target == nil {
		return
	}
	to, ok := target.Ints()
	if !ok || len(to) < 2 || to[0] != 1 {
		return
	}
	to = slices.Clone(to)
	to[0] = -1
	if slices.Contains(to[1:], -1) {
		to[0] = 0
	}
	n.In[1] = vector(target.Name+"_free", to)
}

func freeResize(n *onnx.Node) {
	sizes := n.Input(3)
	if sizes == nil || n.Attrs["axes"] != nil || n.Str("keep_aspect_ratio_policy", "stretch") != "stretch" ||
		n.Str("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize" {
		return
	}
	from := n.In[0].Shape
	to, ok := sizes.Ints()
	if !ok || len(to) != len(from) || len(to) < 2 || to[0] != 1 || from[0] != 1 {
		return
	}
	var axes, left []int64
	for i, d := range to {
		if d != from[i] {
			axes, left = append(axes, int64(i)), append(left, d)
		}
	}
	if len(axes) == 0 {
		return
	}
	if n.Attrs == nil {
		n.Attrs = map[string]any{}
	}
	n.Attrs["axes"] = axes
	n.In[3] = vector(sizes.Name+"_free", left)
}

func vector(name string, v []int64) *onnx.Value {
	return &onnx.Value{Name: name, DType: tensor.Int64, Shape: onnx.Shape{int64(len(v))}, Data: tensor.Vector(v...)}
}
