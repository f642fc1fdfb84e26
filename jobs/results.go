package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"trilobite/custom"
	"trilobite/dataset/groundtruth"
	"trilobite/geom"
)

// writeResults judges what was learned and writes the evaluation and both manifests as
// they were used, the test one with what was predicted.
func (t *training) writeResults(ctx context.Context, r custom.TrainingResult, now time.Time) error {
	train, test := t.train.set(t.learning, t.classes), t.test.set(t.learning, t.classes)
	for _, list := range r.Predictions {
		if slices.ContainsFunc(list, func(p custom.Prediction) bool { return p.Class < 0 || p.Class >= len(t.classes) }) {
			return fmt.Errorf("the trainer predicts a class beyond its %d", len(t.classes))
		}
		if t.learning == custom.Boxes && slices.ContainsFunc(list, func(p custom.Prediction) bool { return p.Box == nil }) {
			return errors.New("the trainer predicts a box that is none")
		}
	}
	f, hits := evaluate(test, r, t.learning)
	all := aggregate{Precision: f.Precision, Recall: f.Recall, F1Score: f.F1}
	if t.learning == custom.Boxes {
		all.AveragePrecision, all.AverageRecall = &f.AP, &f.AR
	}
	for c, row := range f.Confusion {
		for d, v := range row {
			all.ConfusionMatrix = append(all.ConfusionMatrix, confusion{t.classes[c], t.classes[d], v})
		}
	}
	s := summaryFile{
		Version: 1,
		Details: details{
			ProjectVersionArn: t.version.ARN.String(), EvaluationEndTimestamp: now.UTC().Format("2006-01-02T15:04:05.000000"),
			Labels: t.classes, NumberOfTrainingImages: len(train.Images), NumberOfTestingImages: len(test.Images),
		},
		Aggregated: aggregated{all, all},
	}
	for _, x := range r.Tried {
		s.Search = append(s.Search, trial{
			x.Network, x.Size, x.Learned, x.Mirrored, x.Rate, x.Decay, x.Steps, x.Folds, x.Right, x.Loss, x.AP50, x.Seconds, x.Skipped, x.Chosen,
		})
	}
	if r.Calibration != nil {
		s.Calibration = &calibration{r.Calibration.Before, r.Calibration.After}
	}
	t.detail.Model = custom.ModelRef{Name: r.Model}
	for c, x := range f.Labels {
		at := threshold(r.Thresholds, c)
		s.Labels = append(s.Labels, labelled{t.classes[c], x.Images, labelMetrics{at, x.Precision, x.Recall, x.F1}})
		t.detail.Model.Labels = append(t.detail.Model.Labels, custom.LabelChoice{Name: t.classes[c], Threshold: at})
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	o, err := t.writeAt(ctx, fmt.Sprintf("EvaluationSummary-%s-%s.json", t.version.ARN.Project, t.version.ARN.Name), data)
	if err != nil {
		return err
	}
	t.detail.Evaluation = &custom.Evaluation{F1: f.F1, Summary: o}
	return t.writeSnapshots(ctx, r, hits, now)
}

// writeSnapshots writes the images that were used, as manifests.
func (t *training) writeSnapshots(ctx context.Context, r custom.TrainingResult, hits [][]bool, now time.Time) error {
	var text []byte
	for _, i := range t.train.used {
		text = append(append(text, t.train.records[i].text...), '\n')
	}
	learned, err := t.write(ctx, "training_output.manifest", text)
	if err != nil {
		return err
	}
	t.detail.TrainingFiles.Output = &learned
	text = text[:0]
	for n, i := range t.test.used {
		line, err := t.predicted(&t.test.records[i], predictionsOf(r, n), hits[n], r.Thresholds, now)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	tested, err := t.write(ctx, "testing_output.manifest", text)
	t.detail.TestingFiles.Output = &tested
	return err
}

// evaluationJob names predictions in manifests.
const evaluationJob = "rekognition-custom-labels-evaluation"

// verdict is the details of one prediction (im-evaluation-manifest-snapshot-api).
type verdict struct {
	Version int      `json:"version"`
	Jobs    []string `json:"ground-truth-labelling-jobs"`
	TP      bool     `json:"is-true-positive"`
	TN      bool     `json:"is-true-negative"`
	FP      bool     `json:"is-false-positive"`
	FN      bool     `json:"is-false-negative"`
	Present bool     `json:"is-present-in-ground-truth"`
}

func judge(seen, right bool) verdict {
	return verdict{
		Version: 1, Jobs: []string{"rekognition-custom-labels-training-job"}, Present: right,
		TP: seen && right, FP: seen && !right, FN: !seen && right, TN: !seen && !right,
	}
}

// predicted returns a test line with what was predicted.
func (t *training) predicted(r *record, p []custom.Prediction, hit []bool, thresholds []float64, now time.Time) (string, error) {
	date := now.UTC().Format("2006-01-02T15:04:05.000000")
	if t.learning == custom.Boxes {
		return t.predictedBoxes(r, p, hit, thresholds, date)
	}
	line := r.text
	for n, q := range p {
		name := evaluationJob + "-" + strconv.Itoa(n)
		seen := q.Score >= threshold(thresholds, q.Class)
		value := 0
		if seen {
			value = 1
		}
		var err error
		line, err = groundtruth.Add(line, name, value, map[string]any{
			"confidence": q.Score, "job-name": evaluationJob + "-job", "class-name": t.classes[q.Class],
			"human-annotated": "no", "creation-date": date, "type": "groundtruth/image-classification",
			evaluationJob + "-details": judge(seen, hit[n]),
		})
		if err != nil {
			return "", err
		}
	}
	return line, nil
}

func (t *training) predictedBoxes(r *record, p []custom.Prediction, hit []bool, thresholds []float64, date string) (string, error) {
	annotations, objects, classes := []any{}, []any{}, map[string]string{}
	for n, q := range p {
		b := geom.Rect{}
		if q.Box != nil {
			b = *q.Box
		}
		annotations = append(annotations, map[string]any{"class_id": q.Class, "left": b.X, "top": b.Y, "width": b.W, "height": b.H})
		objects = append(objects, map[string]any{
			"confidence":               q.Score,
			evaluationJob + "-details": judge(q.Score >= threshold(thresholds, q.Class), hit[n]),
		})
		classes[strconv.Itoa(q.Class)] = t.classes[q.Class]
	}
	return groundtruth.Add(r.text, evaluationJob, map[string]any{
		"annotations": annotations, "image_size": []any{map[string]any{"width": r.w, "height": r.h, "depth": 3}},
	}, map[string]any{
		"job-name": evaluationJob + "-job", "class-map": classes, "human-annotated": "no", "objects": objects,
		"creation-date": date, "type": "groundtruth/object-detection",
	})
}
