package tfjs

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/tensor"
)

// array is a tensor of a fixture; integers are exact.
type array struct {
	Shape []int64
	DType string
	Data  []float64
}

// opCase is a graph of golden/tfjs_ops.py and what TensorFlow computes from X.
type opCase struct {
	Name    string
	Model   json.RawMessage
	Weights []byte
	Shape   []int64 // of the input, in TensorFlow's order
	X       array
	Y       []array
}

func loadOps(t testing.TB) []opCase {
	t.Helper()
	f, err := os.Open("testdata/ops.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases []opCase
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestOps runs converted graphs against TensorFlow's results, with a batch of two.
func TestOps(t *testing.T) {
	t.Parallel()
	for _, tt := range loadOps(t) {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			m, err := Read(tt.Model, func(string, int64) ([]byte, error) { return tt.Weights, nil })
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Inputs: []Input{{Name: "x", Shape: tt.Shape}}}
			for i := range tt.Y {
				o.Outputs = append(o.Outputs, Output{Name: "y" + strconv.Itoa(i)})
			}
			g, err := Convert(m, o)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, g, tt.X.image())
			for i, want := range tt.Y {
				compare(t, "y"+strconv.Itoa(i), got[i], want, 1e-5)
			}
		})
	}
}

// image returns the array as float32, an NHWC image as NCHW.
func (a array) image() *tensor.Tensor {
	data := make([]float32, len(a.Data))
	for i, v := range a.Data {
		data[i] = float32(v)
	}
	x := tensor.Of(a.Shape, data)
	if len(a.Shape) == 4 {
		x = transpose(x, nhwcOf)
	}
	return x
}

func run(t testing.TB, g *onnx.Graph, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := orttest.Load(t, g).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compare checks type and shape, then each element to within tol, relative above 1.
func compare(t testing.TB, name string, got *tensor.Tensor, want array, tol float64) {
	t.Helper()
	if got.DType.String() != want.DType || !equalShape(got.Shape, want.Shape) {
		t.Errorf("%s is %s %v, want %s %v", name, got.DType, got.Shape, want.DType, want.Shape)
		return
	}
	worst, at := 0.0, 0
	for i, v := range numbersOf(t, got) {
		if d := math.Abs(v-want.Data[i]) / max(1, math.Abs(want.Data[i])); d > worst || math.IsNaN(d) {
			worst, at = d, i
		}
	}
	if !(worst <= tol) {
		t.Errorf("%s differs by %.3g at element %d: want %v", name, worst, at, want.Data[at])
	}
}

func equalShape(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func numbersOf(t testing.TB, x *tensor.Tensor) []float64 {
	t.Helper()
	switch d := x.Raw().(type) {
	case []float32:
		return toFloats(d)
	case []int32:
		return toFloats(d)
	case []int64:
		return toFloats(d)
	default:
		t.Fatalf("elements of type %s", x.DType)
		return nil
	}
}

func toFloats[T float32 | int32 | int64](in []T) []float64 {
	out := make([]float64, len(in))
	for i, v := range in {
		out[i] = float64(v)
	}
	return out
}
