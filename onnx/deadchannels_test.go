package onnx

import (
	"testing"

	"trilobite/tensor"
)

// decayed is depthwise weights (c, 1, 3, 3) and a bias: of the first so many channels they
// are those that weight decay leaves, of the rest they let something through.
func decayed(b *Builder, name string, c, dead int64, bias float32) (w, k *Value) {
	weights, offset := make([]float32, c*9), make([]float32, c)
	for i := range weights {
		weights[i] = 0.1
		if int64(i) < dead*9 {
			weights[i] = 1e-9
		}
	}
	for i := range offset {
		offset[i] = bias
	}
	return b.Const(name, tensor.Of([]int64{c, 1, 3, 3}, weights)), b.Const(name+".bias", tensor.Of([]int64{c}, offset))
}

// TestDropDeadChannels shows by the rows of weights what is left. That the numbers stay is
// tested in package ort.
func TestDropDeadChannels(t *testing.T) {
	t.Parallel()
	relu6 := func(b *Builder, x *Value) *Value {
		return b.Clip(x, b.Scalar(tensor.Float32, 0), b.Scalar(tensor.Float32, 6))
	}
	wide := func(b *Builder, x *Value) *Value {
		return b.Conv(x, weights(b, "wide", 48, 4, 1, 1), nil, ConvAttrs{})
	}
	project := func(b *Builder, x *Value) *Value { return b.Conv(x, weights(b, "v", 5, 48, 1, 1), nil, ConvAttrs{}) }
	depthwise := func(b *Builder, x *Value, dead int64, bias float32) *Value {
		w, k := decayed(b, "w", 48, dead, bias)
		return b.Conv(x, w, k, ConvAttrs{Group: 48, Pads: []int64{1, 1, 1, 1}})
	}
	tests := []struct {
		name  string
		build func(b *Builder, x *Value) *Value
		want  string // operators, and rows of weights
	}{
		{"a block", func(b *Builder, x *Value) *Value {
			return project(b, relu6(b, depthwise(b, relu6(b, wide(b, x)), 30, -1)))
		}, "Conv:32 Clip Conv:32 Clip Conv:5"},
		{"a head on a map that others read", func(b *Builder, x *Value) *Value {
			y := relu6(b, wide(b, x))
			b.Output("map", b.Neg(y))
			return project(b, b.Relu(depthwise(b, y, 32, -1)))
		}, "Conv:48 Clip Neg Gather Conv:16 Relu Conv:5"},
		{"a head that has lost too little for a copy", func(b *Builder, x *Value) *Value {
			y := relu6(b, wide(b, x))
			b.Output("map", b.Neg(y))
			return project(b, relu6(b, depthwise(b, y, 10, -1)))
		}, "Conv:48 Clip Neg Conv:48 Clip Conv:5"},
		{"a bias that lets through", func(b *Builder, x *Value) *Value {
			return project(b, relu6(b, depthwise(b, relu6(b, wide(b, x)), 30, 1e-3)))
		}, "Conv:48 Clip Conv:48 Clip Conv:5"},
		{"a bias that rounding might let through", func(b *Builder, x *Value) *Value {
			return project(b, relu6(b, depthwise(b, relu6(b, wide(b, x)), 30, -5.4e-8)))
		}, "Conv:48 Clip Conv:48 Clip Conv:5"},
		{"an input that may be anything", func(b *Builder, x *Value) *Value {
			return project(b, relu6(b, depthwise(b, b.Relu(wide(b, x)), 30, -1)))
		}, "Conv:48 Relu Conv:48 Clip Conv:5"},
		{"a Clip that leaves what is below 0", func(b *Builder, x *Value) *Value {
			y := depthwise(b, relu6(b, wide(b, x)), 30, -1)
			return project(b, b.Clip(y, b.Scalar(tensor.Float32, -2), b.Scalar(tensor.Float32, 6)))
		}, "Conv:48 Clip Conv:48 Clip Conv:5"},
		{"nothing before it", func(b *Builder, x *Value) *Value {
			return project(b, depthwise(b, relu6(b, wide(b, x)), 30, -1))
		}, "Conv:48 Clip Conv:48 Conv:5"},
		{"read by more than a Conv", func(b *Builder, x *Value) *Value {
			y := relu6(b, depthwise(b, relu6(b, wide(b, x)), 30, -1))
			return b.Add(project(b, y), b.ReduceMeanKeep(y, 1))
		}, "Conv:48 Clip Conv:48 Clip Conv:5 ReduceMean Add"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := simplified(t, tt.build)
			before := operators(g)
			dropped, err := DropDeadChannels(g)
			if err == nil {
				err = Check(g)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := operators(g); got != tt.want || dropped != (got != before) {
				t.Errorf("%q, dropped %v, want %q", got, dropped, tt.want)
			}
		})
	}
}
