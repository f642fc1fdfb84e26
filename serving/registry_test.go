package serving_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"trilobite"
	"trilobite/imageio"
	"trilobite/serving"
	"trilobite/serving/servingtest"
	"trilobite/tensor"
	"trilobite/zoo"
)

func state(t *testing.T, r *serving.Registry, ref string) serving.State {
	t.Helper()
	s, err := r.Status(ref)
	if err != nil {
		t.Fatal(err)
	}
	return s.State
}

func use(t *testing.T, r *serving.Registry, ref string) func() {
	t.Helper()
	_, done, err := r.Use(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// bytesOf returns what a model takes.
func bytesOf(t *testing.T, r *serving.Registry, ref string) int64 {
	t.Helper()
	use(t, r, ref)()
	s, err := r.Status(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Drop(t.Context(), s.Model); err != nil {
		t.Fatal(err)
	}
	return s.Bytes
}

func TestModelsInUseAreWaitedFor(t *testing.T) {
	t.Parallel()
	r, rgb := roomForOne(t)
	done := use(t, r, "rgb")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := r.Use(ctx, "tint"); trilobite.CodeOf(err) != trilobite.Canceled {
		t.Errorf("Use = %v, want Canceled", err)
	}
	waits := make(chan error, 1)
	go func() {
		_, done, err := r.Use(context.Background(), "tint")
		if err == nil {
			done()
		}
		waits <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if s := state(t, r, "rgb"); s != serving.Ready {
		t.Errorf("rgb is %s while it is used", s)
	}
	done()
	if err := <-waits; err != nil {
		t.Error(err)
	}
	if a, b := state(t, r, "rgb"), state(t, r, "tint"); a != serving.Idle || b != serving.Ready {
		t.Errorf("rgb is %s, tint %s; want idle, ready", a, b)
	}
	use(t, r, "rgb")() // it comes back on demand
	if used, most := r.Memory(); used != rgb || used > most {
		t.Errorf("%d bytes of %d are used, want %d", used, most, rgb)
	}
}

func TestPinnedModelsStay(t *testing.T) {
	t.Parallel()
	r, _ := roomForOne(t)
	_, done, err := r.Pin(t.Context(), "rgb")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	_, _, err = r.Use(t.Context(), "tint")
	if trilobite.CodeOf(err) != trilobite.LimitExceeded || !strings.Contains(err.Error(), "serving.memory") {
		t.Errorf("Use = %v, want LimitExceeded", err)
	}
	if s, err := r.Status("tint"); err != nil || s.Serves() {
		t.Errorf("tint serves, %v", err)
	}
	if err := r.Unload(t.Context(), "rgb"); trilobite.CodeOf(err) != trilobite.InUse {
		t.Errorf("Unload = %v, want InUse", err)
	}
}

// roomForOne returns a registry with room for either of its models, and what rgb takes.
func roomForOne(t *testing.T) (r *serving.Registry, rgb int64) {
	t.Helper()
	probe, _ := servingtest.Open(t, 0)
	rgb = bytesOf(t, probe, "rgb")
	r, _ = servingtest.Open(t, max(rgb, bytesOf(t, probe, "tint")))
	return r, rgb
}

func TestLeastRecentlyUsedGoes(t *testing.T) {
	t.Parallel()
	probe, _ := servingtest.Open(t, 0)
	n := bytesOf(t, probe, "rgb")
	r, store := servingtest.Open(t, 3*n+n/2)
	for _, name := range []string{"a", "b", "c", "d"} {
		servingtest.Put(t, store, name, zoo.Segment)
	}
	for _, name := range []string{"a", "b", "c", "a", "d"} {
		use(t, r, name)()
	}
	for name, want := range map[string]serving.State{"a": serving.Ready, "b": serving.Idle, "c": serving.Ready, "d": serving.Ready} {
		if got := state(t, r, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestUnload(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	servingtest.Put(t, store, "rgb", zoo.Segment)
	m, done, err := r.Use(t.Context(), "rgb")
	if err != nil || m.Ref() != "rgb@2" {
		t.Fatalf("%v, %v; want the newest version", m, err)
	}
	gone := make(chan error, 1)
	go func() { gone <- r.Unload(context.Background(), "rgb@2") }()
	for state(t, r, "rgb@2") != serving.Unloaded {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-gone:
		t.Fatalf("unloaded under a request's feet: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if m, done, err := r.Use(t.Context(), "rgb"); err != nil || m.Ref() != "rgb@1" {
		t.Errorf("%v; want the version before", err)
	} else {
		done()
	}
	done()
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Use(t.Context(), "rgb@2"); trilobite.CodeOf(err) != trilobite.NotReady {
		t.Errorf("Use = %v, want NotReady", err)
	}
	if err := r.Unload(t.Context(), "rgb"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Use(t.Context(), "rgb"); trilobite.CodeOf(err) != trilobite.NotReady {
		t.Errorf("Use = %v, want NotReady", err)
	}
	if err := r.Load(t.Context(), "rgb"); err != nil || state(t, r, "rgb") != serving.Ready || state(t, r, "rgb@1") != serving.Unloaded {
		t.Errorf("Load: %v, rgb is %s, rgb@1 %s", err, state(t, r, "rgb"), state(t, r, "rgb@1"))
	}
	for _, ref := range []string{"none", "rgb@3", "../rgb", "rgb/../tint", "", "rgb@1/../2"} {
		for name, err := range map[string]error{"Load": r.Load(t.Context(), ref), "Unload": r.Unload(t.Context(), ref)} {
			if trilobite.CodeOf(err) != trilobite.NotFound {
				t.Errorf("%s(%q) = %v, want NotFound", name, ref, err)
			}
		}
	}
}

// TestOneLoadForAll: a hundred requests at once load a model once, and each that gives up
// leaves the others alone.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	r, _ := servingtest.Open(t, 0)
	models := make([]*serving.Model, 100)
	var g sync.WaitGroup
	for i := range models {
		g.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%4 == 0 {
				cancel()
			}
			defer cancel()
			m, done, err := r.Use(ctx, "rgb")
			if err == nil {
				models[i] = m
				done()
			} else if i%4 != 0 {
				t.Error(err)
			}
		})
	}
	g.Wait()
	for i, m := range models {
		if m != nil && m != models[1] {
			t.Errorf("request %d got a model of its own", i)
		}
	}
}

func TestInfer(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	const n = 3 * servingtest.Side * servingtest.Side
	ones := func(batch int64) *tensor.Tensor {
		d := make([]float32, batch*n)
		for i := range d {
			d[i] = 1
		}
		return tensor.Of([]int64{batch, 3, servingtest.Side, servingtest.Side}, d)
	}
	picture := string(servingtest.Picture(t, 32, 32))
	in := func(x *tensor.Tensor) map[string]*tensor.Tensor { return map[string]*tensor.Tensor{"x": x} }
	tests := []struct {
		name, ref string
		in        map[string]*tensor.Tensor
		want      []string
		code      trilobite.Code // "" for none
		text      string         // in the error, or the answer's shape
	}{
		{"raw", "tint", in(ones(1)), nil, "", "[1 3]"},
		{"a batch", "tint", in(ones(5)), []string{"logits"}, "", "[5 3]"},
		{"encoded", "tint", in(tensor.Vector(picture)), nil, "", "[1 3]"},
		{"two encoded", "tint@1", in(tensor.Vector(picture, picture)), nil, "", "[2 3]"},
		{"encoded, in tiles", "tiled", in(tensor.Vector(string(servingtest.Picture(t, 64, 40)))), nil, "", "[7 3]"}, // 3×2, and the whole
		{"two encoded, in tiles", "tiled", in(tensor.Vector(picture, picture)), nil, trilobite.Invalid, "one image at a time"},
		{"no input", "tint", nil, nil, trilobite.Invalid, `"x" is missing`},
		{"another input", "tint", map[string]*tensor.Tensor{"x": ones(1), "y": ones(1)}, nil, trilobite.Invalid, `no input "y"`},
		{"another type", "tint", in(tensor.Of([]int64{1, 3, 16, 16}, make([]int64, n))), nil, trilobite.Invalid, "int64"},
		{"another shape", "tint", in(tensor.Of([]int64{1, 3, 16, 8}, make([]float32, n/2))), nil, trilobite.Invalid, "[1,3,16,8]"},
		{"an empty batch", "tint", in(tensor.Of([]int64{0, 3, 16, 16}, []float32{})), nil, trilobite.Invalid, "[0,3,16,16]"},
		{"no images", "tint", in(tensor.Vector[string]()), nil, trilobite.Invalid, "0 images"},
		{"too many images", "tint", in(tensor.Vector(make([]string, 65)...)), nil, trilobite.Invalid, "65 images"},
		{"a text", "tint", in(tensor.Vector("hello")), nil, trilobite.InvalidImage, ""},
		{"another output", "tint", in(ones(1)), []string{"z"}, trilobite.Invalid, `no output "z"`},
		{"an output twice", "tint", in(ones(1)), []string{"logits", "logits"}, trilobite.Invalid, "twice"},
		{"no such model", "none", in(ones(1)), nil, trilobite.NotFound, `"none"`},
	}
	tiled := "steps:\n  - tile: {width: 32, height: 32, overlap: 16, whole: true}\n"
	servingtest.Put(t, store, "tiled", zoo.Classify)
	if _, err := store.SetPipeline("tiled", "tiled.yaml", []byte(tiled)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := r.Infer(t.Context(), tt.ref, tt.in, tt.want)
			if tt.code != "" {
				if trilobite.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("Infer = %v, want %s with %s", err, tt.code, tt.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(out.Data[0].Shape); got != tt.text || out.Names[0] != "logits" || len(out.Data) != 1 {
				t.Errorf("%s %v, want logits %s", out.Names, got, tt.text)
			}
		})
	}
}

// TestANewCard: a model whose card changes while it is loaded is loaded anew, and whoever
// uses the old one finishes with it.
func TestANewCard(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	card, err := store.Get("tint")
	if err != nil {
		t.Fatal(err)
	}
	old, done, err := r.Open(t.Context(), card)
	if err != nil {
		t.Fatal(err)
	}
	card.Pipeline.Mean = []float32{0}
	changed, also, err := r.Open(t.Context(), card)
	if err != nil || changed == old || changed.Pipeline.Mean[0] != 0 {
		t.Fatalf("%v, %v", changed, err)
	}
	also()
	done()
}

// TestANewRevision: a pipeline that is set while a model is loaded counts from the next
// request on, and so does the way back.
func TestANewRevision(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	check := func(revision, steps int) {
		t.Helper()
		m, done, err := r.Use(t.Context(), "tint")
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		if m.Revision != revision || len(m.Classifier.Spec().Steps) != steps {
			t.Errorf("revision %d with %d steps answers, want %d with %d", m.Revision, len(m.Classifier.Spec().Steps), revision, steps)
		}
	}
	check(0, 0)
	if _, err := store.SetPipeline("tint", "p.yaml", []byte("steps: [greyscale]")); err != nil {
		t.Fatal(err)
	}
	check(1, 1)
	if _, err := store.RollBack("tint"); err != nil {
		t.Fatal(err)
	}
	check(0, 0)
}

// TestAPinnedModelsRevision: what answers for as long as the server runs takes a pipeline
// that is set meanwhile too, on the session it has.
func TestAPinnedModelsRevision(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	m, done, err := r.Pin(t.Context(), "tint")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if now, err := r.Fresh(m); err != nil || now != m {
		t.Errorf("Fresh = %p, %v; want the same model, %p", now, err, m)
	}
	if _, err := store.SetPipeline("tint", "p.yaml", []byte("steps: [greyscale]")); err != nil {
		t.Fatal(err)
	}
	used, _ := r.Memory()
	now, err := r.Fresh(m)
	if err != nil || now.Revision != 1 || len(now.Classifier.Spec().Steps) != 1 || len(m.Classifier.Spec().Steps) != 0 {
		t.Fatalf("revision %d, %v; want 1, and the old model as it was", now.Revision, err)
	}
	red := imageio.New(servingtest.Side, servingtest.Side)
	for i := 0; i < len(red.Pix); i += 3 {
		red.Pix[i] = 255
	}
	for _, tt := range []struct {
		m    *serving.Model
		most float32 // of the best score
		name string
	}{{m, 1, "red"}, {now, 0.34, "red"}} {
		said, err := tt.m.Classifier.Classify(t.Context(), red, 0, 1)
		if err != nil || said[0].Name != tt.name || said[0].Score > tt.most {
			t.Errorf("revision %d says %v, %v; want %s with %v at most", tt.m.Revision, said, err, tt.name, tt.most)
		}
	}
	other, release, err := r.Use(t.Context(), "tint")
	if again, _ := r.Memory(); err != nil || other.Revision != 1 || again != used {
		t.Errorf("revision %d, %v, %d bytes; want 1 and %d bytes", other.Revision, err, again, used)
	}
	release()
}

func BenchmarkLoadUnload(b *testing.B) {
	r, _ := servingtest.Open(b, 0)
	for b.Loop() {
		if err := r.Load(b.Context(), "tint"); err != nil {
			b.Fatal(err)
		}
		if err := r.Unload(b.Context(), "tint"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUse(b *testing.B) {
	r, _ := servingtest.Open(b, 0)
	for b.Loop() {
		_, done, err := r.Use(b.Context(), "tint")
		if err != nil {
			b.Fatal(err)
		}
		done()
	}
}
