package step

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Mask is an input that a Dropout of the model multiplies by: 1/(1−Ratio) where an
// element is kept and 0 where it is dropped.
type Mask struct {
	Name  string // the node's name and ".mask"
	Ratio float64
	DType tensor.DType
	Shape onnx.Shape // that of what is masked, the batch perhaps symbolic
}

// Draw makes the mask of a step, the same for the same seed, step and name. shape is
// Mask.Shape with its symbols as they are.
func (m Mask) Draw(shape []int64, seed uint64, step int64) *tensor.Tensor {
	h := fnv.New64a()
	_, _ = h.Write([]byte(m.Name))                           // never fails
	r := rand.New(rand.NewPCG(seed^h.Sum64(), uint64(step))) //nolint:gosec // a mask is drawn again from its seed, it is no secret
	keep := 1 / (1 - m.Ratio)
	wide := make([]float64, tensor.Size(shape))
	for i := range wide {
		if r.Float64() >= m.Ratio {
			wide[i] = keep
		}
	}
	if m.DType == tensor.Float64 {
		return tensor.Of(shape, wide)
	}
	narrow := make([]float32, len(wide))
	for i, v := range wide {
		narrow[i] = float32(v)
	}
	return tensor.Of(shape, narrow)
}

// setDropout makes a multiplication by a mask of each Dropout that drops, and refuses
// what else draws random numbers. One that does not train, or of ratio 0, Tidy removes.
func (b *build) setDropout() error {
	for _, n := range b.g.Nodes {
		if n.Domain != "" {
			continue
		}
		switch n.Op {
		case "Dropout":
			if err := b.mask(n); err != nil {
				return err
			}
		case "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike":
			return fmt.Errorf("%s draws random numbers in the graph, which a training step does not do: make them an input", n)
		}
	}
	return nil
}

func (b *build) mask(n *onnx.Node) error {
	if len(n.Out) > 1 && n.Out[1] != nil && reads(b.g, n.Out[1]) {
		return fmt.Errorf("%s: its mask %q is used", n, n.Out[1].Name)
	}
	n.Out = n.Out[:1]
	training, err := truth(n.Input(2))
	if err != nil {
		return fmt.Errorf("%s: %w", n, err)
	}
	ratio, err := number(n.Input(1), 0.5)
	if err != nil || !(ratio >= 0 && ratio < 1) {
		return fmt.Errorf("%s: its ratio %v is not a constant of 0 to 1", n, ratio)
	}
	x := n.In[0]
	if !training || ratio == 0 {
		n.In = n.In[:1] // passes x on
		return nil
	}
	if x.DType != tensor.Float32 && x.DType != tensor.Float64 {
		return fmt.Errorf("%s: masks are not made in %s", n, x.DType)
	}
	m := Mask{n.Name + ".mask", ratio, x.DType, slices.Clone(x.Shape)}
	v := &onnx.Value{Name: m.Name, DType: m.DType, Shape: m.Shape}
	if err := rename(b.g, map[string]bool{m.Name: true}, nil); err != nil {
		return err
	}
	b.g.Inputs = append(b.g.Inputs, v)
	b.step.Masks = append(b.step.Masks, m)
	n.Op, n.In, n.Attrs = "Mul", []*onnx.Value{x, v}, map[string]any{}
	return nil
}

func reads(g *onnx.Graph, v *onnx.Value) bool {
	return slices.ContainsFunc(g.Nodes, func(n *onnx.Node) bool { return slices.Contains(n.In, v) })
}

// truth reads a constant bool; a missing one is false.
func truth(v *onnx.Value) (bool, error) {
	if v == nil {
		return false, nil
	}
	if v.IsConst() {
		if t, ok := tensor.Data[bool](v.Data); ok && len(t) == 1 {
			return t[0], nil
		}
	}
	return false, fmt.Errorf("whether it drops is computed by the graph (%q)", v.Name)
}

// number reads a constant scalar; a missing one is def.
func number(v *onnx.Value, def float64) (float64, error) {
	if v == nil {
		return def, nil
	}
	if v.IsConst() {
		if t, ok := tensor.Data[float32](v.Data); ok && len(t) == 1 {
			return float64(t[0]), nil
		}
		if t, ok := tensor.Data[float64](v.Data); ok && len(t) == 1 {
			return t[0], nil
		}
	}
	return 0, fmt.Errorf("%q is no constant", v.Name)
}
