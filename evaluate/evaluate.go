// Package evaluate measures a loaded model on a labelled data set: average precision
// for detectors, top-1 and top-5 accuracy for classifiers, or mean average precision of
// those that decide on each class by itself (several.go), mean IoU for segmentation.
//
// Images take the way that requests take, through label.Engine, so that a figure is
// what clients get; segmentation (segment.go) takes that of `trilobite segment`. Start at
// Run; match.go pairs the model's classes with the set's.
package evaluate

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/metric"
	"trilobite/zoo"
)

// Analyzer looks at one image; label.Engine is one.
type Analyzer interface {
	Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error)
}

// Model is what is measured.
type Model struct {
	Analyzer Analyzer
	Ref      string // name or name@version, one of the Analyzer's
	Task     string // zoo.Detect or zoo.Classify; of Comparable zoo.Segment too
	Labels   zoo.Labels
	// Several says that a classifier decides on each class by itself: decoder "sigmoid".
	Several bool
}

// Options of Run.
type Options struct {
	Parallel int    // images at a time
	Step     func() // called after each image; may be nil
	// ByIndex says that the set's class numbers are the model's.
	ByIndex bool
	// Skip is told of an image that Segment cannot use and leaves out; nil: it ends there.
	Skip func(i int, err error)
}

// Result is a model's figures on a set.
type Result struct {
	Model     string              `json:"model"`
	Images    int                 `json:"images"`
	LeftOut   int                 `json:"left_out,omitempty"`          // samples and labels of the whole set that could not be used
	Unmatched []string            `json:"unmatched_classes,omitempty"` // classes of the set that the model does not know
	COCO      *COCO               `json:"coco,omitempty"`              // detectors
	Objects   []Objects           `json:"objects,omitempty"`           // detectors: by class of the set
	Top1      *float64            `json:"top1,omitempty"`              // classifiers, 0 to 1
	Top5      *float64            `json:"top5,omitempty"`
	Classes   []Class             `json:"classes,omitempty"`   // classifiers: by class of the set
	Several   *Several            `json:"several,omitempty"`   // in place of these, of a Model with Several
	Confusion *Confusion          `json:"confusion,omitempty"` // classifiers, of images; segmentation, of pixels
	Pixels    *Pixels             `json:"segmentation,omitempty"`
	Found     []metric.Prediction `json:"-"` // detectors: every box, classes numbered as the set's
}

// Objects is how a detector does on the objects of one class, 0 to 1.
type Objects struct {
	Name  string  `json:"name"`
	Count int64   `json:"objects"` // in the truth, crowds left out
	AP    float64 `json:"ap"`
	AP50  float64 `json:"ap50"`
}

