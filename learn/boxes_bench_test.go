package learn

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/ort"
	"trilobite/runs"
	"trilobite/train"
	"trilobite/train/detection"
	"trilobite/train/transfer"
	"trilobite/zoo"
)

// BenchmarkBoxes trains detectors in several ways on TRILOBITE_DATA's bccd, a fifth of whose
// training part is held out as in a training of boxes, and logs COCO's AP and AP50 of it and
// of the validation part, which none of them sees: whether a search by the one would find
// what is better on the other. Each way is a benchmark of its own, for a quarter of the
// usual epochs and for all of them.
func BenchmarkBoxes(b *testing.B) {
	root := os.Getenv("TRILOBITE_DATA")
	if root == "" {
		b.Skip("TRILOBITE_DATA is not set")
	}
	found, err := open.Dataset(filepath.Join(root, "bccd"), open.Options{})
	if err != nil {
		b.Fatal(err)
	}
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		b.Fatal(err)
	}
	e := &Engine{Runtime: rt, Puller: zoo.Puller{Store: zoo.NewStore(b.TempDir()), Packages: "../.deps", Log: io.Discard}}
	for _, way := range []struct {
		name     string
		rate     float64
		side     float64 // of the input, times the usual one
		unfreeze string
	}{
		{"usual", 0, 1, ""}, {"rate 1e-3", 1e-3, 1, ""}, {"rate 4e-3", 4e-3, 1, ""}, {"rate 8e-3", 8e-3, 1, ""},
		{"side 0.7", 0, 0.71, ""}, {"side 1.4", 0, 1.41, ""}, {"unfrozen 1", 0, 1, "1"},
	} {
		for _, epochs := range []int{5, 18} {
			b.Run(fmt.Sprintf("%s, %d epochs", way.name, epochs), func(b *testing.B) {
				for b.Loop() {
					e.reportBoxes(b, found.Set, way.side, detection.Params{Backbone: backbone, Seed: seed, Epochs: epochs, Rate: way.rate, Unfreeze: way.unfreeze})
				}
			})
		}
	}
}

func (e *Engine) reportBoxes(b *testing.B, set *dataset.Set, side float64, p detection.Params) {
	b.Helper()
	part := func(set *dataset.Set, name string) *dataset.Set {
		some := *set
		some.Images = nil
		for _, i := range set.Part(name) {
			some.Images = append(some.Images, set.Images[i])
		}
		return &some
	}
	learned := part(set, dataset.Train).HoldOut(heldOut, seed)
	card, classifier, err := e.Puller.Backbone(b.Context(), backbone, len(set.Classes))
	if err != nil {
		b.Fatal(err)
	}
	spec := transfer.SpecOf(learned, card.Pipeline)
	round := func(v int) int { return int(float64(v)*side/32+0.5) * 32 }
	spec.Width, spec.Height = round(spec.Width), round(spec.Height)
	net, err := detection.NewNetwork(p, card.Convert.Network, classifier, len(set.Classes), spec)
	if err != nil {
		b.Fatal(err)
	}
	m, err := detection.Train(b.Context(), e.Runtime, detection.Data{Set: learned, Network: net, Spec: spec}, p, train.Options{})
	if err != nil {
		b.Fatal(err)
	}
	text := fmt.Sprintf("%d×%d", spec.Width, spec.Height)
	for _, x := range []*dataset.Set{part(learned, dataset.Val), part(set, dataset.Val)} {
		v, err := detection.Evaluate(b.Context(), e.Runtime, detection.Data{Set: x, Spec: spec}, m.Graph, ort.Options{})
		if err != nil {
			b.Fatal(err)
		}
		text += fmt.Sprintf("; %d pictures: %s", len(x.Images), figuresText(v.Figures))
	}
	b.Log(text)
}

func figuresText(figures []runs.Figure) (text string) {
	for _, f := range figures[:2] {
		text += fmt.Sprintf(" %s %.4f", f.Name, float64(f.Value))
	}
	return text
}
