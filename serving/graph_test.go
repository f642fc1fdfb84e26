package serving_test

import (
	"fmt"
	"testing"

	"trilobite/serving"
	"trilobite/serving/servingtest"
	"trilobite/tensor"
	"trilobite/zoo"
)

// TestClassesWithoutAName: a detector's answers do without them, whoever asks for its
// tensors has them all, and both go when the model does.
func TestClassesWithoutAName(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	servingtest.Put(t, store, "quarters", zoo.Detect)
	ctx := t.Context()
	picture := servingtest.Picture(t, 32, 32)
	seen, err := r.Look(ctx, "quarters", picture, serving.Params{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range seen.Objects {
		got[fmt.Sprint(o.Box)] = fmt.Sprint(o.Class, o.Name)
	}
	want := map[string]string{"{0 0 16 16}": "0red", "{0 16 16 32}": "0red", "{16 0 32 16}": "2blue", "{16 16 32 32}": "2blue"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("objects %v, want %v", got, want)
	}
	status := func() serving.Status {
		s, err := r.Status("quarters")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := status().Bytes
	values, err := r.Values(ctx, "quarters")
	if err != nil || fmt.Sprint(values.Outputs[0].Shape) != "[-1 4 3]" || status().Bytes != one {
		t.Errorf("outputs %v, %d bytes (%v), want scores [-1 4 3] and %d bytes", values.Outputs, status().Bytes, err, one)
	}
	out, err := r.Infer(ctx, "quarters", map[string]*tensor.Tensor{"x": tensor.Vector(string(picture))}, []string{"scores"})
	if err != nil || fmt.Sprint(out.Data[0].Shape) != "[1 4 3]" {
		t.Fatalf("scores %v (%v), want shape [1 4 3]", out, err)
	}
	scores, _ := tensor.Data[float32](out.Data[0])
	for _, o := range seen.Objects {
		if column := scores[o.Class : len(scores)-2+o.Class]; o.Score != column[0] && o.Score != column[3] {
			t.Errorf("%s scores %v, its tensor says %v", o.Name, o.Score, scores)
		}
	}
	if now := status().Bytes; now != 2*one {
		t.Errorf("%d bytes with the whole graph in memory, want %d", now, 2*one)
	}
	if err := r.Unload(ctx, "quarters"); err != nil {
		t.Fatal(err)
	}
	if used, _ := r.Memory(); used != 0 || status().State != serving.Unloaded {
		t.Errorf("%d bytes in use of a model that is %s", used, status().State)
	}
	if err := r.Load(ctx, "quarters"); err != nil { // its graph is made again
		t.Fatal(err)
	}
	again, err := r.Look(ctx, "quarters", picture, serving.Params{})
	if err != nil || fmt.Sprint(again.Objects) != fmt.Sprint(seen.Objects) || status().Bytes != one {
		t.Errorf("once more: %v (%v), %d bytes, want %v, %d", again, err, status().Bytes, seen.Objects, one)
	}
}
