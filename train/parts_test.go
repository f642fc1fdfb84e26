package train

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite/onnx"
	"trilobite/tensor"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	g, names := network(t, 0)
	tests := []struct {
		name      string
		trainable []string
		feeds     []feed
		prefix    bool
	}{
		{"the last layer alone", []string{"fc.weight"}, []feed{{"Flatten_1_out", 0, -1}}, true},
		{"from the norm on", []string{"norm.bias"}, []feed{{"Conv_1_out", 0, -1}}, true},
		{"everything", names, []feed{{"input", -1, 0}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, err := split(g, set(tt.trainable))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.feeds, h.feeds, cmp.AllowUnexported(feed{})); diff != "" {
				t.Errorf("feeds (-want +got):\n%s", diff)
			}
			if (h.prefix != nil) != tt.prefix {
				t.Errorf("prefix is %v", h.prefix)
			}
			if err := onnx.Check(h.suffix); err != nil {
				t.Errorf("suffix: %v", err)
			}
		})
	}
}

// TestSplitKeepsShapes: a shape that the graph computes from its input does not go with
// the batch, so it cannot be kept with a sample's features.
func TestSplitKeepsShapes(t *testing.T) {
	t.Parallel()
	b := onnx.NewBuilder("shapes")
	x := b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 2, 3})
	y := b.Relu(x)
	n := b.Slice(b.Shape(x), []int64{0}, []int64{0}, []int64{1})
	w := b.Const("w", tensor.Of([]int64{6}, make([]float32, 6)))
	b.Output("y", b.Mul(b.ReshapeTo(y, b.Concat(0, n, b.Ints(6))), w))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	h, err := split(g, set([]string{"w"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range h.suffix.Inputs {
		if v.DType != tensor.Float32 || v.Shape[0] != g.Inputs[0].Shape[0] {
			t.Errorf("the suffix takes %s %v", v.Name, v.Shape)
		}
	}
	if err := onnx.Check(h.suffix); err != nil {
		t.Error(err)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	o := &order{seed: 1, samples: 10, batch: 4}
	for epoch := range int64(3) {
		var all []int
		for s := range o.steps() {
			batch := o.step(epoch*o.steps() + s)
			if int64(len(batch)) != o.size(s) {
				t.Errorf("step %d has %d samples, size says %d", s, len(batch), o.size(s))
			}
			for _, p := range batch {
				all = append(all, p.sample)
			}
		}
		slices.Sort(all)
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, all); diff != "" {
			t.Errorf("epoch %d (-want +got):\n%s", epoch, diff)
		}
	}
	again := &order{seed: 1, samples: 10, batch: 4}
	if diff := cmp.Diff(o.step(7), again.step(7), cmp.AllowUnexported(pick{})); diff != "" {
		t.Errorf("step 7 depends on what came before (-after six others +alone):\n%s", diff)
	}
	if slices.Equal(permutation(20, 1), permutation(20, 2)) {
		t.Error("two seeds give one order")
	}
	whole := &order{samples: 10, batch: 4, whole: true}
	if whole.steps() != 2 {
		t.Errorf("%d whole batches of 4 in 10, want 2", whole.steps())
	}
}

func TestPrefetch(t *testing.T) {
	t.Parallel()
	count := func(yield func(int) bool) {
		for i := range 50 {
			if !yield(i) {
				return
			}
		}
	}
	var running, most, begun atomic.Int64
	work := func(_ context.Context, i int) (int, error) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		begun.Add(1)
		time.Sleep(time.Duration(50-i) * 20 * time.Microsecond) // later ones are quicker
		if i == 40 {
			panic("a stranger's picture")
		}
		return i, nil
	}
	next := 0
	var failed error
	for i, err := range prefetch(t.Context(), count, 3, 5, work) {
		if err != nil {
			failed = err
			continue
		}
		if i != next {
			t.Fatalf("got %d, want %d", i, next)
		}
		if next++; begun.Load() > int64(next)+5+3+1 {
			t.Errorf("%d were begun when %d had been taken", begun.Load(), next)
		}
	}
	if next != 40 || failed == nil || !strings.Contains(failed.Error(), "a stranger's picture") {
		t.Errorf("ended after %d with %v, want 40 and the panic", next, failed)
	}
	if most.Load() > 3 {
		t.Errorf("%d at a time, want 3 at most", most.Load())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBroken)
	for _, err := range prefetch(ctx, count, 3, 5, work) {
		failed = err
	}
	if !errors.Is(failed, errBroken) {
		t.Errorf("after its context has ended: %v", failed)
	}
}
