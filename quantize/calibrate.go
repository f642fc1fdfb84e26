package quantize

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/tensor"
)

// Calibrate runs a graph of one image input on pictures, as it is fed them, and returns the
// least and the largest element of every activation that Static quantises, but for pictures
// whose own lie more than two standard deviations beyond the others': they would make every
// step coarser. A few dozen pictures like those of use are enough.
func Calibrate(ctx context.Context, rt *ort.Runtime, g *onnx.Graph, pictures iter.Seq2[*tensor.Tensor, error]) (map[string]Range, error) {
	names := Activations(g)
	if len(names) == 0 {
		return nil, errors.New("the graph has no layer that computes with integers")
	}
	c, err := observed(g, names)
	if err != nil {
		return nil, err
	}
	data, err := onnx.Marshal(c)
	if err != nil {
		return nil, err
	}
	m, err := rt.LoadBytes(ctx, data, ort.Options{Name: "calibration"})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	lows, highs := make([]extremes, len(names)), make([]extremes, len(names))
	seen := 0
	for x, err := range pictures {
		if err != nil {
			return nil, err
		}
		out, err := m.Run(ctx, []*tensor.Tensor{x})
		if err != nil {
			return nil, err
		}
		for i, name := range names {
			low, _ := tensor.Data[float32](out[2*i])
			high, _ := tensor.Data[float32](out[2*i+1])
			if len(low) == 0 || len(high) == 0 || math.IsNaN(float64(low[0]+high[0])) {
				return nil, fmt.Errorf("%q is no number in picture %d", name, seen+1)
			}
			lows[i].add(-float64(low[0]))
			highs[i].add(float64(high[0]))
		}
		m.Recycle(out)
		seen++
	}
	if seen == 0 {
		return nil, errors.New("there is no picture to calibrate with")
	}
	ranges := map[string]Range{}
	for i, name := range names {
		ranges[name] = Range{float32(-lows[i].usual()), float32(highs[i].usual())}
	}
	return ranges, nil
}

// extremes are the largest elements of pictures.
type extremes struct{ n, sum, squares, most float64 }

func (e *extremes) add(v float64) {
	if e.n == 0 || v > e.most {
		e.most = v
	}
	e.n, e.sum, e.squares = e.n+1, e.sum+v, e.squares+v*v
}

// usual is the largest of all, or where that is less, the mean and two standard deviations.
func (e *extremes) usual() float64 {
	mean := e.sum / e.n
	return min(e.most, mean+2*math.Sqrt(max(0, e.squares/e.n-mean*mean)))
}

// observed is the graph with the least and the largest element of values, for each image,
// as its outputs.
func observed(g *onnx.Graph, names []string) (*onnx.Graph, error) {
	c := onnx.Clone(g)
	values := map[string]*onnx.Value{}
	for _, v := range c.Inputs {
		values[v.Name] = v
	}
	for _, n := range c.Nodes {
		for _, v := range n.Out {
			if v != nil {
				values[v.Name] = v
			}
		}
	}
	c.Outputs = nil
	b := onnx.Extend(c)
	for i, name := range names {
		v := values[name]
		var axes []int64
		for a := 1; a < len(v.Shape); a++ {
			axes = append(axes, int64(a))
		}
		b.Output(fmt.Sprintf("low%d", i), b.ReduceMin(v, axes...))
		b.Output(fmt.Sprintf("high%d", i), b.ReduceMax(v, axes...))
	}
	return b.Graph()
}
