package learn

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/imageio"
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
// what is better on the other. So it does on the same pictures put together by fours, whose
// objects are half as large on any input. Each way is a benchmark of its own, for a quarter of
// the usual epochs and for all of them.
func BenchmarkBoxes(b *testing.B) {
	root := os.Getenv("TRILOBITE_DATA")
	if root == "" {
		b.Skip("it trains on bccd: TRILOBITE_DATA names the folder of reference data that has it")
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
		{"usual", 0, 1, ""}, {"rate 1e-3", 1e-3, 1, ""}, {"rate 4e-3", 4e-3, 1, ""},
		{"side 1.4", 0, math.Sqrt2, ""}, {"side 2", 0, 2, ""}, {"unfrozen 1", 0, 1, "1"},
	} {
		for _, part := range []int{trialPart, 1} {
			for _, pictures := range []string{"alone", "by fours"} {
				b.Run(fmt.Sprintf("%s, 1 of %d epochs, %s", way.name, part, pictures), func(b *testing.B) {
					set := found.Set
					if pictures != "alone" {
						set = byFours(b, set)
					}
					for b.Loop() {
						p := detection.Params{Backbone: backbone, Seed: seed, Rate: way.rate, Unfreeze: way.unfreeze}
						p.Epochs = detection.Epochs(len(set.Part(dataset.Train))*4/5) / part
						e.reportBoxes(b, set, way.side, p)
					}
				})
			}
		}
	}
}

// byFours returns the set with each four pictures of a part, of one size, put together as one.
func byFours(b *testing.B, set *dataset.Set) *dataset.Set {
	b.Helper()
	out := *set
	out.Images = nil
	dir := b.TempDir()
	for _, split := range []string{dataset.Train, dataset.Val} {
		for four := range slices.Chunk(set.Part(split), 4) {
			if len(four) < 4 {
				break
			}
			w, h := set.Images[four[0]].W, set.Images[four[0]].H
			img := dataset.Image{File: filepath.Join(dir, fmt.Sprint(len(out.Images), ".png")), Split: split, W: 2 * w, H: 2 * h}
			all := imageio.New(2*w, 2*h)
			for k, i := range four {
				from := set.Images[i]
				data, err := os.ReadFile(from.File)
				if err != nil {
					b.Fatal(err)
				}
				m, err := imageio.Decode(b.Context(), data, imageio.Options{})
				if err != nil || m.W != w || m.H != h {
					b.Fatalf("%s: %v", from.File, err)
				}
				left, top := k%2*w, k/2*h
				for y := range h {
					copy(all.Pix[3*((top+y)*2*w+left):], m.Pix[3*y*w:3*(y+1)*w])
				}
				for _, o := range from.Objects {
					o.Box.X, o.Box.Y = o.Box.X+float64(left), o.Box.Y+float64(top)
					img.Objects = append(img.Objects, o)
				}
			}
			data, err := all.EncodePNG()
			if err == nil {
				err = os.WriteFile(img.File, data, 0o600)
			}
			if err != nil {
				b.Fatal(err)
			}
			out.Images = append(out.Images, img)
		}
	}
	return &out
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
