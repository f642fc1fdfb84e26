package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"trilobite/onnx"
	"trilobite/tensor"
)

// Initialiser draws the first values of a parameter of the given shape.
type Initialiser func(shape []int64, r *rand.Rand) []float32

// HeNormal draws from a normal distribution cut at two standard deviations, whose
// deviation after the cut is √(2 / fan-in) (He et al., arXiv:1502.01852, equation 10; the
// cut is Keras'). Fan-in counts the inputs of one output: C/group·kH·kW of a convolution.
func HeNormal(shape []int64, r *rand.Rand) []float32 {
	return truncated(shape, math.Sqrt(2/fanIn(shape)), r)
}

// HeNormalFanOut is HeNormal without the cut and with the outputs of one input, M·kH·kW,
// in place of fan-in, as torchvision starts its residual networks.
func HeNormalFanOut(shape []int64, r *rand.Rand) []float32 {
	return normal(shape, math.Sqrt(2/fanOut(shape)), r)
}

// GlorotUniform draws evenly from ±√(6 / (fan-in + fan-out)) (Glorot and Bengio, AISTATS
// 2010, equation 16); Keras' default, for layers without a ReLU.
func GlorotUniform(shape []int64, r *rand.Rand) []float32 {
	limit := math.Sqrt(6 / (fanIn(shape) + fanOut(shape)))
	return draw(shape, func() float64 { return (2*r.Float64() - 1) * limit })
}

// Normal returns an Initialiser of a normal distribution around 0.
func Normal(deviation float64) Initialiser {
	return func(shape []int64, r *rand.Rand) []float32 { return normal(shape, deviation, r) }
}

// Constant returns an Initialiser that gives every element the value v.
func Constant(v float64) Initialiser {
	return func(shape []int64, _ *rand.Rand) []float32 {
		return draw(shape, func() float64 { return v })
	}
}

// FocalPrior is the bias of class logits that lets every class start with probability
// prior, −log((1 − prior) / prior), so that the many negatives of a detector do not
// drown the first steps (Lin et al., arXiv:1708.02002, section 4.1, with prior 0.01).
func FocalPrior(prior float64) Initialiser { return Constant(-math.Log((1 - prior) / prior)) }

// Initialise fills the parameters with first values: what the network's layers state,
// and Initialise's rules by name and shape elsewhere. The same seed gives the same values.
func (n *Network) Initialise(seed uint64) {
	for _, p := range n.Params {
		initialise(p, n.init[p], seed)
	}
}

// Initialise fills parameters by name and shape: matrices and convolutions, of rank 2 and
// more, by HeNormal; scales and running variances, the "weight" and "running_var" of rank
// 1, with 1; everything else, biases and running means, with 0. Each parameter's values
// depend on the seed and its name alone, not on the others or their order.
func Initialise(params []*onnx.Value, seed uint64) {
	for _, p := range params {
		initialise(p, nil, seed)
	}
}

func initialise(p *onnx.Value, by Initialiser, seed uint64) {
	switch {
	case by != nil:
	case len(p.Shape) > 1:
		by = HeNormal
	case strings.HasSuffix(p.Name, "weight"), strings.HasSuffix(p.Name, "running_var"):
		by = Constant(1)
	default:
		by = Constant(0)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.Name))              // never fails
	r := rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // first values are to be repeatable, not secret
	p.Data = tensor.Of(p.Shape, by(p.Shape, r))
}

// fanIn counts the inputs of one output of a weight (M, C/group, kH, kW) or (M, C).
func fanIn(shape []int64) float64 { return float64(tensor.Size(shape[min(1, len(shape)):])) }

// fanOut counts the outputs of one input, in a convolution of one group.
func fanOut(shape []int64) float64 {
	if len(shape) < 2 {
		return float64(tensor.Size(shape))
	}
	return float64(shape[0] * tensor.Size(shape[2:]))
}

func normal(shape []int64, deviation float64, r *rand.Rand) []float32 {
	return draw(shape, func() float64 { return r.NormFloat64() * deviation })
}

// truncated draws again what lies beyond two deviations.
func truncated(shape []int64, deviation float64, r *rand.Rand) []float32 {
	const left = 0.87962566103423978 // deviation of the standard normal distribution cut at ±2
	return draw(shape, func() float64 {
		for {
			if x := r.NormFloat64(); math.Abs(x) <= 2 {
				return x * deviation / left
			}
		}
	})
}

func draw(shape []int64, next func() float64) []float32 {
	x := make([]float32, tensor.Size(shape))
	for i := range x {
		x[i] = float32(next())
	}
	return x
}
