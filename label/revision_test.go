package label

import (
	"testing"

	"trilobite"
	"trilobite/imageio"
	"trilobite/serving/servingtest"
)

// TestRevision: an engine that answers takes a pipeline that is set meanwhile, and the way
// back.
func TestRevision(t *testing.T) {
	t.Parallel()
	r, store := servingtest.Open(t, 0)
	e, err := Open(t.Context(), r, []string{"tint"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	red := imageio.New(servingtest.Side, servingtest.Side)
	for i := 0; i < len(red.Pix); i += 3 {
		red.Pix[i] = 255
	}
	file, err := red.EncodePNG()
	if err != nil {
		t.Fatal(err)
	}
	best := func(revision int) float32 {
		t.Helper()
		a, err := e.Analyze(t.Context(), file, trilobite.AnalyzeParams{Labels: true})
		if err != nil || e.Models()[0].Revision != revision {
			t.Fatalf("revision %d answers, %v; want %d", e.Models()[0].Revision, err, revision)
		}
		return a.Classifications[0].Score
	}
	sure := best(0)
	if _, err := store.SetPipeline("tint", "p.yaml", []byte("steps: [greyscale]")); err != nil {
		t.Fatal(err)
	}
	if s := best(1); s > 0.34 || sure < 0.9 {
		t.Errorf("a red picture has %v, made grey %v; want near 1 and a third", sure, s)
	}
	if _, err := store.RollBack("tint"); err != nil {
		t.Fatal(err)
	}
	if s := best(0); s != sure {
		t.Errorf("rolled back it has %v, want %v again", s, sure)
	}
	if err := store.Remove("tint"); err != nil {
		t.Fatal(err)
	}
	best(0)
}
