package onnx

import (
	"errors"
	"fmt"
	"slices"

	"trilobite/tensor"
)

// The permutations between the layouts of images.
var (
	toChannelsLast  = []int64{0, 2, 3, 1} // (N, C, H, W) → (N, H, W, C)
	toChannelsFirst = []int64{0, 3, 1, 2} // (N, H, W, C) → (N, C, H, W)
)

// ChannelsFirst rewrites a graph whose first input is an image with the channels last, (N,
// H, W, C), as Keras and TensorFlow export it, into one that takes (N, C, H, W), and so do
// its feature maps: Transposes around each convolution are moved through what lies
// between and cancel. Outputs that are maps of scores, (N, H, W, C), become (N, C, H, W).
// Inputs, outputs and nodes keep their names.
//
// It is exact bit for bit, whatever cancels: what does not keeps its Transpose.
func ChannelsFirst(g *Graph) error {
	if len(g.Inputs) == 0 || len(g.Inputs[0].Shape) != 4 {
		return errors.New("the graph's first input is no image (N, H, W, C)")
	}
	x := g.Inputs[0]
	in := slices.Clone(x.Shape)
	e := newEditor(g)
	first := &Value{Name: x.Name, DType: x.DType, Shape: pick(x.Shape, toChannelsFirst)}
	x.Name = e.fresh(x.Name + "_nhwc")
	g.Inputs[0] = first
	nodes := []*Node{e.transpose(first, x, toChannelsLast)}
	nodes = append(nodes, g.Nodes...)
	for i, y := range g.Outputs {
		if len(y.Shape) != 4 || y.Node == nil || slices.Contains(g.Outputs[:i], y) || mapsFirst(y.Shape, in) {
			continue
		}
		out := &Value{Name: y.Name, DType: y.DType, Shape: pick(y.Shape, toChannelsFirst)}
		y.Name = e.fresh(y.Name + "_nhwc")
		nodes = append(nodes, e.transpose(y, out, toChannelsFirst))
		g.Outputs[i] = out
	}
	g.Nodes = nodes
	if err := simplify(g, []func(*editor) bool{
		foldConstants,
		removeNoOps,
		sinkTransposes,
		mergeTransposes,
		reshapeForTranspose,
		fixReshapes,
		fixResizes,
		removeDead,
	}); err != nil {
		return fmt.Errorf("channels first: %w", err)
	}
	return nil
}

// transpose makes the node that permutes x into y.
func (e *editor) transpose(x, y *Value, perm []int64) *Node {
	n := &Node{Name: y.Name + "_transpose", Op: "Transpose", In: []*Value{x}, Out: []*Value{y}, Attrs: map[string]any{"perm": perm}}
	y.Node = n
	e.addUse(x, n)
	return n
}

// fresh returns an unused name and takes it.
func (e *editor) fresh(base string) string {
	name := base
	for k := 1; e.names[name]; k++ {
		name = fmt.Sprintf("%s_%d", base, k)
	}
	e.names[name] = true
	return name
}

// mapsFirst reports whether a map of scores for images of shape in, (N, H, W, C), has its
// places on the last two axes, having their proportions there and not on axes 1 and 2.
func mapsFirst(out, in Shape) bool {
	like := func(h, w int64) bool { return h > 0 && w > 0 && in[1] > 0 && in[2] > 0 && h*in[2] == w*in[1] }
	return like(out[2], out[3]) && !like(out[1], out[2])
}

// reshapeForTranspose makes a Reshape of a Transpose that moves only axes of one element
// past the others, such as (N, 1, 1, C) to (N, C, 1, 1): a Transpose between a mean over
// all places and the layers after it is gone.
//
// Exact bit for bit.
func reshapeForTranspose(e *editor) bool {
	changed := false
	for _, n := range e.g.Nodes {
		x := inShape(n, 0)
		if n.Op != "Transpose" || n.Domain != "" || x == nil {
			continue
		}
		perm, err := permOf(n.Ints("perm"), len(x))
		if err != nil {
			continue
		}
		moving := slices.DeleteFunc(slices.Clone(perm), func(a int64) bool { return x[a] == 1 })
		to, fixed := reshapeTarget(pick(x, perm))
		if slices.IsSorted(perm) || !slices.IsSorted(moving) || !fixed {
			continue
		}
		n.Op, n.Attrs = "Reshape", nil
		e.setConstant(n, 1, tensor.Vector(to...))
		changed = true
	}
	return changed
}

// reshapeTarget writes a shape as a Reshape's target, false if more than one size is open.
func reshapeTarget(s Shape) ([]int64, bool) {
	to := make([]int64, len(s))
	open := 0
	for i, d := range s {
		if to[i] = d; d < 0 {
			to[i] = -1
			open++
		}
	}
	return to, open <= 1
}
