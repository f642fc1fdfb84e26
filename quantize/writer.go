package quantize

import (
	"math"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// writer appends nodes to a graph with the pairs that quantise.
type writer struct {
	g           *onnx.Graph
	ranges      map[string]Range
	dequantised map[*onnx.Value]*onnx.Value // what reads of a value read instead
	err         error
}

// pair quantises v and dequantises it for those that read it.
func (w *writer) pair(v *onnx.Value) {
	r, ok := w.ranges[v.Name]
	if !ok {
		if w.err == nil {
			w.err = missing(v.Name)
		}
		return
	}
	scale, zero := quantum(r)
	s, z := named(v.Name+"_scale", tensor.Scalar(scale)), named(v.Name+"_zero", tensor.Scalar(zero))
	q := w.node("QuantizeLinear", v.Name+"_quantized", []*onnx.Value{v, s, z}, nil)
	w.dequantised[v] = w.node("DequantizeLinear", v.Name+"_dequantized", []*onnx.Value{q, s, z}, nil)
}

// node appends a node of one output.
func (w *writer) node(op, name string, in []*onnx.Value, attrs map[string]any) *onnx.Value {
	y := &onnx.Value{Name: name}
	y.Node = &onnx.Node{Name: name, Op: op, In: in, Out: []*onnx.Value{y}, Attrs: attrs}
	w.g.Nodes = append(w.g.Nodes, y.Node)
	return y
}

// allAxes makes a Resize of height and width speak of all four axes: ONNX Runtime 1.32 moves
// Transposes past it, and then finds the sizes of two wrong.
func (w *writer) allAxes(n *onnx.Node) {
	sizes := n.Input(3)
	if sizes == nil || !slices.Equal(n.Ints("axes"), []int64{2, 3}) {
		return
	}
	rest := w.node("Shape", n.Name+"_rest", []*onnx.Value{n.In[0]}, map[string]any{"start": int64(0), "end": int64(2)})
	n.In[3] = w.node("Concat", n.Name+"_sizes", []*onnx.Value{rest, sizes}, map[string]any{"axis": int64(0)})
	delete(n.Attrs, "axes")
}

func named(name string, t *tensor.Tensor) *onnx.Value {
	return &onnx.Value{Name: name, DType: t.DType, Shape: append(onnx.Shape{}, t.Shape...), Data: t}
}

// layer quantises the weights of a Conv or Gemm whose input is quantised, each output
// channel by its largest weight, and its bias, int32 in units of input times weights.
func (w *writer) layer(n *onnx.Node) {
	x := n.In[0].Node
	if x == nil || x.Op != "DequantizeLinear" {
		return
	}
	in, _ := tensor.Data[float32](x.In[1].Data)
	weight := n.In[1]
	data, ok := tensor.Data[float32](weight.Data)
	if !ok || n.Float("alpha", 1) != 1 || n.Float("beta", 1) != 1 || n.Int("transA", 0) != 0 {
		return
	}
	axis := int64(0)
	if n.Op == "Gemm" && n.Int("transB", 0) == 0 {
		axis = 1
	}
	var bias []float32
	if b := n.Input(2); b != nil {
		if bias, ok = tensor.Data[float32](b.Data); !ok || int64(len(bias)) != weight.Shape[axis] {
			return
		}
	}
	q, scales := channels(data, weight.Shape, axis, bias, in[0])
	name := weight.Name + "_" + n.Name
	s := named(name+"_scale", tensor.Vector(scales...))
	z := named(name+"_zero", tensor.Vector(make([]int8, len(scales))...))
	n.In[1] = w.node("DequantizeLinear", name+"_dequantized",
		[]*onnx.Value{named(name+"_quantized", tensor.Of(weight.Shape, q)), s, z}, map[string]any{"axis": axis})
	if bias == nil {
		return
	}
	whole, unit := make([]int32, len(bias)), make([]float32, len(bias))
	for c, b := range bias {
		unit[c] = in[0] * scales[c]
		whole[c] = int32(math.Round(float64(b) / float64(unit[c])))
	}
	n.In[2] = w.node("DequantizeLinear", n.In[2].Name+"_"+n.Name+"_dequantized", []*onnx.Value{
		named(n.In[2].Name+"_"+n.Name+"_quantized", tensor.Vector(whole...)), named(n.In[2].Name+"_"+n.Name+"_scale", tensor.Vector(unit...)),
	}, map[string]any{"axis": int64(0)})
}

// mostBias is what a quantised bias may be: a quarter of int32, which leaves room for sums.
const mostBias = 1 << 29

// channels rounds weights to int8, each channel of the axis by a scale of its own: its
// largest weight becomes ±127, or less where the bias would not fit otherwise.
func channels(data []float32, shape []int64, axis int64, bias []float32, in float32) (q []int8, scales []float32) {
	count, inner := int(shape[axis]), 1
	for _, d := range shape[axis+1:] {
		inner *= int(d)
	}
	channel := func(i int) int { return i / inner % count }
	scales = make([]float32, count)
	for i, v := range data {
		scales[channel(i)] = max(scales[channel(i)], float32(math.Abs(float64(v)))/127)
	}
	for c := range scales {
		if bias != nil {
			scales[c] = max(scales[c], float32(math.Abs(float64(bias[c])))/(in*mostBias))
		}
		if !(scales[c] > 0) {
			scales[c] = 1
		}
	}
	q = make([]int8, len(data))
	for i, v := range data {
		q[i] = int8(math.Round(float64(max(-127, min(127, v/scales[channel(i)])))))
	}
	return q, scales
}
