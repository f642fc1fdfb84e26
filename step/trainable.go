package step

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/tensor"
)

// Trainable lists the weights of a model from a file on which a value of it, an output
// or a loss, depends in a differentiable way, in the order of their use: its float
// initializers that feed an input which ONNX calls differentiable, as they are or through
// other operators. Constant nodes are no weights, and these are none either:
//
//   - running statistics: what a BatchNormalization (see JoinBatchNorm) reads as mean or
//     variance, and what is named running_mean, running_var, moving_mean or moving_variance;
//   - numbers in the model's code that PyTorch's exporter wrote as initializers: scalars
//     (rank 0) named val_ and a number, and what its optimiser says it has folded from
//     nothing but such, or made of another's shape (zeros_like), or, where the file lists
//     the model's parameters and buffers, from none of these (a causal mask);
//   - what has an infinite element, such as the mask of an attention, or is no number;
//   - what only a calculation of constants by an operator without a gradient reads, such
//     as the scales of quantised weights.
func Trainable(g *onnx.Graph, of *onnx.Value) []*onnx.Value {
	var list []*onnx.Value
	for _, v := range reaching(g, of) {
		if v.Initializer && !statistic.MatchString(v.Name) && !inCode(g, v) && finite(v.Data) {
			list = append(list, v)
		}
	}
	return list
}

// finite reports whether all elements are numbers: weight decay makes NaN of an infinite
// one.
func finite(t *tensor.Tensor) bool {
	odd := func(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) }
	if d, ok := tensor.Data[float64](t); ok {
		return !slices.ContainsFunc(d, odd)
	}
	d, _ := tensor.Data[float32](t)
	return !slices.ContainsFunc(d, func(v float32) bool { return odd(float64(v)) })
}

var (
	statistic = regexp.MustCompile(`(^|[._/])(running_(mean|var)|moving_(mean|variance))$`)
	lifted    = regexp.MustCompile(`^_?val_\d+$`)
	code      = regexp.MustCompile(`^(_?val|getitem|const|int64|scalar_tensor_default)(_\d+)?(_cast)?$`) // no parameters
	filled    = regexp.MustCompile(`^((zeros|ones|full)_like|new_(zeros|ones|full))(_\d+)?$`)            // what it says, of another's shape
	function  = regexp.MustCompile(`^(tmp_\d+|.*_cast)$`)                                                // a scalar in one of onnxscript's functions
)

// inCode reports whether v is a number in the model's code.
func inCode(g *onnx.Graph, v *onnx.Value) bool {
	if len(v.FoldedFrom) == 0 {
		return len(v.Shape) == 0 && lifted.MatchString(v.Name)
	}
	weight := func(name string) bool { return !code.MatchString(name) }
	if g.Registered != nil {
		weight = func(name string) bool { return g.Registered[name] }
	}
	return len(v.Shape) == 0 && (lifted.MatchString(v.Name) || function.MatchString(v.Name)) || filled.MatchString(v.Name) ||
		!weight(v.Name) && !slices.ContainsFunc(v.FoldedFrom, weight)
}

// Apart lists, by the name of a parameter of the PyTorch module, the weights among params that
// are it or that its exporter computed from it, where they are several: what was one weight
// is then trained as many.
func Apart(g *onnx.Graph, params []*onnx.Value) map[string][]string {
	found := map[string][]string{}
	for _, p := range params {
		for _, name := range slices.Compact(slices.Sorted(slices.Values(append([]string{p.Name}, p.FoldedFrom...)))) {
			if g.Registered[name] {
				found[name] = append(found[name], p.Name)
			}
		}
	}
	maps.DeleteFunc(found, func(_ string, names []string) bool { return len(names) < 2 })
	return found
}

// Inert reports whether an initializer is of a type that is never trained and feeds only
// inputs that have no derivative, such as shapes and indices: nothing is lost by it.
func Inert(g *onnx.Graph, v *onnx.Value) bool {
	if v.DType.IsFloat() {
		return false
	}
	for _, n := range g.Nodes {
		if slices.Contains(n.In, v) && !grad.Known(n) {
			return false
		}
	}
	return true
}

// reaching lists the float constants on which a value depends in a differentiable way.
func reaching(g *onnx.Graph, of *onnx.Value) []*onnx.Value {
	fixed := fixed(g)
	hit := map[*onnx.Value]bool{of: true}
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Out, func(v *onnx.Value) bool { return hit[v] }) {
			continue
		}
		if !grad.Known(n) && len(n.Out) > 0 && fixed[n.Out[0]] {
			continue
		}
		for i, v := range n.In {
			if v != nil && grad.Differentiable(n, i) {
				hit[v] = true
			}
		}
		for _, v := range grad.Captured(n) { // by a branch or a loop: may have a derivative
			if v != nil && v.DType.IsFloat() {
				hit[v] = true
			}
		}
	}
	var list []*onnx.Value
	for _, n := range g.Nodes {
		for _, v := range slices.Concat(n.In, grad.Captured(n)) {
			if v != nil && v.IsConst() && hit[v] && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	return list
}

// NoDecay exempts what recipes exempt from weight decay: biases, and the scales of
// normalisations, which both have one axis at most.
func NoDecay(params []*onnx.Value) func(name string) bool {
	exempt := map[string]bool{}
	for _, p := range params {
		exempt[p.Name] = len(p.Shape) <= 1 || strings.HasSuffix(p.Name, ".bias")
	}
	return func(name string) bool { return exempt[name] }
}
