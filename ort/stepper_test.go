package ort

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/tensor"
)

// step finishes b's graph as one step of gradient descent: p.new = p − lr·∂loss/∂p.
func step(t testing.TB, b *onnx.Builder, loss, lr *onnx.Value, params ...*onnx.Value) []byte {
	t.Helper()
	b.Output("loss", loss)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	grads, err := grad.Gradient(g, loss, params)
	if err != nil {
		t.Fatal(err)
	}
	b = onnx.Extend(g)
	for i, p := range params {
		b.Output(p.Name+".new", b.Sub(p, b.Mul(lr, grads[i])))
	}
	if g, err = b.Graph(); err != nil {
		t.Fatal(err)
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func loadStep(t testing.TB, r *Runtime, data []byte, slots []Slot, initial []*tensor.Tensor, o Options) *Stepper {
	t.Helper()
	o.Name = t.Name()
	s, err := r.LoadStep(t.Context(), data, slots, initial, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// quadratic is descent on (w − x)², from w = 1.
func quadratic(t testing.TB, r *Runtime, o Options) *Stepper {
	t.Helper()
	b := onnx.NewBuilder("quadratic")
	x, lr := b.Input("x", tensor.Float32, onnx.Shape{}), b.Input("lr", tensor.Float32, onnx.Shape{})
	w := b.Input("w", tensor.Float32, onnx.Shape{})
	d := b.Sub(w, x)
	data := step(t, b, b.Mul(d, d), lr, w)
	return loadStep(t, r, data, []Slot{{"w", "w.new"}}, []*tensor.Tensor{tensor.Scalar(float32(1))}, o)
}

func number(t *tensor.Tensor) float32 {
	d, _ := tensor.Data[float32](t)
	return d[0]
}

func TestSteps(t *testing.T) {
	t.Parallel()
	s := quadratic(t, open(t), Options{})
	// w − 3 halves with every step of rate 1/4.
	in := []*tensor.Tensor{tensor.Scalar(float32(3)), tensor.Scalar(float32(0.25))}
	for i, want := range []float32{4, 1, 0.25, 0.0625} {
		out, err := s.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if got := number(out[0]); got != want {
			t.Errorf("loss of step %d = %v, want %v", i, got, want)
		}
	}
	state, err := s.State()
	if err != nil || number(state[0]) != 2.875 {
		t.Errorf("after four steps w = %v, %v, want 2.875", number(state[0]), err)
	}
	if err := s.Undo(); err != nil {
		t.Fatal(err)
	}
	if state, err = s.State(); err != nil || number(state[0]) != 2.75 {
		t.Errorf("one step back w = %v, %v, want 2.75", number(state[0]), err)
	}
	if err := s.Undo(); err == nil {
		t.Error("a second step was taken back")
	}
	if err := s.SetState([]*tensor.Tensor{tensor.Scalar(float32(5))}); err != nil {
		t.Fatal(err)
	}
	out, err := s.Run(t.Context(), in)
	if err != nil || number(out[0]) != 4 {
		t.Errorf("loss at w = 5 is %v, %v, want 4", number(out[0]), err)
	}
}

func TestStepErrors(t *testing.T) {
	t.Parallel()
	r := open(t)
	b := onnx.NewBuilder("g")
	w, x := b.Input("w", tensor.Float32, onnx.Shape{2}), b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 2})
	b.Output("w.new", b.Identity(w))
	b.Output("sum", b.ReduceSum(b.Mul(x, w)))
	b.Output("open", b.Mul(x, w))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = g.Outputs[:2]
	data, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	two := []*tensor.Tensor{tensor.Vector[float32](1, 2)}
	tests := []struct {
		name    string
		data    []byte
		slots   []Slot
		initial []*tensor.Tensor
		want    string
	}{
		{"an input that there is not", data, []Slot{{"v", "w.new"}}, two, "no such input"},
		{"an output that there is not", data, []Slot{{"w", "v"}}, two, "no such input"},
		{"one slot twice", data, []Slot{{"w", "w.new"}, {"w", "w.new"}}, two, "another slot"},
		{"shapes that differ", data, []Slot{{"w", "sum"}}, two, "one static shape"},
		{"an initial value of another shape", data, []Slot{{"w", "w.new"}}, []*tensor.Tensor{tensor.Vector[float32](1)}, `input "w"`},
		{"no initial value", data, []Slot{{"w", "w.new"}}, nil, "0 inputs, want 1"},
		{"an output of open shape", whole, []Slot{{"w", "w.new"}}, two, `open float32`},
		{"no model", nil, nil, nil, "no bytes"},
		{"no model at all", []byte("x"), nil, nil, "loading"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := r.LoadStep(t.Context(), tt.data, tt.slots, tt.initial, Options{Name: "g"}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// layers is descent on the mean square of tanh's of products, long enough to be stopped.
func layers(t testing.TB, r *Runtime, size int64, depth int, o Options) *Stepper {
	t.Helper()
	b := onnx.NewBuilder("layers")
	x, lr := b.Input("x", tensor.Float32, onnx.Shape{size, size}), b.Input("lr", tensor.Float32, onnx.Shape{})
	w := b.Input("w", tensor.Float32, onnx.Shape{size, size})
	y := x
	for range depth {
		y = b.Tanh(b.MatMul(y, w))
	}
	data := step(t, b, b.ReduceMean(b.Mul(y, y)), lr, w)
	return loadStep(t, r, data, []Slot{{"w", "w.new"}}, []*tensor.Tensor{waves(size, 0)}, o)
}

// waves are values that look random, in an array that starts shift elements into its
// memory.
func waves(size int64, shift int) *tensor.Tensor {
	d := make([]float32, int(size*size)+shift)[shift:]
	for i := range d {
		d[i] = float32(math.Sin(float64(i*i))) / float32(math.Sqrt(float64(size)))
	}
	return tensor.Of([]int64{size, size}, d)
}

func TestStoppedStep(t *testing.T) {
	t.Parallel()
	s := layers(t, open(t), 512, 100, Options{})
	in := []*tensor.Tensor{waves(512, 0), tensor.Scalar(float32(1))}
	before, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(5*time.Millisecond, func() { cancel(why) })
	if _, err := s.Run(ctx, in); trilobite.CodeOf(err) != trilobite.Canceled || !errors.Is(err, why) {
		t.Errorf("a step whose context ends: %v, want Canceled with its cause", err)
	}
	after, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "after a stopped step", after[0], before[0])
	if _, err := s.Run(t.Context(), in); err != nil {
		t.Errorf("the step after a stopped one: %v", err)
	}
}

func same(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	g, _ := tensor.Data[float32](got)
	w, _ := tensor.Data[float32](want)
	for i := range w {
		if math.Float32bits(g[i]) != math.Float32bits(w[i]) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, g[i], w[i])
		}
	}
}

// TestSameBits: where the inputs happen to lie does not show.
func TestSameBits(t *testing.T) {
	t.Parallel()
	r := open(t)
	const size = 19
	var states []*tensor.Tensor
	for shift := range 4 {
		s := layers(t, r, size, 3, Options{})
		for range 5 {
			if _, err := s.Run(t.Context(), []*tensor.Tensor{waves(size, shift), tensor.Scalar(float32(1))}); err != nil {
				t.Fatal(err)
			}
		}
		state, err := s.State()
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, state[0])
	}
	for _, other := range states[1:] {
		same(t, "another shift", other, states[0])
	}
}

// TestTrainingBesideServing: steps and runs of a model take turns, and nobody waits for
// ever.
func TestTrainingBesideServing(t *testing.T) {
	t.Parallel()
	r := open(t)
	m := load(t, r, "add", Options{})
	s := quadratic(t, r, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for range 200 {
				if _, err := m.Run(ctx, []*tensor.Tensor{floats([]int64{1, 4}, 1, 2, 3, 4)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		for range 200 {
			if _, err := s.Run(ctx, []*tensor.Tensor{tensor.Scalar(float32(3)), tensor.Scalar(float32(0.1))}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestClosedStepper(t *testing.T) {
	t.Parallel()
	s := quadratic(t, open(t), Options{Threads: 1})
	if s.Threads() != 1 {
		t.Errorf("%d threads, want the one asked for", s.Threads())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Run(t.Context(), nil)
	_, err2 := s.State()
	if trilobite.CodeOf(err) != trilobite.NotReady || trilobite.CodeOf(err2) != trilobite.NotReady {
		t.Errorf("after Close: Run %v, State %v, want NotReady", err, err2)
	}
}
