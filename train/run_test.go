package train

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
)

// recorded runs a training and returns its events.
func recorded(t testing.TB, ctx context.Context, task Task, r Recipe, o Options, hear func(Event)) (*Result, []Event, error) { //nolint:revive // t first
	t.Helper()
	events, all := make(chan Event), make(chan []Event)
	go func() {
		var list []Event
		for e := range events {
			if hear != nil {
				hear(e)
			}
			list = append(list, e)
		}
		all <- list
	}()
	o.Events = events
	res, err := Run(ctx, runtimeOf(t), task, r, o)
	close(events)
	return res, <-all, err
}

// TestTorch follows PyTorch's loss over twenty steps, and its parameters.
func TestTorch(t *testing.T) {
	t.Parallel()
	golden := goldens(t)
	task := small(t, 16, 1)
	r := Recipe{BatchNorm: step.Train, Every: 20, Stages: []Stage{{Steps: 20, Rule: optim.NewAdamW(),
		Schedule: func(n int64) optim.Schedule { return optim.Cosine{Rate: 5e-2, Steps: n} }}}}
	res, events, err := recorded(t, t.Context(), task, r, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var losses []float64
	for _, e := range events {
		if e.Kind == "step" {
			losses = append(losses, e.Loss)
		}
	}
	want, _ := tensor.Data[float64](golden["losses"])
	for i := range want {
		if math.Abs(losses[i]-want[i]) > 1e-4*want[i] {
			t.Errorf("loss of step %d is %v, want %v", i+1, losses[i], want[i])
		}
	}
	for name, w := range res.Weights {
		near(t, name, w, golden["after."+name], 1e-3)
	}
	if len(res.Weights) != 7 {
		t.Errorf("%d constants were trained, want 5 parameters and 2 running statistics", len(res.Weights))
	}
}

func near(t *testing.T, name string, got, want *tensor.Tensor, tolerance float64) {
	t.Helper()
	g, _ := tensor.Data[float32](got)
	w, _ := tensor.Data[float32](want)
	if len(g) != len(w) || len(g) == 0 {
		t.Fatalf("%s has %d elements, want %d", name, len(g), len(w))
	}
	for i := range w {
		if d := math.Abs(float64(g[i] - w[i])); !(d <= tolerance*(1+math.Abs(float64(w[i])))) {
			t.Fatalf("%s[%d] = %v, want %v", name, i, g[i], w[i])
		}
	}
}

func TestOverfit(t *testing.T) {
	t.Parallel()
	r := Recipe{BatchNorm: step.Frozen, Every: 400, Stages: []Stage{{Steps: 400, Rule: optim.NewAdamW(), Schedule: constant(3e-2)}}}
	res, events, err := recorded(t, t.Context(), small(t, 8, 1), r, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	steps := slices.DeleteFunc(events, func(e Event) bool { return e.Kind != "step" })
	if end := steps[len(steps)-1].Loss; end >= 0.05 || res.Best.Metrics["accuracy"] != 1 {
		t.Errorf("after %d steps on 8 pictures the loss is %v, accuracy %v", len(steps), end, res.Best.Metrics["accuracy"])
	}
}

// hard is everything that could make a resumed training differ: two stages, shuffled
// batches of which the last is smaller, dropout, noise in the pictures, averages,
// accumulation, clipping, a schedule, running statistics.
func hard(t testing.TB) (Task, Recipe) {
	t.Helper()
	task := small(t, 16, 0)
	task.Graph, task.Params = network(t, 0.3)
	cosine := func(n int64) optim.Schedule {
		return optim.WarmUp{Then: optim.Cosine{Rate: 2e-2, Steps: n}, Steps: 2, From: 0.1}
	}
	return task, Recipe{Seed: 5, Batch: 5, BatchNorm: step.Train, EMA: 0.9, Accumulate: 2, ClipNorm: 1, Every: 3, Stages: []Stage{
		{Name: "head", Trainable: last("fc"), Epochs: 2, Rule: optim.SGD{Momentum: 0.9}, Schedule: constant(0.1)},
		{Name: "all", Epochs: 4, Rule: optim.NewAdamW(), Schedule: cosine},
	}}
}

func TestResumeIsBitForBit(t *testing.T) {
	t.Parallel()
	task, r := hard(t)
	whole, _, err := recorded(t, t.Context(), task, r, Options{Dir: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{1, 3, 8, 13, 23} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := recorded(t, ctx, task, r, Options{Dir: dir}, func(e Event) {
			if e.Kind == "step" && e.Step == at {
				cancel()
			}
		})
		if trilobite.CodeOf(err) != trilobite.Canceled {
			t.Fatalf("stopped at step %d: %v, want Canceled", at, err)
		}
		res, events, err := recorded(t, t.Context(), task, r, Options{Dir: dir, Resume: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if steps := slices.DeleteFunc(events, func(e Event) bool { return e.Kind != "step" }); len(steps) > 0 && steps[0].Step <= at {
			t.Errorf("stopped at step %d, the resumed run begins with step %d", at, steps[0].Step)
		}
		if diff := cmp.Diff(whole.Best, res.Best); diff != "" {
			t.Errorf("stopped at step %d: best evaluation (-whole +resumed):\n%s", at, diff)
		}
		equal(t, res.Weights, whole.Weights)
	}
}

// TestEpochs: they are counted over all stages.
func TestEpochs(t *testing.T) {
	t.Parallel()
	task, r := hard(t)
	res, events, err := recorded(t, t.Context(), task, r, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	for _, e := range events {
		if e.Kind == "step" && e.Epochs != 2+4 {
			t.Errorf("step %d: %d epochs in all, want 6", e.Step, e.Epochs)
		}
		if e.Kind == "step" && !slices.Contains(seen, e.Epoch) {
			seen = append(seen, e.Epoch)
		}
	}
	if !slices.Equal(seen, []int{1, 2, 3, 4, 5, 6}) || res.Best != nil && res.Best.Epoch > 6 {
		t.Errorf("epochs %v, the best of %+v", seen, res.Best)
	}
}

func equal(t *testing.T, got, want map[string]*tensor.Tensor) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Fatalf("trained constants (-want +got):\n%s", diff)
	}
	for name, w := range want {
		a, _ := w.Bytes()
		b, _ := got[name].Bytes()
		if !slices.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

// TestFeatures: the frozen part gives the same whether its features are kept in memory,
// on the disk, or not at all.
func TestFeatures(t *testing.T) {
	t.Parallel()
	r := Recipe{Seed: 3, Batch: 4, Every: 8, Stages: []Stage{{Trainable: last("fc"), Epochs: 5, Rule: optim.NewAdamW(), Schedule: constant(1e-2)}}}
	var results []map[string]*tensor.Tensor
	for _, o := range []Options{{}, {Dir: t.TempDir(), Memory: 100}, {Memory: 1}} {
		res, events, err := recorded(t, t.Context(), small(t, 16, 2), r, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if kinds := kindsOf(events); kinds[0] != "start" || kinds[1] != "features" || kinds[len(kinds)-1] != "done" {
			t.Errorf("events are %q", kinds)
		}
		results = append(results, res.Weights)
	}
	equal(t, results[1], results[0])
	equal(t, results[2], results[0])
	if len(results[0]) != 2 {
		t.Errorf("%d constants were trained, want the last layer's 2", len(results[0]))
	}
}

// kindsOf are the events' kinds without repetition.
func kindsOf(events []Event) []string {
	kinds := make([]string, len(events))
	for i, e := range events {
		kinds[i] = e.Kind
	}
	return slices.Compact(kinds)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	r := Recipe{Batch: 8, Stages: []Stage{{Name: "one", Epochs: 2, Rule: optim.NewAdamW(), Schedule: constant(1e-3)}}}
	_, events, err := recorded(t, t.Context(), small(t, 16, 0), r, Options{Dir: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"start", "features", "stage", "step", "evaluation", "checkpoint", "step", "evaluation", "checkpoint", "done"}
	if diff := cmp.Diff(want, kindsOf(events)); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for _, e := range events {
		if e.Kind == "step" && (e.Steps != 4 || e.ImagesPerSecond <= 0 || e.LR != 1e-3 || e.Epoch != int(e.Step+1)/2) {
			t.Errorf("step event %+v", e)
		}
		if e.Kind == "step" && e.Step < 4 && e.ETA <= 0 || e.Time.IsZero() {
			t.Errorf("event without ETA or time: %+v", e)
		}
	}
}

func TestNotFinite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		rate float64
		bend func(*Task)
		want string
	}{
		{"a rate that is far too high", 1e38, func(*Task) {}, "not finite"},
		{"a parameter that is none from the start", 1e-3, func(task *Task) {
			nan := tensor.Of([]int64{3}, []float32{0, float32(math.NaN()), 0})
			if err := Assign(task.Graph, map[string]*tensor.Tensor{"fc.bias": nan}); err != nil {
				t.Fatal(err)
			}
		}, `step 1: parameter "fc.bias"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			task := small(t, 16, 1)
			tt.bend(&task)
			r := Recipe{Every: 1, Stages: []Stage{{Steps: 50, Rule: optim.SGD{}, Schedule: constant(tt.rate)}}}
			_, _, err := recorded(t, t.Context(), task, r, Options{Dir: t.TempDir()}, nil)
			if trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// full is a disk with room for so many bytes.
type full struct {
	io.Writer

	room int
}

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, syscall.ENOSPC
	}
	return f.Writer.Write(p)
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := files{dir: dir}
	w := map[string]*tensor.Tensor{"w": tensor.Vector[float32](1, 2, 3)}
	if err := f.saveLast(w, position{Step: 1}); err != nil {
		t.Fatal(err)
	}
	f.wrap = func(w io.Writer) io.Writer { return &full{w, 50} }
	w["w"] = tensor.Vector[float32](4, 5, 6)
	err := f.saveLast(w, position{Step: 2})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), lastFile) {
		t.Errorf("saving on a full disk: %v", err)
	}
	p, tensors, err := f.load()
	if err != nil || p.Step != 1 {
		t.Fatalf("the checkpoint before it: %+v, %v", p, err)
	}
	if d, _ := tensor.Data[float32](tensors["w"]); d[0] != 1 {
		t.Errorf("its tensor is %v", d)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("the folder holds %v, want two files", left)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	stage := Stage{Steps: 1000, Rule: optim.SGD{}, Schedule: constant(0)}
	res, _, err := recorded(t, t.Context(), small(t, 16, 1), Recipe{Every: 2, Patience: 3, Stages: []Stage{stage}}, Options{}, nil)
	if err != nil || res.Stopped != NoBetter || res.Steps != 8 {
		t.Errorf("a rate of 0 stops for %q after %d steps, %v; want patience, after 8", res.Stopped, res.Steps, err)
	}
	res, _, err = recorded(t, t.Context(), small(t, 16, 1), Recipe{Every: 500, Budget: 1, Stages: []Stage{stage}}, Options{}, nil)
	if err != nil || res.Stopped != OutOfTime || res.Steps > 1 {
		t.Errorf("a budget of nothing stops for %q after %d steps, %v", res.Stopped, res.Steps, err)
	}
}

// TestScheduleFitsBudget: where the time ends long before the steps do, the rate still
// falls along its whole schedule.
func TestScheduleFitsBudget(t *testing.T) {
	t.Parallel()
	r := Recipe{Every: 1 << 30, Budget: 2 * time.Second, Stages: []Stage{{
		Steps: 1 << 30, Rule: optim.SGD{}, Schedule: func(n int64) optim.Schedule { return optim.Cosine{Rate: 1e-6, Steps: n} },
	}}}
	res, events, err := recorded(t, t.Context(), small(t, 16, 1), r, Options{}, nil)
	if err != nil || res.Stopped != OutOfTime {
		t.Fatalf("stopped for %q, %v", res.Stopped, err)
	}
	last := math.Inf(1)
	for _, e := range events {
		if e.Kind != "step" {
			continue
		}
		if e.LR > last {
			t.Fatalf("step %d: the rate rises from %v to %v", e.Step, last, e.LR)
		}
		last = e.LR
	}
	if last > 1e-7 {
		t.Errorf("the last rate is %v, want near 0", last)
	}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	task := small(t, 16, 0)
	task.Train.(*pictures).broken = map[int]bool{0: true, 7: true, 15: true}
	var dropped, left []int
	task.Check = func(samples, _ []int) error { left = samples; return nil }
	r := Recipe{Batch: 4, Stages: []Stage{{Epochs: 2, Rule: optim.SGD{}, Schedule: constant(1e-3)}}}
	res, _, err := recorded(t, t.Context(), task, r, Options{Dropped: func(_ bool, i int, err error) {
		if !errors.Is(err, errBroken) {
			t.Errorf("sample %d was dropped for %v", i, err)
		}
		dropped = append(dropped, i)
	}}, nil)
	if err != nil || res.Steps != 8 || len(left) != 13 {
		t.Errorf("%d steps with %d samples, %v; want 8 with 13", res.Steps, len(left), err)
	}
	if diff := cmp.Diff([]int{0, 7, 15}, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	for i := range 16 {
		task.Train.(*pictures).broken[i] = true
	}
	if _, _, err := recorded(t, t.Context(), task, r, Options{}, nil); trilobite.CodeOf(err) != trilobite.Invalid || !errors.Is(err, errBroken) {
		t.Errorf("no sample at all: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	good := Recipe{Stages: []Stage{{Steps: 1, Rule: optim.SGD{}, Schedule: constant(1)}}}
	nothing, none := good, good
	nothing.Stages = []Stage{{Steps: 1, Trainable: func(string) bool { return false }, Rule: optim.SGD{}, Schedule: constant(1)}}
	none.Stages = []Stage{{Rule: optim.SGD{}, Schedule: constant(1)}}
	other := t.TempDir()
	if _, _, err := recorded(t, t.Context(), small(t, 16, 1), good, Options{Dir: other, Fingerprint: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	unknown := small(t, 16, 1)
	unknown.Metric = "mIoU"
	tests := []struct {
		name string
		task Task
		r    Recipe
		o    Options
		want string
	}{
		{"nothing to train", small(t, 16, 1), nothing, Options{}, "conv.weight"},
		{"a stage without steps", small(t, 16, 1), none, Options{}, "no steps"},
		{"no checkpoint", small(t, 16, 1), good, Options{Dir: t.TempDir(), Resume: true}, "no checkpoint"},
		{"other data", small(t, 16, 1), good, Options{Dir: other, Resume: true, Fingerprint: "b"}, "other data"},
		{"an unknown metric", unknown, good, Options{}, `"accuracy"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := recorded(t, t.Context(), tt.task, tt.r, tt.o, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestCheckpointFiles: other tools read them.
func TestCheckpointFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := Recipe{Every: 1, Stages: []Stage{{Steps: 2, Trainable: last("fc"), Rule: optim.NewAdamW(), Schedule: constant(1e-2)}}}
	res, _, err := recorded(t, t.Context(), small(t, 16, 1), r, Options{Dir: dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	best, err := tensor.ReadSafetensors(filepath.Join(dir, bestFile))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, best.Tensors, res.Weights)
	last, err := tensor.ReadSafetensors(filepath.Join(dir, lastFile))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"fc.bias", "fc.bias.m", "fc.bias.v", "fc.weight", "fc.weight.m", "fc.weight.v"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(last.Tensors))); diff != "" {
		t.Errorf("last.safetensors (-want +got):\n%s", diff)
	}
}
