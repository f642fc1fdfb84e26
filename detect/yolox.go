package detect

import (
	"fmt"
	"math"
	"slices"

	"trilobite/geom"
	"trilobite/ort"
	"trilobite/tensor"
)

// newYOLOX reads YOLOX as its export_onnx.py writes it, without --decode_in_inference:
//
//	output  [1, A, 5+C]  dx, dy, log w, log h in units of the anchor's stride,
//	                     objectness and class scores 0 to 1
//
// A counts the cells of the grids of strides 8, 16, 32 (and 64 in the P6 nets), in that
// order, row by row. A class's score is objectness times its own.
// Source: demo_postprocess in YOLOX's yolox/utils/demo_utils.py; arXiv:2107.08430.
func newYOLOX(out []ort.ValueInfo, c Config) (decoder, error) {
	classes := len(c.Labels) - c.Offset
	row := 5 + classes
	grids := yoloxGrids(c.Pipeline.Width, c.Pipeline.Height)
	three, four := int64(len(grids[0])), int64(len(grids[1]))
	if len(out) != 1 || classes < 1 || !like(out[0], 1, three, int64(row)) && !like(out[0], 1, four, int64(row)) {
		return nil, fmt.Errorf("decoder yolox expects one float32 output [1,%d,%d] (or [1,%d,%d] with stride 64) for %d labels at %d×%d, the model has %v",
			three, row, four, row, classes, c.Pipeline.Width, c.Pipeline.Height, out)
	}
	return func(out []*tensor.Tensor, minScore float32) []candidate {
		d, _ := tensor.Data[float32](out[0])
		cells := grids[0]
		if len(d)/row == len(grids[1]) {
			cells = grids[1]
		}
		var found []candidate
		for a := range min(len(d)/row, len(cells)) {
			r := d[a*row : (a+1)*row]
			if !(r[4] >= minScore) {
				continue // no class can reach it
			}
			for class, p := range r[5:] {
				if score := r[4] * p; score >= minScore {
					found = append(found, candidate{cells[a].box(r), class, score})
				}
			}
		}
		return found
	}, nil
}

// cell is a place of a YOLOX grid: its column and row, and the grid's stride in pixels.
type cell struct{ x, y, stride float32 }

func (c cell) box(r []float32) geom.Box {
	return centred((r[0]+c.x)*c.stride, (r[1]+c.y)*c.stride, exp(r[2])*c.stride, exp(r[3])*c.stride)
}

// yoloxGrids returns the cells for three and for four strides.
func yoloxGrids(w, h int) [2][]cell {
	var cells []cell
	var grids [2][]cell
	for i, stride := range []int{8, 16, 32, 64} {
		for y := range h / stride {
			for x := range w / stride {
				cells = append(cells, cell{float32(x), float32(y), float32(stride)})
			}
		}
		if i >= 2 {
			grids[i-2] = slices.Clip(cells) //nolint:gosec // i is 2 or 3
		}
	}
	return grids
}

// centred returns the box around cx, cy, from the form cxcywh.
func centred(cx, cy, w, h float32) geom.Box {
	return geom.Box{X1: cx - w/2, Y1: cy - h/2, X2: cx + w/2, Y2: cy + h/2}
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }
