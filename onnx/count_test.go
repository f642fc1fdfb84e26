package onnx_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/tensor"
)

func TestCount(t *testing.T) {
	t.Parallel()
	zeros := func(b *onnx.Builder, shape ...int64) *onnx.Value {
		return b.Const("", tensor.Of(shape, make([]float32, tensor.Size(shape))))
	}
	tests := []struct {
		name  string
		build func(b *onnx.Builder) *onnx.Value
		want  onnx.Cost
	}{
		{"a symbolic batch counts as one", func(b *onnx.Builder) *onnx.Value {
			return b.Relu(b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 3, 4, 5}))
		}, onnx.Cost{Activations: 240}},
		{"convolution in groups", func(b *onnx.Builder) *onnx.Value {
			x := b.Input("x", tensor.Float32, onnx.Shape{1, 4, 5, 5})
			return b.Conv(x, zeros(b, 6, 2, 3, 3), zeros(b, 6), onnx.ConvAttrs{Group: 2})
		}, onnx.Cost{Params: 6*18 + 6, MACs: 6 * 9 * 18, Activations: 4 * 6 * 9}},
		{"transposed convolution", func(b *onnx.Builder) *onnx.Value {
			x := b.Input("x", tensor.Float32, onnx.Shape{1, 4, 5, 5})
			return b.ConvTranspose(x, zeros(b, 4, 6, 2, 2), nil, onnx.ConvAttrs{Strides: []int64{2, 2}})
		}, onnx.Cost{Params: 96, MACs: 4 * 25 * 24, Activations: 4 * 6 * 100}},
		{"matrix product of a batch", func(b *onnx.Builder) *onnx.Value {
			return b.MatMul(b.Input("x", tensor.Float32, onnx.Shape{2, 3, 4}), zeros(b, 4, 5))
		}, onnx.Cost{Params: 20, MACs: 2 * 3 * 5 * 4, Activations: 4 * 30}},
		{"Gemm of a transposed matrix", func(b *onnx.Builder) *onnx.Value {
			return b.Gemm(b.Input("x", tensor.Float32, onnx.Shape{4, 3}), zeros(b, 4, 5), zeros(b, 5), onnx.GemmAttrs{TransA: true})
		}, onnx.Cost{Params: 25, MACs: 3 * 5 * 4, Activations: 60}},
		{"a parameter used twice counts once", func(b *onnx.Builder) *onnx.Value {
			w := zeros(b, 4, 4)
			return b.MatMul(b.MatMul(b.Input("x", tensor.Float32, onnx.Shape{1, 4}), w), w)
		}, onnx.Cost{Params: 16, MACs: 32, Activations: 32}},
		{"indices are no parameters", func(b *onnx.Builder) *onnx.Value {
			return b.Reshape(b.Input("x", tensor.Float32, onnx.Shape{2, 3}), 6)
		}, onnx.Cost{Activations: 24}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onnx.NewBuilder("count")
			b.Output("y", tt.build(b))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			nodes, got := onnx.Count(g)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(nodes) != len(g.Nodes) {
				t.Errorf("%d of %d nodes", len(nodes), len(g.Nodes))
			}
		})
	}
}

// torchvision publishes the operations of its networks (_ops of their weights' meta data),
// in 10⁹ multiplications with addition at 224×224.
func TestCountTorchvision(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]float64{
		"resnet18": 1.814, "resnet34": 3.664, "resnet50": 4.089, "resnet101": 7.801,
		"mobilenet_v2": 0.301, "mobilenet_v3_large": 0.217, "mobilenet_v3_small": 0.057,
	} {
		net, err := nn.Classifiers()[name](nn.ClassifierOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, c := onnx.Count(net.Graph); float64(c.MACs)/1e9 < want-0.001 || float64(c.MACs)/1e9 > want+0.001 {
			t.Errorf("%s: %.4f·10⁹ MACs, torchvision says %v", name, float64(c.MACs)/1e9, want)
		}
	}
}
