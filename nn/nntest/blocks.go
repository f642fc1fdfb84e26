// Package nntest makes small networks for tests of what trains them.
package nntest

import (
	"fmt"
	"testing"

	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/tensor"
)

// Blocks is a classifier of pictures of side×side pixels: two blocks of one Conv (3×3) and
// ReLU each, the mean over the picture, and a last layer of zeros. Parameters are called as
// EfficientNet's: _blocks.0.conv.weight, _fc.weight.
func Blocks(t testing.TB, side, channels, classes int64) *nn.Network {
	t.Helper()
	b := onnx.NewBuilder("blocks")
	m := nn.NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, side, side})
	for i := range 2 {
		x = b.Relu(m.Sub(fmt.Sprintf("_blocks.%d", i)).Conv("conv", x, channels, nn.ConvAttrs{Kernel: 3, Bias: true}))
	}
	b.Output("logits", m.Linear("_fc", b.Flatten(b.GlobalAveragePool(x), 1), classes))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	net := &nn.Network{Graph: g, Params: m.Params()}
	for k, p := range net.Params[:len(net.Params)-2] {
		d, _ := tensor.Data[float32](p.Data)
		for i := range d {
			d[i] = float32((i*7+k*3)%11-5) / 12
		}
	}
	return net
}
