package onnx

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/tensor"
)

func TestInferBodies(t *testing.T) {
	t.Parallel()
	b := NewBuilder("net")
	n := b.Dim("N")
	x := b.Input("x", tensor.Float32, Shape{n, 3, 8})
	c := b.Input("c", tensor.Bool, Shape{})
	trips := b.Input("trips", tensor.Int64, Shape{})
	graph := func(b *Builder, out ...*Value) *Graph {
		for i, v := range out {
			b.Output([]string{"p", "q", "r"}[i]+b.g.Name, v)
		}
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	branch := func(name string, width int64) *Graph {
		body := b.Body(name)
		return graph(body, body.Slice(x, []int64{2}, []int64{0}, []int64{width}))
	}
	either := b.Op("If", []*Value{c}, map[string]any{"then_branch": branch("then", 4), "else_branch": branch("else", 6)}, 1)[0]

	loop := b.Body("loop")
	i, again := loop.Input("i", tensor.Int64, Shape{}), loop.Input("again", tensor.Bool, Shape{})
	kept, grown := loop.Input("kept", tensor.Float32, nil), loop.Input("grown", tensor.Float32, nil)
	slice := loop.ReduceSum(loop.Mul(kept, loop.Cast(i, tensor.Float32)), 2)
	body := graph(loop, loop.Identity(again), loop.Relu(kept), loop.Concat(2, grown, x))
	loop.Output("slices", slice)
	looped := b.Op("Loop", []*Value{trips, c, x, x}, map[string]any{"body": body}, 3)

	scan := b.Body("scan")
	sum, row := scan.Input("sum", tensor.Float32, nil), scan.Input("row", tensor.Float32, nil)
	next := scan.Add(sum, row)
	scanned := b.Op("Scan", []*Value{b.ReduceSum(x, 1), x}, map[string]any{
		"body": graph(scan, next, scan.Exp(next)), "num_scan_inputs": int64(1),
		"scan_input_axes": []int64{1}, "scan_output_axes": []int64{-1},
	}, 2)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		got  *Value
		want Shape
	}{
		{"what both branches agree on", either, Shape{n, 3, Unknown}},
		{"what a loop carries unchanged", looped[0], Shape{n, 3, 8}},
		{"what a loop makes longer", looped[1], Shape{n, 3, Unknown}},
		{"what a loop stacks", looped[2], Shape{Unknown, n, 3}},
		{"a scan's state", scanned[0], Shape{n, 8}},
		{"what a scan stacks at the end", scanned[1], Shape{n, 8, 3}},
	} {
		if d := cmp.Diff(tt.want, tt.got.Shape); d != "" || tt.got.DType != tensor.Float32 {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, tt.got.DType, d)
		}
	}
}
