package optim

import (
	"fmt"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// ruleCase is a case of testdata/rules.npz as a rule.
type ruleCase struct {
	name      string
	rule      Rule
	noDecay   bool    // of the second parameter
	lrScale   float64 // of the second parameter
	clip, ema float64
	micro     int
}

var ruleCases = []ruleCase{
	{name: "sgd", rule: SGD{}},
	{name: "sgd_decay", rule: SGD{WeightDecay: 0.05}},
	{name: "sgd_momentum", rule: SGD{Momentum: 0.9, WeightDecay: 1e-3}},
	{name: "sgd_nesterov", rule: SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 0.05}, noDecay: true},
	{name: "sgd_clip", rule: SGD{Momentum: 0.9}, lrScale: 0.1, clip: 3},
	{name: "adamw", rule: NewAdamW()},
	{name: "adamw_all", rule: AdamW{0.8, 0.95, 1e-3, 0.1}, noDecay: true, lrScale: 0.1},
	{name: "adamw_clip", rule: AdamW{0.9, 0.999, 1e-8, 0}, clip: 0.5, ema: 0.9},
	{name: "adamw_tiny", rule: NewAdamW()},
	{name: "adamw_micro", rule: NewAdamW(), clip: 2, micro: 3},
}

// Twenty steps of each rule, in both types, against torch.optim in float64.
func TestRules(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/rules.npz")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, c := range ruleCases {
		named[c.name] = true
		for _, dtype := range []tensor.DType{tensor.Float64, tensor.Float32} {
			t.Run(c.name+"/"+dtype.String(), func(t *testing.T) {
				t.Parallel()
				c.compare(t, golden, dtype)
			})
		}
	}
	for key := range golden {
		if name, _, ok := strings.Cut(key, "."); ok && !named[name] {
			t.Errorf("case %s is tested by nothing", name)
		}
	}
}

func (c ruleCase) compare(t *testing.T, golden map[string]*tensor.Tensor, dtype tensor.DType) {
	t.Helper()
	m := orttest.Load(t, c.graph(t, dtype))
	micro := max(c.micro, 1)
	lr, _ := tensor.Data[float64](golden[c.name+".lr"])
	values := map[string]*tensor.Tensor{}
	for i, w := range []*tensor.Tensor{golden["w0"], golden["w1"]} {
		values[fmt.Sprintf("p%d", i)] = orttest.OfType(dtype, w.Shape, orttest.Numbers(w))
		values[fmt.Sprintf("ema%d", i)] = orttest.OfType(dtype, w.Shape, orttest.Numbers(w))
		for _, s := range c.rule.State() {
			values[fmt.Sprintf("%s%d", s, i)] = orttest.OfType(dtype, w.Shape, make([]float64, w.Len()))
		}
	}
	row := func(key string, k int) *tensor.Tensor {
		all := golden[c.name+"."+key]
		size := int(tensor.Size(all.Shape[1:]))
		return orttest.OfType(dtype, all.Shape[1:], orttest.Numbers(all)[k*size:(k+1)*size])
	}
	for step := range lr {
		values["lr"] = tensor.Scalar(float32(lr[step]))
		values["step"] = tensor.Scalar(int64(step + 1))
		for k := range micro {
			values[fmt.Sprintf("g0.%d", k)] = row("g0", step*micro+k)
			values[fmt.Sprintf("g1.%d", k)] = row("g1", step*micro+k)
		}
		var in []*tensor.Tensor
		for _, v := range m.Inputs() {
			in = append(in, values[v.Name])
		}
		out, err := m.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Outputs() {
			values[strings.TrimSuffix(v.Name, ".new")] = out[i]
		}
		for _, p := range []string{"p0", "p1"} {
			equal(t, fmt.Sprintf("%s after step %d", p, step+1), values[p], row(p, step))
		}
	}
	for key, want := range golden {
		name, what, _ := strings.Cut(key, ".")
		if name == c.name && what != "lr" && what[0] != 'g' && what[0] != 'p' {
			equal(t, what, values[what], want)
		}
	}
}

// graph has the inputs p0, p1, g0.0 …, lr, step and the state, and the outputs p0.new ….
func (c ruleCase) graph(t *testing.T, dtype tensor.DType) *onnx.Graph {
	t.Helper()
	b := onnx.NewBuilder(c.name)
	lr, step := b.Input("lr", tensor.Float32, onnx.Shape{}), b.Input("step", tensor.Int64, onnx.Shape{})
	params := make([]Param, 2)
	grads := make([]*onnx.Value, 2)
	for i, shape := range []onnx.Shape{{2, 3}, {3}} {
		in := func(name string) *onnx.Value { return b.Input(fmt.Sprintf(name, i), dtype, shape) }
		p := Param{Value: in("p%d"), Grad: in("g%d.0")}
		if c.micro > 1 {
			first := p.Grad
			p.Grad = Accumulate(b, b.Expand(b.Scalar(dtype, 0), shape...), first, c.micro)
			for k := 1; k < c.micro; k++ {
				p.Grad = Accumulate(b, p.Grad, b.Input(fmt.Sprintf("g%d.%d", i, k), dtype, shape), c.micro)
			}
		}
		for _, s := range c.rule.State() {
			p.State = append(p.State, in(s+"%d"))
		}
		if i == 1 {
			p.NoDecay, p.LRScale = c.noDecay, c.lrScale
		}
		params[i], grads[i] = p, p.Grad
	}
	if c.clip > 0 {
		scale := ClipNorm(b, grads, c.clip)
		params[0].Scale, params[1].Scale = scale, scale
	}
	update := c.rule.Prepare(b, lr, step)
	for i, p := range params {
		next, state := update(p)
		b.Output(fmt.Sprintf("p%d.new", i), next)
		for k, s := range c.rule.State() {
			b.Output(fmt.Sprintf("%s%d.new", s, i), state[k])
		}
		if c.ema > 0 {
			average := b.Input(fmt.Sprintf("ema%d", i), dtype, p.Value.Shape)
			b.Output(fmt.Sprintf("ema%d.new", i), EMA(b, average, next, c.ema))
		}
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// equal compares to 1e-6 of the number, in float32 at least of 1: sums of twenty steps are
// rounded at the size of what is added.
func equal(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	floor := 0.0
	if got.DType == tensor.Float32 {
		floor = 1
	}
	orttest.Near(t, what, got, want, 1e-6, floor)
}
