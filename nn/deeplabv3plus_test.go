package nn

import (
	"math"
	"strings"
	"testing"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// learnedElements counts what training changes by gradients.
func learnedElements(net *Network) int64 {
	n := int64(0)
	for _, p := range net.Params {
		if !strings.Contains(p.Name, ".running_") {
			n += p.Data.Len()
		}
	}
	return n
}

// The Keras example's network with the same weights, in both orders of its last layers.
func TestDeepLabV3PlusKeras(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/deeplab_keras.npz")
	if err != nil {
		t.Fatal(err)
	}
	o := DeepLabV3PlusOptions{SegmenterOptions: SegmenterOptions{
		Backbone: BackboneOptions{Name: "resnet50_keras"}, Classes: 5, Height: 64, Width: 64,
	}}
	first := o // the example's taps and norms, but classified first
	first.Backbone.Taps = []string{"conv2_block3_2_relu", "conv4_block6_2_relu"}
	first.Norm = BatchNormAttrs{Epsilon: 1e-3, Momentum: 0.99}
	for name, o := range map[string]DeepLabV3PlusOptions{"as the example": o, "classified before upsampling": first} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net, err := DeepLabV3Plus(o)
			if err != nil {
				t.Fatal(err)
			}
			if count, _ := tensor.Data[int64](want["learned"]); learnedElements(net) != count[0] {
				t.Errorf("%d learned elements, Keras has %d", learnedElements(net), count[0])
			}
			fill(net.Params)
			x := tensor.Of([]int64{1, 3, 64, 64}, noise(3*64*64, 1))
			logits := infer(t, net.Graph, x)["logits"]
			near(t, "logits", every(logits, 4), want["logits"], 1e-5)
			near(t, "means", channelMeans(logits), want["means"], 1e-5)
			simplify(t, net.Graph)
			near(t, "logits, simplified", every(infer(t, net.Graph, x)["logits"], 4), want["logits"], 1e-5)
		})
	}
}

// every takes each step-th row and column of x (1, C, H, W).
func every(x *tensor.Tensor, step int64) *tensor.Tensor {
	d, _ := tensor.Data[float32](x)
	c, h, w := x.Shape[1], x.Shape[2], x.Shape[3]
	var out []float32
	for i := range c {
		for r := int64(0); r < h; r += step {
			for col := int64(0); col < w; col += step {
				out = append(out, d[(i*h+r)*w+col])
			}
		}
	}
	return tensor.Of([]int64{c, (h + step - 1) / step, (w + step - 1) / step}, out)
}

// A training step on torchvision's ResNet-50: loss, derivatives, and the loss after a
// step of gradient descent.
func TestDeepLabV3PlusStep(t *testing.T) {
	t.Parallel()
	want, err := tensor.ReadNPZ("testdata/deeplab_step.npz")
	if err != nil {
		t.Fatal(err)
	}
	net, err := DeepLabV3Plus(DeepLabV3PlusOptions{
		SegmenterOptions: SegmenterOptions{Backbone: BackboneOptions{Name: "resnet50"}, Classes: 5, Height: 64, Width: 64},
		ClassifyLast:     true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if count, _ := tensor.Data[int64](want["learned"]); learnedElements(net) != count[0] {
		t.Errorf("%d learned elements, PyTorch has %d", learnedElements(net), count[0])
	}
	fill(net.Params)
	if err := onnx.Bind(net.Graph, map[string]int64{"N": 4}); err != nil {
		t.Fatal(err)
	}
	trainNorms(net.Graph)
	b := onnx.Extend(net.Graph)
	target := b.Input("target", tensor.Float32, onnx.Shape{4, 5, 64, 64}) // the class's share of the mean
	l := b.Neg(b.ReduceSum(b.Mul(b.LogSoftmax(net.Graph.Outputs[0], 1), target)))
	var weights []*onnx.Value
	for _, p := range net.Params {
		if !strings.Contains(p.Name, ".running_") {
			weights = append(weights, p)
		}
	}
	net.Graph.Outputs = []*onnx.Value{l}
	dW, err := grad.Gradient(net.Graph, l, weights)
	if err != nil {
		t.Fatal(err)
	}
	net.Graph.Outputs = append(net.Graph.Outputs, dW...)
	in := []*tensor.Tensor{tensor.Of([]int64{4, 3, 64, 64}, noise(4*3*64*64, 1)), maskOfNoise()}
	out, err := orttest.Load(t, net.Graph).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	// Rounding grows on the way back through batch statistics of four small images: ours
	// may be off from PyTorch's float64 by some times what PyTorch's float32 is.
	check := func(name string, got *tensor.Tensor) {
		off, _ := tensor.Data[float32](want[name+".off"])
		near(t, name, got, want[name], 1e-5+4*float64(off[0]))
	}
	check("loss", out[0])
	compared := 0
	for i, w := range weights {
		g, _ := tensor.Data[float32](out[1+i])
		if want[w.Name] != nil {
			compared++
			sum := 0.0
			for _, v := range g {
				sum += float64(v) * float64(v)
			}
			check(w.Name+".norm", tensor.Scalar(float32(math.Sqrt(sum))))
			check(w.Name, tensor.Vector(g[:min(256, len(g))]...))
		}
		data, _ := tensor.Data[float32](w.Data)
		for j := range data {
			data[j] -= 0.01 * g[j]
		}
	}
	if compared != 10 {
		t.Errorf("%d derivatives compared, the golden has 10", compared)
	}
	net.Graph.Outputs = net.Graph.Outputs[:1]
	out, err = orttest.Load(t, net.Graph).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	check("next", out[0])
}

// maskOfNoise is the masks of golden/deeplab_step.py, 0 to 4 and ignored, as the weights
// of a mean of log probabilities (4, 5, 64, 64).
func maskOfNoise() *tensor.Tensor {
	const area = 64 * 64
	x := noise(4*area, 2)
	y := make([]float32, 5*len(x))
	count := float32(0)
	for _, v := range x {
		if int((v+1)*3) < 5 {
			count++
		}
	}
	for i, v := range x {
		if class := int((v + 1) * 3); class < 5 {
			y[(i/area*5+class)*area+i%area] = 1 / count
		}
	}
	return tensor.Of([]int64{4, 5, 64, 64}, y)
}

// trainNorms lets every BatchNorm use its batch's statistics.
func trainNorms(g *onnx.Graph) {
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" {
			n.Attrs["training_mode"] = int64(1)
			for _, name := range []string{".mean", ".var"} {
				n.Out = append(n.Out, &onnx.Value{Name: n.Name + name, Node: n})
			}
		}
	}
}
