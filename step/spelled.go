package step

import (
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Spelled are the BatchNormalizations that JoinBatchNorm has put in place of their parts.
// A node's value is the initializer that is its scale / √(variance + epsilon), of which
// the exporter's constant folding has left neither; nil where both are known.
type Spelled map[*onnx.Node]*onnx.Value

// kerasMomentum is the share of a running statistic that a step keeps: the default of
// keras.layers.BatchNormalization, which is not in the file.
const kerasMomentum = 0.99

// JoinBatchNorm puts a BatchNormalization in place of each normalisation by running
// statistics that a file has as its parts, as Keras exports it:
//
//	Y = (X − mean) · k + bias    k = scale / √(variance + epsilon), or a number
//
// Channels may lie on any axis but the first. Where constants were folded, k is one
// initializer. Of a layer that was never trained, whose means are 0 and whose k is
// 1/√(1 + epsilon), the variance is known all the same: 1. Any other gets variance 1 and
// epsilon 0, which is right by the running statistics only. Initializers keep their names,
// but for statistics that the file shares with other layers. Exact up to rounding.
func JoinBatchNorm(g *onnx.Graph) (Spelled, error) {
	if err := onnx.Infer(g); err != nil {
		return nil, err
	}
	j := joiner{g, fixed(g), newOwner(g)}
	found := Spelled{}
	for _, n := range slices.Clone(g.Nodes) {
		p := j.parts(n)
		if p == nil {
			continue
		}
		norm, err := j.join(n, p)
		if err != nil {
			return nil, err
		}
		found[norm] = p.folded
	}
	onnx.RemoveDead(g)
	return found, nil
}

// joiner is JoinBatchNorm at work.
type joiner struct {
	g     *onnx.Graph
	fixed map[*onnx.Value]bool // computed from constants alone
	names *owner
}

// join lets last, the last node of the parts, be a BatchNormalization, or the Transpose
// that brings its channels back to their axis.
func (j *joiner) join(last *onnx.Node, p *parts) (norm *onnx.Node, err error) {
	mean, err := j.statistic(last, p.mean, "mean")
	if err != nil {
		return nil, err
	}
	variance := p.variance
	if variance == nil {
		variance = &onnx.Value{DType: mean.DType, Data: ones(mean.DType, elements(mean))}
	}
	if variance, err = j.statistic(last, variance, "var"); err != nil {
		return nil, err
	}
	err = insertBefore(j.g, last, func(e *onnx.Builder) {
		scale := p.scale
		if scale == nil {
			scale = e.Const("", ones(mean.DType, elements(mean)))
		}
		scale, bias := vector(e, scale), vector(e, p.bias)
		if p.factor != 1 {
			scale = e.Mul(scale, e.Scalar(scale.DType, p.factor))
		}
		op, in := "BatchNormalization", []*onnx.Value{p.x, scale, bias, mean, variance}
		attrs := map[string]any{"epsilon": float32(p.epsilon), "momentum": float32(kerasMomentum)}
		if norm = last; p.axis > 1 {
			there, back := channelsTo1(len(p.x.Shape), p.axis)
			in[0] = e.Transpose(p.x, there...)
			y := e.Op(op, in, attrs, 1)[0]
			norm, op, in, attrs = y.Node, "Transpose", []*onnx.Value{y}, map[string]any{"perm": back}
		}
		last.Op, last.In, last.Attrs = op, in, attrs
	})
	return norm, err
}

// channelsTo1 are the permutations of a rank that move an axis to place 1, and back.
func channelsTo1(rank, axis int) (there, back []int64) {
	for i := range rank {
		there = append(there, int64(i))
	}
	back = slices.Clone(there)
	there = slices.Insert(slices.Delete(there, axis, axis+1), 1, int64(axis))
	back = slices.Insert(slices.Delete(back, 1, 2), axis, 1)
	return there, back
}

// statistic makes a constant (C) of a statistic, under its own name if nothing else reads
// it: of one that exporters found equal each layer has its own.
func (j *joiner) statistic(last *onnx.Node, v *onnx.Value, kind string) (*onnx.Value, error) {
	from := plain(v)
	if len(v.Shape) == 1 && from.Initializer {
		return v, nil
	}
	data, err := from.Data.Reshape(from.Data.Len())
	if err != nil {
		return nil, err
	}
	own := &onnx.Value{Name: v.Name, DType: from.DType, Shape: data.Shape, Data: data, Initializer: true}
	if j.names.uses[v] > 1 || !from.Initializer {
		own.Name = j.names.unique(last.Out[0].Name + ".running_" + kind)
	}
	return own, nil
}

func vector(e *onnx.Builder, v *onnx.Value) *onnx.Value {
	if len(v.Shape) == 1 {
		return v
	}
	return e.Reshape(v, -1)
}

func ones(dtype tensor.DType, n int64) *tensor.Tensor {
	if dtype == tensor.Float64 {
		return tensor.Vector(slices.Repeat([]float64{1}, int(n))...)
	}
	return tensor.Vector(slices.Repeat([]float32{1}, int(n))...)
}
