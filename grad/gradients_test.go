package grad

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// graphCase is a case of testdata/*.npz as an ONNX graph.
type graphCase struct {
	name  string
	build func(b *onnx.Builder, x []*onnx.Value) *onnx.Value
	check check
}

// check says how finite differences check a case. ONNX Runtime's CPU provider lacks
// double kernels of some operators.
type check int

const (
	double   check = iota // central differences in float64
	single                // in float32, coarser
	bilinear              // in float32 with step 1 on whole numbers: exact
	kink                  // at a kink there is no derivative to compare with
)

// testFamily compares every case of a file with torch, then with finite differences, and
// differentiates mutants of it.
func testFamily(t *testing.T, file string, cases []graphCase) {
	t.Helper()
	golden, err := tensor.ReadNPZ(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, c := range cases {
		named[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := exampleOf(golden, c.name)
			e.compareWithTorch(t, c)
			if c.check != kink {
				e.compareWithDifferences(t, c)
			}
			e.refusesMutants(t, c)
		})
	}
	for key := range golden {
		if name, _, ok := strings.Cut(key, "."); ok && !named[name] {
			t.Errorf("%s: case %s is tested by nothing", file, name)
		}
	}
}

// example holds one case's arrays.
type example struct {
	x, dX []*tensor.Tensor // in dX nil for inputs without a derivative
	y, dY *tensor.Tensor
}

func exampleOf(golden map[string]*tensor.Tensor, name string) example {
	e := example{y: golden[name+".Y"], dY: golden[name+".dY"]}
	for i := 0; golden[name+".x"+strconv.Itoa(i)] != nil; i++ {
		e.x = append(e.x, golden[name+".x"+strconv.Itoa(i)])
		e.dX = append(e.dX, golden[name+".d"+strconv.Itoa(i)])
	}
	return e
}

// step builds the case and its gradient, with Y, the loss ΣY·dY and the derivatives by
// every float input as outputs.
func (e example) step(t *testing.T, c graphCase, dtype tensor.DType) *onnx.Graph {
	t.Helper()
	b := onnx.NewBuilder(c.name)
	var x, wrt []*onnx.Value
	for i, v := range e.x {
		of := v.DType
		if of == tensor.Float32 {
			of = dtype
		}
		x = append(x, b.Input("x"+strconv.Itoa(i), of, append(onnx.Shape{}, v.Shape...)))
		if e.dX[i] != nil {
			wrt = append(wrt, x[i])
		}
	}
	dY := b.Input("dY", dtype, append(onnx.Shape{}, e.dY.Shape...))
	y := b.Output("y", c.build(b, x))
	loss := b.Output("loss", b.ReduceSum(b.Mul(y, dY)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	dX, err := Gradient(g, loss, wrt)
	if err != nil {
		t.Fatal(err)
	}
	b = onnx.Extend(g)
	for i, v := range dX {
		b.Output(wrt[i].Name+".grad", v)
	}
	if _, err := b.Graph(); err != nil {
		t.Fatal(err)
	}
	return g
}

func (e example) compareWithTorch(t *testing.T, c graphCase) {
	t.Helper()
	out, err := orttest.Load(t, e.step(t, c, tensor.Float32)).Run(t.Context(), slices.Concat(e.x, []*tensor.Tensor{e.dY}))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Y", out[0], e.y)
	out = out[2:]
	for i, want := range e.dX {
		if want != nil {
			equal(t, "dX"+strconv.Itoa(i), out[0], want)
			out = out[1:]
		}
	}
}

// equal compares type and shape, then elements to 1e-5 of the larger of 1 and want.
func equal(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	if got.DType != want.DType {
		t.Fatalf("%s is %s, want %s", what, got.DType, want.DType)
	}
	orttest.Near(t, what, got, want, 1e-5, 1)
}

// compareWithDifferences moves each input in random directions V and compares the
// central difference of the loss with dX·V.
func (e example) compareWithDifferences(t *testing.T, c graphCase) {
	t.Helper()
	dtype, h, tolerance := tensor.Float64, 1e-5, 1e-7
	switch c.check {
	case single:
		dtype, h, tolerance = tensor.Float32, 1e-2, 1e-3
	case bilinear:
		dtype, h, tolerance = tensor.Float32, 1, 1e-6
	default:
	}
	m := orttest.Load(t, e.step(t, c, dtype))
	r := rand.New(rand.NewPCG(4, 1))
	run := func(move int, along []float64, by float64) []*tensor.Tensor {
		var in []*tensor.Tensor
		for i, x := range slices.Concat(e.x, []*tensor.Tensor{e.dY}) {
			if x.DType != tensor.Float32 {
				in = append(in, x)
				continue
			}
			list := slices.Clone(orttest.Numbers(x))
			if i == move {
				for k := range list {
					list[k] += by * along[k]
				}
			}
			in = append(in, orttest.OfType(dtype, x.Shape, list))
		}
		out, err := m.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	nth := 2
	for i, d := range e.dX {
		if d == nil {
			continue
		}
		for range 3 {
			along := make([]float64, d.Len())
			for k := range along {
				along[k] = float64(r.IntN(3) - 1)
			}
			want := (orttest.Numbers(run(i, along, h)[1])[0] - orttest.Numbers(run(i, along, -h)[1])[0]) / (2 * h)
			got, size := 0.0, 1.0
			for k, g := range orttest.Numbers(run(i, along, 0)[nth]) {
				got += g * along[k]
				size += math.Abs(g * along[k])
			}
			if !(math.Abs(got-want) <= tolerance*size) {
				t.Errorf("input %d: the loss changes by %v, the gradient says %v", i, want, got)
			}
		}
		nth++
	}
}
