package detection

import (
	"context"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/dataset"
	"trilobite/detect"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/metric"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/runs"
)

// Evaluate measures a trained network on d's pictures, from their files, as it is served,
// and draws the worst answers. Pictures that cannot be read are left out.
func Evaluate(ctx context.Context, rt *ort.Runtime, d Data, g *onnx.Graph, o ort.Options) (*runs.Evaluation, error) {
	data, err := onnx.Marshal(g)
	if err != nil {
		return nil, err
	}
	o.Name, o.MaxQueue = "the trained detector", 1<<20
	session, err := rt.LoadBytes(ctx, data, o)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	det, err := detect.New(session, detect.Config{Pipeline: d.Spec, Decoder: Decoder, Labels: d.Set.Classes})
	if err != nil {
		return nil, err
	}
	seen := make([][]trilobite.Detection, len(d.Set.Images))
	group, some := errgroup.WithContext(ctx)
	group.SetLimit(max(1, 2*rt.Cores()))
	for k, p := range d.Set.Images {
		group.Go(func() error {
			img, err := load(some, p.File, det.Loading())
			if err != nil {
				return nil //nolint:nilerr // the training has reported it
			}
			seen[k], err = det.Detect(some, img, 0)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	e := figures(d.Set, seen)
	e.Worst = worst(ctx, d.Set, seen)
	return e, ctx.Err()
}

func load(ctx context.Context, file string, o imageio.Options) (*imageio.Image, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return imageio.Decode(ctx, data, o)
}

// figures are COCO's, over all classes and of each.
func figures(set *dataset.Set, seen [][]trilobite.Detection) *runs.Evaluation {
	var truth []metric.Truth
	var found []metric.Prediction
	objects := make([]int64, len(set.Classes))
	for k, img := range set.Images {
		for _, o := range img.Objects {
			truth = append(truth, metric.Truth{Image: k, Class: o.Class, Box: o.Box, Area: o.Area, Crowd: o.Crowd})
			objects[o.Class]++
		}
		found = append(found, predictions(k, seen[k])...)
	}
	c := metric.COCOBoxes(truth, found)
	e := &runs.Evaluation{Images: len(set.Images), Columns: []string{"AP", "AP50"}}
	for _, f := range []struct {
		name  string
		value float64
	}{{"AP", c.AP}, {"AP50", c.AP50}, {"AP75", c.AP75}, {"AR100", c.AR100}} {
		e.Figures = append(e.Figures, runs.Figure{Name: f.name, Value: runs.Number(f.value)})
	}
	for class, name := range set.Classes {
		curve, ok := c.Curves50[class]
		if !ok {
			continue
		}
		recall, ap50 := make([]float64, len(curve)), runs.Number(c.AP50Of(class))
		for i := range recall {
			recall[i] = float64(i) / float64(len(curve)-1)
		}
		e.Classes = append(e.Classes, runs.ClassFigures{Name: name, Samples: objects[class], Values: []runs.Number{runs.Number(c.ByClass[class]), ap50}})
		e.Curves = append(e.Curves, runs.Curve{Class: name, AP: ap50, Recall: recall, Precision: curve})
	}
	return e
}

func predictions(image int, all []trilobite.Detection) []metric.Prediction {
	out := make([]metric.Prediction, len(all))
	for i, d := range all {
		x, y, w, h := d.Box.XYWH()
		out[i] = metric.Prediction{
			Image: image, Class: d.Class, Score: float64(d.Score),
			Box: geom.Rect{X: float64(x), Y: float64(y), W: float64(w), H: float64(h)},
		}
	}
	return out
}

const (
	shown = 12  // pictures of the worst
	sure  = 0.5 // score from which a box is drawn, and counts as an answer here
)

// mistakes counts, at IoU 0.5, objects that were missed and boxes that are none of them.
func mistakes(objects []dataset.Object, boxes []trilobite.Detection) (missed, wrong int) {
	taken := make([]bool, len(objects))
	for _, b := range boxes {
		best, at := float32(0.5), -1
		for k, o := range objects {
			if iou := geom.IoU(corners(o.Box), b.Box); o.Class == b.Class && !taken[k] && iou >= best {
				best, at = iou, k
			}
		}
		if at < 0 {
			wrong++
			continue
		}
		taken[at] = true
	}
	for _, t := range taken {
		if !t {
			missed++
		}
	}
	return missed, wrong
}

// worst draws the pictures with most mistakes, truth beside answer.
func worst(ctx context.Context, set *dataset.Set, seen [][]trilobite.Detection) []runs.Picture {
	type row struct {
		image         dataset.Image
		found         []trilobite.Detection
		missed, wrong int
	}
	var rows []row
	for k, img := range set.Images {
		r := row{image: img}
		r.found = slices.DeleteFunc(slices.Clone(seen[k]), func(d trilobite.Detection) bool { return d.Score < sure })
		r.missed, r.wrong = mistakes(slices.DeleteFunc(slices.Clone(r.image.Objects), func(o dataset.Object) bool { return o.Crowd }), r.found)
		if r.missed+r.wrong > 0 {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return b.missed + b.wrong - a.missed - a.wrong })
	var out []runs.Picture
	for _, r := range rows[:min(shown, len(rows))] {
		p, err := picture(ctx, set, r.image, r.found)
		if err != nil {
			continue // the training has reported a picture that cannot be read
		}
		p.Note = fmt.Sprintf("%d missed, %d too many", r.missed, r.wrong)
		p.Truth = fmt.Sprintf("%d objects", len(r.image.Objects))
		p.Predicted = fmt.Sprintf("%d boxes of %.0f %% or more", len(r.found), 100*sure)
		out = append(out, p)
	}
	return out
}
