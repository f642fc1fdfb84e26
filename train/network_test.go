package train

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"trilobite/loss"
	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/ort"
	"trilobite/tensor"
)

// network is a convolution, a BatchNorm, ReLU, a pool and a linear layer: 3 classes of
// pictures of 3×8×8. Its parameters are those of testdata/training.npz (golden/training.py).
func network(t testing.TB, dropout float32) (*onnx.Graph, []string) {
	t.Helper()
	b := onnx.NewBuilder("small")
	m := nn.NewModule(b)
	x := b.Input("input", tensor.Float32, onnx.Shape{b.Dim("N"), 3, 8, 8})
	x = m.Conv("conv", x, 6, nn.ConvAttrs{Kernel: 3})
	x = b.Relu(m.BatchNorm("norm", x, nn.BatchNormAttrs{}))
	x = b.Flatten(b.GlobalAveragePool(x), 1)
	if dropout > 0 {
		x, _ = b.Dropout(x, dropout, b.Const("", tensor.Scalar(true)))
	}
	b.Output("logits", m.Linear("fc", x, 3))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(m.Params()))
	golden := goldens(t)
	weights := map[string]*tensor.Tensor{}
	for _, p := range m.Params() {
		names = append(names, p.Name)
		weights[p.Name] = golden["before."+p.Name]
	}
	if err := Assign(g, weights); err != nil {
		t.Fatal(err)
	}
	return g, names
}

func goldens(t testing.TB) map[string]*tensor.Tensor {
	t.Helper()
	golden, err := tensor.ReadNPZ("testdata/training.npz")
	if err != nil {
		t.Fatal(err)
	}
	return golden
}

// pictures are samples in memory; variants 0 adds noise, more than 1 shifts colours.
type pictures struct {
	images, classes *tensor.Tensor
	n, variants     int
	broken          map[int]bool
}

func (p *pictures) Len() int      { return p.n }
func (p *pictures) Variants() int { return p.variants }

var errBroken = errors.New("broken picture")

func (p *pictures) Sample(_ context.Context, i int, variant uint64) (Sample, error) {
	if p.broken[i] {
		return Sample{}, errBroken
	}
	x := p.images.Row(int64(i))
	if variant != 0 {
		d, _ := tensor.Data[float32](x)
		noisy := make([]float32, len(d))
		r := rand.New(rand.NewPCG(variant, 1))
		for k, v := range d {
			noisy[k] = v + float32(r.NormFloat64())/4
		}
		x = tensor.Of(x.Shape, noisy)
	}
	return Sample{Inputs: []*tensor.Tensor{x}, Targets: []*tensor.Tensor{p.classes.Row(int64(i))}}, nil
}

func crossEntropy(b *onnx.Builder, out []*onnx.Value) *onnx.Value {
	target := b.Input("target", tensor.Int64, onnx.Shape{out[0].Shape[0]})
	return loss.CrossEntropy(b, out[0], target, loss.CrossEntropyAttrs{})
}

// hits is a judge of top-1 accuracy and of how sure the answers are.
type hits struct{ right, all, sure float64 }

func (h *hits) Add(_ int, out, targets []*tensor.Tensor) error {
	logits, _ := tensor.Data[float32](out[0])
	class, _ := tensor.Data[int64](targets[0])
	best := 0
	for i, x := range logits {
		if x > logits[best] {
			best = i
		}
	}
	h.all++
	h.sure += float64(logits[class[0]])
	if int64(best) == class[0] {
		h.right++
	}
	return nil
}

func (h *hits) Metrics() map[string]float64 {
	return map[string]float64{"accuracy": h.right / h.all, "sure": h.sure}
}

// small is the task of testdata/training.npz.
func small(t testing.TB, n, variants int) Task {
	t.Helper()
	g, names := network(t, 0)
	golden := goldens(t)
	data := &pictures{images: golden["images"], classes: golden["classes"], n: n, variants: variants}
	still := *data
	still.variants = 1
	return Task{Graph: g, Params: names, Loss: crossEntropy, Train: data, Validation: &still,
		Judge: func() Judge { return &hits{} }, Metric: "sure"}
}

func constant(rate float64) func(int64) optim.Schedule {
	return func(int64) optim.Schedule { return optim.Constant(rate) }
}

func runtimeOf(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func last(name string) func(string) bool {
	return func(p string) bool { return p == name+".weight" || p == name+".bias" }
}
