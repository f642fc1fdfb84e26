package learn

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trilobite/dataset"
	"trilobite/dataset/open"
	"trilobite/metric"
	"trilobite/ort"
	"trilobite/zoo"
)

const splits = 10 // of each set, two thirds to learn from

// BenchmarkCalibration compares confidences of images that were not seen before and after
// their temperature, over seeded splits of data sets: the reference ones, or those that
// TRILOBITE_SETS lists, by commas. Samples of several splits are judged together, since the
// ECE of few rises with chance alone; in parentheses is where 95 % of bootstraps over
// images lie, of the change.
func BenchmarkCalibration(b *testing.B) {
	root := os.Getenv("TRILOBITE_DATA")
	sets := []string{"hymenoptera", "pizza_steak_sushi", "aws_cookies"}
	if given := os.Getenv("TRILOBITE_SETS"); given != "" {
		root, sets = "", strings.Split(given, ",")
	} else if root == "" {
		b.Skip("TRILOBITE_DATA is not set")
	}
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		b.Fatal(err)
	}
	e := &Engine{Runtime: rt, Puller: zoo.Puller{Store: zoo.NewStore(b.TempDir()), Packages: "../.deps", Log: io.Discard}}
	for _, name := range sets {
		b.Run(filepath.Base(name), func(b *testing.B) {
			found, err := open.Dataset(filepath.Join(root, name), open.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				e.reportCalibration(b, found.Set)
			}
		})
	}
}

// judged is a decision of a split's model about an image that it had not seen.
type judged struct {
	image       int
	before, now []float64 // scores
	class       int
}

func (e *Engine) reportCalibration(b *testing.B, set *dataset.Set) {
	b.Helper()
	several := slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return len(img.Classes) > 1 })
	set.Images = slices.DeleteFunc(set.Images, func(img dataset.Image) bool { return len(img.Classes) == 0 })
	read := readingOf(several)
	card, net, err := e.Puller.Backbone(b.Context(), backbone, len(set.Classes))
	if err != nil {
		b.Fatal(err)
	}
	before, _, err := cut(net, 0)
	if err != nil {
		b.Fatal(err)
	}
	f, err := e.extract(b.Context(), before, card.Pipeline, set.Images, change{}, func(int) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	var all []judged
	mean := 0.0
	for n := range splits {
		some, rows, out := *set, &features{}, []int{}
		some.Images = nil
		for _, i := range rand.New(rand.NewPCG(99, uint64(n))).Perm(len(set.Images)) {
			if f.rows[i] == nil {
				continue
			}
			if len(some.Images) < 2*len(set.Images)/3 {
				some.Images, rows.rows = append(some.Images, set.Images[i]), append(rows.rows, f.rows[i])
			} else {
				out = append(out, i)
			}
		}
		h, err := learnHeads(b.Context(), e.Runtime, rows, some.Images, len(set.Classes), several, foldsOf(&some, several), usualSetting, 0)
		if err != nil {
			b.Fatal(err)
		}
		t := temperature(read.samples(h.logits, some.Images))
		mean += math.Log(t) / splits
		for _, i := range out {
			decisions, classes := read.samples([][]float64{h.layers[len(h.layers)-1].logits(f.rows[i][0])}, set.Images[i:i+1])
			for k, row := range decisions {
				all = append(all, judged{i, scaled(row, 1), scaled(row, t), classes[k]})
			}
		}
	}
	once := slices.Repeat([]float64{1}, len(set.Images))
	was, is := figuresOf(all, once, func(j judged) []float64 { return j.before }), figuresOf(all, once, func(j judged) []float64 { return j.now })
	r, changes := rand.New(rand.NewPCG(5, 5)), [3][]float64{}
	for range 200 {
		often := make([]float64, len(set.Images))
		for range often {
			often[r.IntN(len(often))]++
		}
		x, y := figuresOf(all, often, func(j judged) []float64 { return j.before }), figuresOf(all, often, func(j judged) []float64 { return j.now })
		for k := range changes {
			changes[k] = append(changes[k], y[k]-x[k])
		}
	}
	text := fmt.Sprintf("%d images, %d classes, %d decisions, temperature %.2f", len(set.Images), len(set.Classes), len(all), math.Exp(mean))
	for k, what := range []string{"cross-entropy", "Brier", "ECE"} {
		slices.Sort(changes[k])
		text += fmt.Sprintf("; %s %.4f, %.4f (%+.4f to %+.4f)", what, was[k], is[k], changes[k][5], changes[k][194])
	}
	b.Log(text)
}

// figuresOf are the mean cross-entropy, the Brier score and the ECE of decisions, each
// counted as often as its image.
func figuresOf(all []judged, often []float64, scores func(judged) []float64) (out [3]float64) {
	c, sum := metric.NewCalibration(15), 0.0
	for _, j := range all {
		n, p, best := often[j.image], scores(j), 0
		for k, x := range p {
			d := x
			if k == j.class {
				d--
			}
			out[1] += n * d * d
			if x > p[best] {
				best = k
			}
		}
		out[0] -= n * math.Log(max(p[j.class], 1e-12))
		for range int(n) {
			c.Add(p[best], best == j.class)
		}
		sum += n
	}
	return [3]float64{out[0] / sum, out[1] / sum, c.ECE()}
}
