package onnx

import (
	"fmt"
	"math"
	"slices"

	"trilobite/tensor"
)

func resizeRule(op string) shapeRule {
	switch op {
	case "Resize":
		return inferResize
	case "GridSample":
		return inferGridSample
	case "AffineGrid":
		return inferAffineGrid
	case "RoiAlign":
		return inferRoiAlign
	default:
		return nil
	}
}

// inferResize: inputs X, roi, scales, sizes; scales or sizes, one of them, speak of
// the axes listed, or all. A scaled size is rounded down.
func inferResize(n *Node, _ *Symbols) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x, t := inShape(n, 0), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil {
		return nil
	}
	axes, err := resizeAxes(n, len(x))
	if err != nil {
		return fmt.Errorf("input %v: %w", x, err)
	}
	y := slices.Clone(x)
	for _, a := range axes {
		y[a] = Unknown
	}
	setOut(n, 0, t, y)
	if sizes := n.Input(3); sizes != nil {
		if elems, ok := elemsOf(sizes); ok && len(elems) > 0 {
			return resizeTo(n, x, y, axes, elems)
		}
	}
	if v := n.Input(2); v != nil && v.Data != nil && v.Data.Len() > 0 {
		scales, ok := tensor.Data[float32](v.Data)
		if !ok || len(scales) != len(axes) {
			return fmt.Errorf("input %v with %v scales for %d axes", x, v.Data.Shape, len(axes))
		}
		for i, a := range axes {
			if err := resizeBy(y, a, x[a], scales[i]); err != nil {
				return fmt.Errorf("input %v: %w", x, err)
			}
		}
	}
	return nil
}

// resizeAxes returns the axes that scales and sizes speak of, in their order.
func resizeAxes(n *Node, rank int) ([]int, error) {
	var axes []int
	list, ok := n.Attrs["axes"].([]int64)
	if !ok {
		for i := range rank {
			axes = append(axes, i)
		}
		return axes, nil
	}
	for _, a := range list {
		at, err := axisOf(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(axes, at) {
			return nil, fmt.Errorf("axes %v repeat", list)
		}
		axes = append(axes, at)
	}
	return axes, nil
}

func resizeBy(y Shape, axis int, in int64, scale float32) error {
	switch {
	case !(scale > 0) || scale > maxWindow:
		return fmt.Errorf("scale %g on axis %d", scale, axis)
	case scale == 1:
		y[axis] = in
	case in >= 0 && in <= maxWindow:
		y[axis] = int64(math.Floor(float64(float32(in) * scale))) // float32, as ONNX Runtime multiplies
	}
	return nil
}

// resizeTo sets sizes. With keep_aspect_ratio_policy all axes get the smallest or
// largest of the scales that the sizes mean.
func resizeTo(n *Node, x, y Shape, axes []int, sizes []num) error {
	if len(sizes) != len(axes) {
		return fmt.Errorf("input %v with %d sizes for %d axes", x, len(sizes), len(axes))
	}
	policy := n.Str("keep_aspect_ratio_policy", "stretch")
	if policy == "stretch" {
		for i, a := range axes {
			y[a] = sizes[i].size()
		}
		return nil
	}
	scale := math.NaN()
	for i, a := range axes {
		if sizes[i].dim || x[a] <= 0 {
			return nil
		}
		s := float64(sizes[i].n) / float64(x[a])
		if math.IsNaN(scale) || policy == "not_larger" && s < scale || policy == "not_smaller" && s > scale {
			scale = s
		}
	}
	for _, a := range axes {
		if to := math.Floor(scale*float64(x[a]) + 0.5); to >= 0 && to <= math.MaxInt32 {
			y[a] = int64(to)
		}
	}
	return nil
}

// inferGridSample: X (N, C, spatial…), grid (N, out…, d) → (N, C, out…).
func inferGridSample(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	x, grid, t := inShape(n, 0), inShape(n, 1), inType(n, 0)
	setOut(n, 0, t, nil)
	if x == nil || grid == nil {
		return nil
	}
	if len(x) < 3 || len(x) != len(grid) {
		return fmt.Errorf("input %v and grid %v are not of one rank of at least 3", x, grid)
	}
	batch, ok := mergeDim(x[0], grid[0])
	if d := grid[len(grid)-1]; !ok || d >= 0 && d != int64(len(x)-2) {
		return fmt.Errorf("grid %v does not fit input %v", grid, x)
	}
	setOut(n, 0, t, append(Shape{batch, x[1]}, grid[1:len(grid)-1]...))
	return nil
}

// inferAffineGrid: theta (N, d, d+1), size (N, C, spatial…) → (N, spatial…, d).
func inferAffineGrid(n *Node, _ *Symbols) error {
	if err := need(n, 2); err != nil {
		return err
	}
	theta, t := inShape(n, 0), inType(n, 0)
	setOut(n, 0, t, nil)
	size, known := elemsOf(n.In[1])
	rank := len(size)
	if s := inShape(n, 1); !known && len(s) == 1 && s[0] >= 0 && s[0] <= maxRank {
		rank = int(s[0])
	}
	if theta != nil && len(theta) != 3 || (known || rank > 0) && rank != 4 && rank != 5 {
		return fmt.Errorf("theta %v and a size of rank %d are not of ranks 3 and 4 or 5", theta, rank)
	}
	if rank == 0 {
		return nil
	}
	y := unknownShape(rank)
	y[rank-1] = int64(rank - 2)
	if theta != nil {
		y[0] = theta[0]
	}
	for i := 2; known && i < rank; i++ {
		y[i-1] = size[i].size()
	}
	setOut(n, 0, t, y)
	return nil
}

// inferRoiAlign: X (N, C, H, W), rois (count, 4) → (count, C, output_height, output_width).
func inferRoiAlign(n *Node, _ *Symbols) error {
	if err := need(n, 3); err != nil {
		return err
	}
	x, rois, t := inShape(n, 0), inShape(n, 1), inType(n, 0)
	if x != nil && len(x) != 4 || rois != nil && len(rois) != 2 {
		return fmt.Errorf("input %v and rois %v are not of ranks 4 and 2", x, rois)
	}
	y := Shape{Unknown, Unknown, max(n.Int("output_height", 1), Unknown), max(n.Int("output_width", 1), Unknown)}
	if rois != nil {
		y[0] = rois[0]
	}
	if x != nil {
		y[1] = x[1]
	}
	setOut(n, 0, t, y)
	return nil
}
