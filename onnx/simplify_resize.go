package onnx

import (
	"slices"

	"trilobite/tensor"
)

// projectBeforeResize moves a 1×1 Conv in front of the Resize (nearest or linear, of
// spatial axes) that feeds it, as in the decoder of a segmentation network.
//
// Exact up to rounding: the Conv mixes channels at each position, the Resize mixes
// positions in each channel with weights that sum to 1, so that the bias passes
// through too. Saves the Conv's work at the larger size; it is done where that
// outweighs resizing more channels. The weights may be inputs, as in a training step,
// where the derivatives by weights and features cost as much again at each size.
func projectBeforeResize(e *editor) bool {
	changed := false
	at := map[*Node]int{}
	for i, n := range e.g.Nodes {
		at[n] = i
	}
	for j, conv := range e.g.Nodes {
		if !isProjection(conv) {
			continue
		}
		resize := e.only(conv.In[0], "Resize")
		if resize == nil || !spatialResize(resize) || !projectionPays(conv, resize) {
			continue
		}
		axes, _ := resizeAxes(resize, len(resize.Out[0].Shape))
		if c := slices.Index(axes, 1); c >= 0 && resize.Input(3) != nil {
			list, ok := numbersOf(resize.In[3])
			if !ok || c >= len(list) {
				continue
			}
			list = slices.Clone(list)
			list[c] = conv.In[1].Shape[0]
			e.setConstant(resize, 3, tensor.Vector(list...))
		}
		// The two trade places, in the graph's order too: the Resize's output
		// becomes the Conv's, the Conv's the Resize's.
		x, between, y := resize.In[0], resize.Out[0], conv.Out[0]
		e.setInput(conv, 0, x)
		e.setInput(resize, 0, between)
		conv.Out, resize.Out = []*Value{between}, []*Value{y}
		between.Node, y.Node = conv, resize
		i := at[resize]
		e.g.Nodes[i], e.g.Nodes[j] = conv, resize
		at[conv], at[resize] = i, j
		between.DType, between.Shape = x.DType, nil // the next round infers it
		changed = true
	}
	return changed
}

// isProjection reports whether n is a 1×1 Conv that leaves the spatial size, by weights
// that are there before anything is computed.
func isProjection(n *Node) bool {
	if n.Op != "Conv" || n.Domain != "" || len(n.Out) != 1 || n.Input(0) == nil || n.Input(1) == nil ||
		n.In[1].Node != nil || len(n.In[1].Shape) < 3 || !n.In[1].Shape.Static() {
		return false
	}
	if b := n.Input(2); b != nil && b.Node != nil {
		return false
	}
	for _, list := range [][]int64{n.In[1].Shape[2:], n.Ints("strides")} {
		if slices.ContainsFunc(list, func(v int64) bool { return v != 1 }) {
			return false
		}
	}
	return !slices.ContainsFunc(n.Ints("pads"), func(v int64) bool { return v != 0 })
}

// spatialResize reports whether a Resize interpolates spatial axes only, by weights
// that sum to 1, and says how in constants.
func spatialResize(n *Node) bool {
	mode := n.Str("mode", "nearest")
	if mode != "nearest" && mode != "linear" || n.Str("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize" ||
		n.Str("keep_aspect_ratio_policy", "stretch") != "stretch" {
		return false
	}
	x, y := inShape(n, 0), n.Out[0].Shape
	if len(x) < 3 || len(y) != len(x) || x[1] < 0 || x[1] != y[1] || x[0] != y[0] || x[0] == Unknown {
		return false
	}
	axes, err := resizeAxes(n, len(x))
	scales, ok := floatsOf(n.Input(2))
	if n.Input(2) == nil || ok && len(scales) == 0 {
		_, ok = numbersOf(n.Input(3))
		return ok && err == nil
	}
	for i, a := range axes {
		if !ok || i >= len(scales) || a < 2 && scales[i] != 1 {
			return false
		}
	}
	return n.Input(3) == nil && err == nil
}

// projectionPays compares the multiplications: a Conv from C to M channels against
// M − C channels more to resize, at about 8 a value.
func projectionPays(conv, resize *Node) bool {
	const perValue = 8
	in, out := productOf(inShape(resize, 0)[2:]...), productOf(resize.Out[0].Shape[2:]...)
	if !in.known || !out.known || len(in.symbols)+len(out.symbols) > 0 {
		return false
	}
	c, m := float64(inShape(resize, 0)[1]), float64(conv.In[1].Shape[0])
	k := float64(conv.In[1].Shape[1])
	before := float64(out.size) * (c*perValue + m*k)
	after := float64(out.size)*m*perValue + float64(in.size)*m*k
	return after < before
}
