package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/dataset/open"
	"trilobite/evaluate"
	"trilobite/metric"
	"trilobite/zoo"
)

func newEvalCmd(app *App) *cobra.Command {
	var o open.Options
	var asJSON bool
	var dump, file string
	cmd := &cobra.Command{
		Use:   "eval MODEL DATASET",
		Short: "Measure a model on a labelled data set",
		Long: `Measures a detector's average precision, as pycocotools does, of each class too, a
classifier's top-1 and top-5 accuracy, with each class's precision and recall, the mean AP and F1 of one
that decides on each label by itself, or a segmentation's mean IoU over all pixels at the masks' own size;
--json has the confusion matrix as well.
DATASET is a folder or a file of any format in docs/datasets.md, or an imported name; of one with parts, the test
part is used, or where there is none the validation part.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := app.openDataset(cmd, args[1], o)
			if err != nil {
				return err
			}
			whole := found.Set.Existing()
			set := testPart(whole)
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			if file != "" {
				now, tried, err := evalPipeline(cmd, c, args[0], file, set, found.ByIndex)
				if err != nil {
					return err
				}
				return printEffect(cmd.OutOrStdout(), now, tried, asJSON)
			}
			r, err := evalAny(cmd, c, args[0], set, found.ByIndex)
			if err != nil {
				return err
			}
			r.LeftOut += len(whole.Dropped)
			for _, d := range whole.Dropped {
				fmt.Fprintf(cmd.ErrOrStderr(), "left out: %s\n", d)
			}
			if dump != "" {
				if err := dumpCOCO(dump, set, r.Found); err != nil {
					return err
				}
			}
			return printResult(cmd.OutOrStdout(), r, asJSON)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	addDatasetFlags(fl, &o)
	fl.StringVar(&dump, "dump", "", "also write truth and boxes as COCO JSON to this `file`, for other tools to judge")
	fl.StringVar(&file, "pipeline", "", "measure with this pipeline `file` too, and print the difference")
	cmd.MarkFlagsMutuallyExclusive("pipeline", "dump")
	return cmd
}

// testPart returns the images for testing, or else for validation, of a set with parts;
// all of any other.
func testPart(set *dataset.Set) *dataset.Set {
	for _, part := range []string{dataset.Test, dataset.Val} {
		other := func(img dataset.Image) bool { return img.Split != part }
		if images := slices.DeleteFunc(slices.Clone(set.Images), other); len(images) > 0 {
			some := *set
			some.Images = images
			return &some
		}
	}
	return set
}

// evalAny measures a model of any task.
func evalAny(cmd *cobra.Command, c config.Config, model string, set *dataset.Set, byIndex bool) (*evaluate.Result, error) {
	if card, err := zoo.NewStore(c.Home).Get(model); err == nil && card.Task == zoo.Segment {
		return evalSegmenter(cmd, c, model, set, byIndex)
	}
	c.Models = []string{model}
	return evalLoaded(cmd, c, set, byIndex)
}

// evalSegmenter measures a model that names pixels.
func evalSegmenter(cmd *cobra.Command, c config.Config, model string, set *dataset.Set, byIndex bool) (*evaluate.Result, error) {
	s, err := openSegmenter(cmd.Context(), c, model)
	if err != nil {
		return nil, err
	}
	defer s.close()
	labels, err := s.card.ReadLabels()
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(set.Images, func(img dataset.Image) bool { return img.Mask != "" }) {
		if set, err = masks.Outlined(set); err != nil {
			return nil, err
		}
	}
	if len(set.Images) == 0 {
		return nil, fmt.Errorf("no picture has a mask or outlines to measure %s on", s.card.Ref())
	}
	b := newBar(cmd.ErrOrStderr(), len(set.Images))
	defer b.done()
	var dropped []dataset.Dropped
	seen, unmatched, err := evaluate.Segment(cmd.Context(), s.Segmenter, labels, set, evaluate.Options{
		Parallel: 2 * s.cores, Step: b.step, ByIndex: byIndex,
		Skip: func(i int, err error) {
			dropped = append(dropped, dataset.Dropped{File: set.Images[i].File, Reason: errorText(err)})
		},
	})
	if err != nil {
		return nil, err
	}
	for _, d := range dropped {
		fmt.Fprintf(cmd.ErrOrStderr(), "left out: %s\n", d)
	}
	if len(dropped) == len(set.Images) {
		return nil, fmt.Errorf("none of %d pictures with masks can be used", len(dropped))
	}
	r := seen.Result(s.card.Ref(), set, unmatched)
	r.Images, r.LeftOut = r.Images-len(dropped), len(dropped)
	return r, nil
}

// evalLoaded measures the one configured model, a detector or a classifier.
func evalLoaded(cmd *cobra.Command, c config.Config, set *dataset.Set, byIndex bool) (*evaluate.Result, error) {
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, err
	}
	engine, err := loadEngine(cmd.Context(), rt, c)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	card := engine.Models()[0]
	labels, err := card.ReadLabels()
	if err != nil {
		return nil, err
	}
	b := newBar(cmd.ErrOrStderr(), len(set.Images))
	defer b.done()
	return evaluate.Run(cmd.Context(),
		evaluate.Model{Analyzer: engine, Ref: card.Ref(), Task: card.Task, Labels: labels, Several: card.Decoder.Name == "sigmoid"}, set,
		evaluate.Options{Parallel: 2 * engine.Cores(), Step: b.step, ByIndex: byIndex})
}

// mostClasses is up to how many classes are printed one by one.
const mostClasses = 50

func printResult(w io.Writer, r *evaluate.Result, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(w, "model\t%s\nimages\t%d\n", r.Model, r.Images)
	if r.LeftOut > 0 {
		fmt.Fprintf(w, "left out\t%d\n", r.LeftOut)
	}
	if r.COCO != nil {
		fmt.Fprintf(w, "AP\t%.4f\nAP50\t%.4f\nAP75\t%.4f\nAR100\t%.4f\n", r.COCO.AP, r.COCO.AP50, r.COCO.AP75, r.COCO.AR100)
		if len(r.Objects) <= mostClasses {
			for _, o := range r.Objects {
				fmt.Fprintf(w, "class %s\tobjects %d\tAP %.4f\tAP50 %.4f\n", o.Name, o.Count, o.AP, o.AP50)
			}
		}
	}
	if r.Top1 != nil {
		fmt.Fprintf(w, "top-1\t%.4f\ntop-5\t%.4f\n", *r.Top1, *r.Top5)
		if len(r.Classes) <= mostClasses {
			for _, c := range r.Classes {
				fmt.Fprintf(w, "class %s\timages %d\tprecision %.4f\trecall %.4f\n", c.Name, c.Images, c.Precision, c.Recall)
			}
		}
	}
	if s := r.Several; s != nil {
		fmt.Fprintf(w, "labelled images\t%d\nmAP\t%.4f\nmean F1\t%.4f\n", s.Images, s.MAP, s.F1)
		if len(s.Labels) <= mostClasses {
			for _, l := range s.Labels {
				fmt.Fprintf(w, "label %s\timages %d\tAP %.4f\tF1 %.4f\tprecision %.4f\trecall %.4f\n", l.Name, l.Images, l.AP, l.F1, l.Precision, l.Recall)
			}
		}
	}
	if p := r.Pixels; p != nil {
		fmt.Fprintf(w, "mIoU\t%.4f\npixel accuracy\t%.4f\n", p.MIoU, p.Accuracy)
		for _, c := range p.Classes {
			fmt.Fprintf(w, "class %s\tpixels %d\tIoU %.4f\tprecision %.4f\trecall %.4f\n", c.Name, c.Pixels, c.IoU, c.Precision, c.Recall)
		}
	}
	if len(r.Unmatched) > 0 {
		fmt.Fprintf(w, "classes the model does not know\t%s\n", strings.Join(r.Unmatched, ", "))
	}
	return nil
}

// cocoDump is truth and boxes in COCO's forms: pycocotools reads Truth as a data set
// and Found with loadRes.
type cocoDump struct {
	Truth struct {
		Images      []map[string]int `json:"images"`
		Annotations []cocoBox        `json:"annotations"`
		Categories  []map[string]int `json:"categories"`
	} `json:"truth"`
	Found []cocoBox `json:"found"`
}

type cocoBox struct {
	ID       int        `json:"id,omitempty"`
	Image    int        `json:"image_id"`
	Category int        `json:"category_id"`
	Box      [4]float64 `json:"bbox"` // x, y, width, height
	Area     float64    `json:"area,omitempty"`
	Crowd    int        `json:"iscrowd"`
	Score    float64    `json:"score,omitempty"`
}

func dumpCOCO(path string, set *dataset.Set, found []metric.Prediction) error {
	var d cocoDump
	for i := range set.Images {
		d.Truth.Images = append(d.Truth.Images, map[string]int{"id": i})
	}
	for i := range set.Classes {
		d.Truth.Categories = append(d.Truth.Categories, map[string]int{"id": i})
	}
	for i, t := range set.Truth() {
		b := cocoBox{ID: i + 1, Image: t.Image, Category: t.Class, Box: [4]float64{t.Box.X, t.Box.Y, t.Box.W, t.Box.H}, Area: t.Area}
		if t.Crowd {
			b.Crowd = 1
		}
		d.Truth.Annotations = append(d.Truth.Annotations, b)
	}
	for _, p := range found {
		d.Found = append(d.Found, cocoBox{Image: p.Image, Category: p.Class, Box: [4]float64{p.Box.X, p.Box.Y, p.Box.W, p.Box.H}, Score: p.Score})
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