// Class is how a classifier does on one class, 0 to 1.
type Class struct {
	Name      string  `json:"name"`
	Images    int64   `json:"images"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
}

// Confusion counts first answers: Counts[truth][answer], classes as in Names. The last
// answer is any class that the set does not have.
type Confusion struct {
	Names  []string  `json:"names"`
	Counts [][]int64 `json:"counts"`
}

// mostConfused is how many classes have a confusion matrix: a larger one nobody reads.
const mostConfused = 256

// COCO are the main figures of COCO's detection challenge, 0 to 1.
type COCO struct {
	AP    float64 `json:"ap"` // mean over IoU 0.50 to 0.95
	AP50  float64 `json:"ap50"`
	AP75  float64 `json:"ap75"`
	AR100 float64 `json:"ar100"`
}

// Run measures m on every image of the set. An image that cannot be read ends it with
// an error that names the file.
func Run(ctx context.Context, m Model, set *dataset.Set, o Options) (*Result, error) {
	if _, err := Comparable(m, set, o.ByIndex); err != nil {
		return nil, err
	}
	to, unmatched := match(m.Labels, set.Classes, o.ByIndex)
	seen := make([]*trilobite.Analysis, len(set.Images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Parallel))
	for i, img := range set.Images {
		g.Go(func() error {
			data, err := os.ReadFile(img.File)
			if err != nil {
				return err
			}
			p := trilobite.AnalyzeParams{Objects: true, Labels: m.Task == zoo.Classify, Models: []string{m.Ref}}
			if seen[i], err = m.Analyzer.Analyze(ctx, data, p); err != nil {
				return fmt.Errorf("%s: %w", img.File, err)
			}
			if o.Step != nil {
				o.Step()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	r := &Result{Model: m.Ref, Images: len(set.Images), Unmatched: unmatched}
	if m.Task == zoo.Detect {
		r.Found = predictions(seen, to)
		c := metric.COCOBoxes(set.Truth(), r.Found)
		r.COCO = &COCO{c.AP, c.AP50, c.AP75, c.AR100}
		r.Objects = objectsOf(set, c)
		return r, nil
	}
	if m.Several {
		r.Several = severalOf(seen, set, to)
		return r, nil
	}
	rankings, classes := rankingsOf(seen, set, to)
	one, five := metric.TopK(rankings, classes, 1), metric.TopK(rankings, classes, 5)
	r.Top1, r.Top5 = &one, &five
	if len(set.Classes) <= mostConfused {
		r.Classes, r.Confusion = confuse(set.Classes, rankings, classes)
	}
	return r, nil
}

// predictions numbers the boxes' classes as the set does and leaves out those that
// it does not have.
func predictions(seen []*trilobite.Analysis, to map[int]int) []metric.Prediction {
	var all []metric.Prediction
	for i, a := range seen {
		for _, d := range a.Detections {
			if class, ok := to[d.Class]; ok {
				all = append(all, metric.Prediction{Image: i, Class: class, Box: rect(d.Box), Score: float64(d.Score)})
			}
		}
	}
	return all
}

// rect widens a box to the corner and size that COCO measures in.
func rect(b geom.Box) geom.Rect {
	x, y, w, h := b.XYWH()
	return geom.Rect{X: float64(x), Y: float64(y), W: float64(w), H: float64(h)}
}

// objectsOf lists the classes that have objects, in the set's order.
func objectsOf(set *dataset.Set, c metric.COCO) []Objects {
	counts := make([]int64, len(set.Classes))
	for _, t := range set.Truth() {
		if !t.Crowd {
			counts[t.Class]++
		}
	}
	var out []Objects
	for class, name := range set.Classes {
		if ap, ok := c.ByClass[class]; ok {
			out = append(out, Objects{name, counts[class], ap, c.AP50Of(class)})
		}
	}
	return out
}

// rankingsOf returns the ranking and the class of each image that has one class. A class
// that the set does not have keeps its place in the ranking, as −1.
func rankingsOf(seen []*trilobite.Analysis, set *dataset.Set, to map[int]int) (rankings [][]int, classes []int) {
	for i, a := range seen {
		if len(set.Images[i].Classes) != 1 {
			continue
		}
		ranking := make([]int, len(a.Classifications))
		for j, c := range a.Classifications {
			class, ok := to[c.Class]
			if !ok {
				class = -1
			}
			ranking[j] = class
		}
		rankings = append(rankings, ranking)
		classes = append(classes, set.Images[i].Classes[0])
	}
	return rankings, classes
}

// confuse counts first answers against the truth.
func confuse(names []string, rankings [][]int, classes []int) ([]Class, *Confusion) {
	n := len(names)
	c := metric.NewConfusion(n + 1)
	for i, class := range classes {
		answer := n
		if len(rankings[i]) > 0 && rankings[i][0] >= 0 {
			answer = rankings[i][0]
		}
		c.Add(class, answer)
	}
	out := &Confusion{Names: names, Counts: make([][]int64, n)}
	by := make([]Class, n)
	for t := range n {
		by[t] = Class{Name: names[t], Precision: c.Precision(t), Recall: c.Recall(t)}
		for a := range n + 1 {
			out.Counts[t] = append(out.Counts[t], c.Count(t, a))
			by[t].Images += c.Count(t, a)
		}
	}
	return by, out
}
