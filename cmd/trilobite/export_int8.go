package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/config"
	"trilobite/dataset"
	"trilobite/evaluate"
	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/quantize"
	"trilobite/tensor"
	"trilobite/zoo"
)

// quantised are a model's figures in floats and in eight-bit integers.
type quantised struct {
	Pictures int        `json:"calibrated_on"`
	Measured int        `json:"measured_on"`
	Measure  string     `json:"measure"`  // top-1, mAP, AP or mIoU
	Accuracy [2]float64 `json:"accuracy"` // before and after, 0 to 1
	Millis   [2]float64 `json:"milliseconds"`

	Unmatched []string `json:"unmatched_classes,omitempty"` // of the data set, which the model does not know
}

func (q *quantised) print(w io.Writer) {
	fmt.Fprintf(w, "calibrated on\t%d pictures\n", q.Pictures)
	fmt.Fprintf(w, "%s\t%.4f, was %.4f, on %d pictures\n", q.Measure, q.Accuracy[1], q.Accuracy[0], q.Measured)
	if len(q.Unmatched) > 0 {
		fmt.Fprintf(w, "classes the model does not know\t%s\n", strings.Join(q.Unmatched, ", "))
	}
	fmt.Fprintf(w, "a picture\t%.1f ms, was %.1f ms: %.2f times as fast\n", q.Millis[1], q.Millis[0], q.Millis[0]/q.Millis[1])
}

// quantise makes the eight-bit graph of a model and measures both.
func quantise(cmd *cobra.Command, c config.Config, m zoo.Model, g *onnx.Graph, labels zoo.Labels, f exportFlags) (*onnx.Graph, *quantised, error) {
	ctx := cmd.Context()
	found, err := openDataset(cmd, c, f.calibration, f.data)
	if err != nil {
		return nil, nil, err
	}
	whole := found.Set.Existing()
	set, shown := testPart(whole), calibrationPart(whole, f.images)
	q := &quantised{Measured: len(set.Images)}
	if q.Unmatched, err = evaluate.Comparable(evaluate.Model{Ref: m.Ref(), Task: m.Task, Labels: labels}, set, found.ByIndex); err != nil {
		return nil, nil, err
	}
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, nil, err
	}
	ranges, err := quantize.Calibrate(ctx, rt, g, fed(ctx, m.Pipeline, shown, &q.Pictures))
	if err != nil {
		return nil, nil, fmt.Errorf("calibrating %s: %w", m.Ref(), err)
	}
	small, err := quantize.Static(g, ranges)
	if err != nil {
		return nil, nil, err
	}
	graphs := [2]*onnx.Graph{g, small}
	if q.Millis, err = timeOf(ctx, rt, graphs, m.Pipeline); err != nil {
		return nil, nil, err
	}
	for i, graph := range graphs {
		if q.Measure, q.Accuracy[i], err = accuracyOf(cmd, c, m, graph, labels, set, found.ByIndex); err != nil {
			return nil, nil, err
		}
	}
	return small, q, nil
}

// calibrationPart returns pictures to calibrate with: of the training part where there is
// one, spread evenly.
func calibrationPart(set *dataset.Set, most int) []dataset.Image {
	var images []dataset.Image
	for _, i := range set.Part(dataset.Train) {
		images = append(images, set.Images[i])
	}
	if len(images) == 0 {
		images = set.Images
	}
	if most < 1 || len(images) <= most {
		return images
	}
	some := make([]dataset.Image, most)
	for i := range some {
		some[i] = images[i*len(images)/most]
	}
	return some
}

// fed prepares pictures as the model is fed them, and counts them; those that cannot be read
// are left out.
func fed(ctx context.Context, spec pipeline.Spec, images []dataset.Image, used *int) iter.Seq2[*tensor.Tensor, error] {
	return func(yield func(*tensor.Tensor, error) bool) {
		for _, img := range images {
			data, err := os.ReadFile(img.File)
			if err != nil {
				yield(nil, err)
				return
			}
			seen, err := imageio.Decode(ctx, data, imageio.Options{MinSide: spec.MinSide()})
			if trilobite.CodeOf(err) == trilobite.InvalidImage {
				continue
			} else if err != nil {
				yield(nil, fmt.Errorf("%s: %w", img.File, err))
				return
			}
			*used++
			x, _, err := spec.Apply(seen)
			if !yield(x, err) {
				return
			}
		}
	}
}

// timedRuns is how many runs a median is of.
const timedRuns = 31

// timeOf returns the median time of a picture with each of two graphs, milliseconds, on all
// cores. They take turns, so that what else the machine does slows both.
func timeOf(ctx context.Context, rt *ort.Runtime, graphs [2]*onnx.Graph, spec pipeline.Spec) (millis [2]float64, err error) {
	var models [2]*ort.Model
	for i, g := range graphs {
		data, err := onnx.Marshal(g)
		if err != nil {
			return millis, err
		}
		if models[i], err = rt.LoadBytes(ctx, data, ort.Options{Name: "timed"}); err != nil {
			return millis, err
		}
		defer models[i].Close()
	}
	x := tensor.Of(spec.Shape(), make([]float32, tensor.Size(spec.Shape())))
	var times [2][]time.Duration
	for run := range timedRuns + 3 {
		for i, m := range models {
			start := time.Now()
			out, err := m.Run(ctx, []*tensor.Tensor{x})
			if err != nil {
				return millis, err
			}
			m.Recycle(out)
			if run >= 3 { // the first ones allocate
				times[i] = append(times[i], time.Since(start))
			}
		}
	}
	for i := range times {
		slices.Sort(times[i])
		millis[i] = float64(times[i][timedRuns/2].Microseconds()) / 1000
	}
	return millis, nil
}

// accuracyOf measures a graph in place of the model's, as `trilobite eval` does.
func accuracyOf(cmd *cobra.Command, c config.Config, m zoo.Model, g *onnx.Graph, labels zoo.Labels, set *dataset.Set, byIndex bool) (string, float64, error) {
	home, remove, err := tempStore(m, g, labels)
	if err != nil {
		return "", 0, err
	}
	defer remove()
	c.Home, c.Models = home, []string{m.Name}
	var r *evaluate.Result
	if m.Task == zoo.Segment {
		r, err = evalSegmenter(cmd, c, m.Name, set, byIndex)
	} else {
		r, err = evalLoaded(cmd, c, set, byIndex)
	}
	switch {
	case err != nil:
		return "", 0, err
	case r.COCO != nil:
		return "AP", r.COCO.AP, nil
	case r.Top1 != nil:
		return "top-1", *r.Top1, nil
	case r.Several != nil:
		return "mAP", r.Several.MAP, nil
	default:
		return "mIoU", r.Pixels.MIoU, nil
	}
}
