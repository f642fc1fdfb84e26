package ort

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/tensor"
)

// open returns a Runtime of two cores over the library of the checkout.
func open(t testing.TB) *Runtime {
	t.Helper()
	r, err := OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// load loads testdata/name.onnx (golden/ort_graphs.py) and closes it with the test.
func load(t testing.TB, r *Runtime, name string, o Options) *Model {
	t.Helper()
	if o.Name == "" {
		o.Name = name
	}
	m, err := r.Load(t.Context(), filepath.Join("testdata", name+".onnx"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func floats(shape []int64, v ...float32) *tensor.Tensor { return tensor.Of(shape, v) }

func TestDescription(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "add", Options{})
	want := []string{"x float32 [-1,4]", "y float32 [-1,4]", "s float32 [-1,1]"}
	var got []string
	for _, v := range append(m.Inputs(), m.Outputs()...) {
		got = append(got, v.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inputs and outputs (-want +got):\n%s", diff)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	r := open(t)
	tests := []struct {
		name  string
		model string
		in    *tensor.Tensor
		want  [][]float32
	}{
		{"one row", "add", floats([]int64{1, 4}, 1, 1, 1, 1), [][]float32{{2, 3, 4, 5}, {14}}},
		{"two rows", "add", floats([]int64{2, 4}, 0, 0, 0, 0, 1, 1, 1, 1), [][]float32{{1, 2, 3, 4, 2, 3, 4, 5}, {10, 14}}},
		{"no rows", "add", floats([]int64{0, 4}), [][]float32{{}, {}}},
		{"rows that depend on the data", "rows", floats([]int64{3, 2}, 1, -1, -2, -3, -4, 5), [][]float32{{1, -1, -4, 5}}},
		{"as many rows as came in", "rows", floats([]int64{1, 2}, 1, 1), [][]float32{{1, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := load(t, r, tt.model, Options{})
			for range 3 { // the later ones write into what Recycle gave back
				out, err := m.Run(t.Context(), []*tensor.Tensor{tt.in})
				if err != nil {
					t.Fatal(err)
				}
				for i, want := range tt.want {
					if diff := cmp.Diff(want, out[i].Raw()); diff != "" {
						t.Errorf("output %d (-want +got):\n%s", i, diff)
					}
				}
				m.Recycle(out)
			}
		})
	}
}

func TestRunTypes(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "types", Options{})
	const one, two, four = 0x3c00, 0x4000, 0x4400 // float16
	out, err := m.Run(t.Context(), []*tensor.Tensor{
		tensor.NewBits(tensor.Float16, []int64{1, 2}, []uint16{one, two}),
		tensor.Of([]int64{3}, []uint8{1, 2, 255}),
		tensor.Of([]int64{2}, []bool{true, false}),
		tensor.Of([]int64{1}, []float64{0.25}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []any{[]uint16{one, four}, []int64{258}, []bool{false, true}, []float64{0.5}}
	for i, w := range want {
		if diff := cmp.Diff(w, out[i].Raw()); diff != "" {
			t.Errorf("output %s (-want +got):\n%s", m.Outputs()[i], diff)
		}
	}
	if len(out[1].Shape) != 0 {
		t.Errorf("the scalar has shape %v", out[1].Shape)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	m := load(t, open(t), "add", Options{})
	tests := []struct {
		name string
		in   []*tensor.Tensor
		want string
	}{
		{"too few inputs", nil, "0 inputs, want 1"},
		{"another type", []*tensor.Tensor{tensor.Of([]int64{1, 4}, make([]float64, 4))}, `input "x" is float64 [1,4], want float32 [-1,4]`},
		{"another rank", []*tensor.Tensor{floats([]int64{4}, 1, 2, 3, 4)}, `input "x" is float32 [4]`},
		{"another size", []*tensor.Tensor{floats([]int64{1, 3}, 1, 2, 3)}, `input "x" is float32 [1,3]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := m.Run(t.Context(), tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "model add") {
				t.Errorf("Run: %v, want model add and %q", err, tt.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	r := open(t)
	if _, err := r.Load(t.Context(), "testdata/none.onnx", Options{}); err == nil {
		t.Error("a file that is not there loads")
	}
	if _, err := r.LoadBytes(t.Context(), []byte("no model"), Options{Name: "junk"}); err == nil || !strings.Contains(err.Error(), "junk") {
		t.Errorf("bytes that are no model: %v, want an error that names it", err)
	}
	if _, err := r.Load(t.Context(), "testdata/add.onnx", Options{Provider: "tpu"}); err == nil || !strings.Contains(err.Error(), `"tpu"`) {
		t.Errorf("an unknown provider: %v", err)
	}
	if _, err := r.Load(t.Context(), "testdata/add.onnx", Options{Provider: "cuda"}); err == nil || !strings.Contains(err.Error(), "onnxruntime-gpu") {
		t.Errorf("CUDA without its library: %v, want what is missing", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := open(t)
	for name, o := range map[string]Options{
		"alone":   {Name: "alone", MaxQueue: 100},
		"batches": {Name: "batches", MaxQueue: 100, MaxBatch: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := load(t, r, "add", o)
			var g sync.WaitGroup
			for i := range 100 {
				g.Go(func() {
					defer r.Announce()()
					x := float32(i)
					out, err := m.Run(t.Context(), []*tensor.Tensor{floats([]int64{1, 4}, x, x, x, x)})
					if err != nil {
						t.Error(err)
						return
					}
					if diff := cmp.Diff([]float32{x + 1, x + 2, x + 3, x + 4}, out[0].Raw()); diff != "" {
						t.Errorf("request %d (-want +got):\n%s", i, diff)
					}
					m.Recycle(out)
				})
			}
			g.Wait()
		})
	}
}

func TestClosedModel(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 4} {
		m := load(t, open(t), "add", Options{MaxBatch: batch})
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := m.Run(t.Context(), []*tensor.Tensor{floats([]int64{1, 4}, 0, 0, 0, 0)})
		if trilobite.CodeOf(err) != trilobite.NotReady {
			t.Errorf("Run after Close, batches of %d: %v, want NotReady", batch, err)
		}
	}
}
