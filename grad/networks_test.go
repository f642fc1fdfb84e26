package grad

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// TestGradientOfNetworks moves all weights of whole networks, of random weights and
// frozen statistics, along their gradient G: the loss must change by |G| per step, as
// far as float32 and kinks let it. It tells whether rules fit together.
func TestGradientOfNetworks(t *testing.T) {
	t.Parallel()
	classifier := func(name string) func() (*nn.Network, error) {
		return func() (*nn.Network, error) {
			return nn.Classifiers()[name](nn.ClassifierOptions{Classes: 10, Height: 32, Width: 32})
		}
	}
	on := func(name string) nn.SegmenterOptions {
		return nn.SegmenterOptions{Backbone: nn.BackboneOptions{Name: name}, Classes: 3, Height: 32, Width: 32}
	}
	for name, build := range map[string]func() (*nn.Network, error){
		"resnet18": classifier("resnet18"), "mobilenet_v2": classifier("mobilenet_v2"),
		"mobilenet_v3_small": classifier("mobilenet_v3_small"), "efficientnet_lite0": classifier("efficientnet_lite0"),
		"deeplabv3plus": func() (*nn.Network, error) {
			return nn.DeepLabV3Plus(nn.DeepLabV3PlusOptions{SegmenterOptions: on("efficientnet_lite0"), Channels: 16})
		},
		"unet": func() (*nn.Network, error) {
			return nn.UNet(nn.UNetOptions{SegmenterOptions: on(""), Width: 4, Depth: 3})
		},
		"unet on a backbone": func() (*nn.Network, error) {
			return nn.UNet(nn.UNetOptions{SegmenterOptions: on("mobilenet_v3_small"), Channels: []int64{8, 8, 8, 8, 8}})
		},
		"fpn": func() (*nn.Network, error) {
			return nn.SemanticFPN(nn.SemanticFPNOptions{SegmenterOptions: on("resnet18"), Neck: nn.PyramidOptions{Channels: 16}, Channels: 16})
		},
		"fcos": func() (*nn.Network, error) {
			d, err := nn.FCOS(nn.DetectorOptions{
				Backbone: nn.BackboneOptions{Name: "mobilenet_v2"}, Classes: 3, Height: 64, Width: 64, Convs: 1,
				Neck: nn.PyramidOptions{Channels: 16, BottomUp: true}, Norm: "batch", Scales: true,
			})
			if err != nil {
				return nil, err
			}
			return d.Network, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net, err := build()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(4, 2))
			weights := randomise(net.Params, r)
			b := onnx.Extend(net.Graph)
			var terms []*onnx.Value
			for _, y := range net.Graph.Outputs {
				terms = append(terms, b.ReduceMean(b.Mul(y, y)))
			}
			loss := b.Sum(terms...)
			net.Graph.Outputs = nil
			b.Output("loss", loss)
			dW, err := Gradient(net.Graph, loss, weights)
			if err != nil {
				t.Fatal(err)
			}
			b = onnx.Extend(net.Graph)
			for i, v := range dW {
				b.Output(weights[i].Name+".grad", v)
			}
			shape := slices.Concat([]int64{2}, net.Graph.Inputs[0].Shape[1:])
			x := tensor.Of(shape, make([]float32, tensor.Size(shape)))
			fill(x, r, 1)
			run := func() []*tensor.Tensor {
				out, err := orttest.Build(t, b).Run(t.Context(), []*tensor.Tensor{x})
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			out := run()
			at, dX := orttest.Numbers(out[0])[0], out[1:]
			norm := 0.0
			for i, d := range dX {
				if got, want := d.Shape, weights[i].Shape; !onnx.Shape(got).Static() || tensor.Size(got) != tensor.Size(want) {
					t.Fatalf("%s: derivative %v, want %v", weights[i].Name, got, want)
				}
				for _, g := range orttest.Numbers(d) {
					norm += g * g
				}
			}
			norm = math.Sqrt(norm)
			h := 2e-3 * at / norm // moves the loss by 0.2 %
			var ends [2]float64
			for k, by := range []float64{h, -2 * h} {
				for i, d := range dX {
					w, _ := tensor.Data[float32](weights[i].Data)
					for j, g := range orttest.Numbers(d) {
						w[j] += float32(by * g / norm)
					}
				}
				ends[k] = orttest.Numbers(run()[0])[0]
			}
			if got := (ends[0] - ends[1]) / (2 * h); !(math.Abs(got-norm) <= 0.02*norm) {
				t.Errorf("the loss changes by %v along the gradient, whose length is %v", got, norm)
			}
		})
	}
}

// randomise fills convolutions and matrices as He et al. do (arXiv:1502.01852) and
// returns all parameters but running statistics.
func randomise(params values, r *rand.Rand) values {
	var weights values
	for _, p := range params {
		if strings.Contains(p.Name, "running_") {
			continue
		}
		weights = append(weights, p)
		if len(p.Shape) > 1 {
			fill(p.Data, r, math.Sqrt(2/float64(tensor.Size(p.Shape[1:]))))
		}
	}
	return weights
}

func fill(v *tensor.Tensor, r *rand.Rand, deviation float64) {
	d, _ := tensor.Data[float32](v)
	for i := range d {
		d[i] = float32(r.NormFloat64() * deviation)
	}
}
