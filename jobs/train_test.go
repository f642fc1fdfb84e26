package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"trilobite"
	"trilobite/custom"
)

func TestTrain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.trainer.wrong[0] = true
	lines := b.shapes(t, "a", 9, labelLine, "x", "y")
	lines = append(lines, labelLine("none.png", "x"))
	b.importing(t, custom.Train, b.manifest(t, "m.manifest", lines))
	b.importing(t, custom.Test, b.manifest(t, "t.manifest", b.shapes(t, "test", 2, labelLine, "x", "y")))
	v := b.training(t, custom.VersionDetail{})
	if v.Status != custom.TrainingCompleted || v.Evaluation == nil || v.Seconds < 1 || v.TrainedAt.IsZero() || v.Base != "double" {
		t.Fatalf("version %+v", v)
	}
	r := b.trainer.runs[0]
	if r.Learning != custom.OneLabel || len(r.Train.Images) != 18 || len(r.Test.Images) != 4 || strings.Join(r.Train.Classes, ",") != "x,y" {
		t.Errorf("run: %s, %d and %d images, classes %v", r.Learning, len(r.Train.Images), len(r.Test.Images), r.Train.Classes)
	}
	var s struct {
		Version           int
		EvaluationDetails struct {
			NumberOfTrainingImages, NumberOfTestingImages int
			ProjectVersionArn                             string
		}
		AggregatedEvaluationResults struct {
			F1Score, Precision, Recall float64
			Metrics                    struct{ F1Score float64 }
			ConfusionMatrix            []struct {
				GroundTruthLabel, PredictedLabel string
				Value                            float64
			}
		}
		LabelEvaluationResults []struct {
			Label                 string
			NumberOfTestingImages int
			Metrics               struct{ Threshold, Precision, Recall, F1Score float64 }
		}
	}
	if err := json.Unmarshal([]byte(b.get(t, v.Evaluation.Summary)), &s); err != nil {
		t.Fatal(err)
	}
	// Of two x and two y, one x is taken for a y: x has precision 1 and recall 1/2, y
	// precision 2/3 and recall 1; F1 is 2/3 and 4/5.
	near := func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
	x, y := s.LabelEvaluationResults[0].Metrics, s.LabelEvaluationResults[1].Metrics
	if !near(x.Precision, 1) || !near(x.Recall, 0.5) || !near(y.Precision, 2.0/3) || !near(y.Recall, 1) || !near(x.F1Score, 2.0/3) || !near(y.F1Score, 0.8) {
		t.Errorf("labels %+v", s.LabelEvaluationResults)
	}
	a := s.AggregatedEvaluationResults
	if !near(a.F1Score, (2.0/3+0.8)/2) || !near(v.Evaluation.F1, a.F1Score) || !near(a.Metrics.F1Score, a.F1Score) || !near(a.ConfusionMatrix[1].Value, 0.5) {
		t.Errorf("whole %+v, F1 %v", a, v.Evaluation.F1)
	}
	if v.Evaluation.Summary.Key != "out/EvaluationSummary-shapes-"+v.ARN.Name+".json" || s.EvaluationDetails.ProjectVersionArn != v.ARN.String() || s.EvaluationDetails.NumberOfTrainingImages != 18 {
		t.Errorf("summary %s: %+v", v.Evaluation.Summary.Key, s.EvaluationDetails)
	}
	if learned := b.get(t, *v.TrainingFiles.Output); strings.Count(learned, "\n") != 18 || strings.Contains(learned, "evaluation") {
		t.Errorf("what was learned from:\n%s", learned)
	}
	snapshot := b.get(t, *v.TestingFiles.Output)
	if n := strings.Count(snapshot, "\n"); n != 4 || strings.Count(snapshot, `"is-true-positive":true`) != 3 || strings.Count(snapshot, `"is-false-negative":true`) != 1 {
		t.Errorf("snapshot of %d lines:\n%s", n, snapshot)
	}
	var m struct {
		Statistics struct {
			Training struct {
				UseCase string `json:"use_case"`
				Total   int    `json:"total_json_lines"`
				Valid   int    `json:"valid_json_lines"`
				Invalid int    `json:"invalid_json_lines"`
				Lines   []int  `json:"error_json_line_indices"`
			}
		}
	}
	if err := json.Unmarshal([]byte(b.get(t, *v.Manifests)), &m); err != nil {
		t.Fatal(err)
	}
	if tr := m.Statistics.Training; tr.UseCase != "IMAGE_LEVEL_LABELS" || tr.Total != 19 || tr.Valid != 18 || tr.Invalid != 1 || len(tr.Lines) != 1 || tr.Lines[0] != 19 {
		t.Errorf("manifest summary %+v", tr)
	}
}

func TestTrainBoxes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", 10, boxLine, "x")))
	v := b.training(t, custom.VersionDetail{})
	if v.Status != custom.TrainingCompleted || v.Evaluation.F1 != 1 {
		t.Fatalf("version %+v", v)
	}
	if r := b.trainer.runs[0]; r.Learning != custom.Boxes || len(r.Test.Images) != 2 || len(r.Train.Images) != 8 {
		t.Errorf("run %s, %d and %d images", r.Learning, len(r.Train.Images), len(r.Test.Images))
	}
	if s := b.get(t, v.Evaluation.Summary); !strings.Contains(s, `"AveragePrecision": 1`) || strings.Contains(s, "ConfusionMatrix") {
		t.Errorf("summary %s", s)
	}
}

// TestTrainErrors has data for the rows of the service's table of trainings.
func TestTrainErrors(t *testing.T) {
	t.Parallel()
	manifests := func(train, test custom.Object) custom.VersionDetail {
		return custom.VersionDetail{Training: []custom.Object{train}, Testing: []custom.Object{test}}
	}
	auto := func(train custom.Object) custom.VersionDetail {
		return custom.VersionDetail{Training: []custom.Object{train}, AutoCreate: true}
	}
	tests := []struct {
		name string
		set  func(t *testing.T, b *bench) custom.VersionDetail
		want Code
	}{
		{"no manifest", func(*testing.T, *bench) custom.VersionDetail {
			return auto(custom.Object{Bucket: "b", Key: "n.manifest"})
		}, Inaccessible},
		{"manifest of another account", func(*testing.T, *bench) custom.VersionDetail {
			return auto(custom.Object{Bucket: "private", Key: "n.manifest"})
		}, ManifestPermissions},
		{"empty", func(t *testing.T, b *bench) custom.VersionDetail {
			b.put(t, "m.manifest", nil)
			return auto(custom.Object{Bucket: "b", Key: "m.manifest"})
		}, EmptyManifest},
		{"too large", func(t *testing.T, b *bench) custom.VersionDetail {
			b.Limits.ManifestBytes = 10
			return auto(b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
		}, ManifestTooLarge},
		{"too many rows", func(t *testing.T, b *bench) custom.VersionDetail {
			b.Limits.ManifestLines = 3
			return auto(b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
		}, TooManyRows},
		{"output not ours", func(t *testing.T, b *bench) custom.VersionDetail {
			d := auto(b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
			d.Output.Bucket = "private"
			return d
		}, CannotWriteOutput},
		{"invalid rows", func(t *testing.T, b *bench) custom.VersionDetail {
			return auto(b.manifest(t, "m.manifest", append(b.shapes(t, "a", 4, labelLine, "x", "y"), "{", "{", "{")))
		}, TooManyInvalidRows},
		{"several buckets", func(t *testing.T, b *bench) custom.VersionDetail {
			return auto(b.manifest(t, "m.manifest", append(b.shapes(t, "a", 10, labelLine, "x", "y"), strings.Replace(labelLine("k.png", "x"), "s3://b/", "s3://c/", 1))))
		}, SeveralBuckets},
		{"images of another account", func(t *testing.T, b *bench) custom.VersionDetail {
			var lines []string
			for i := range 10 {
				lines = append(lines, strings.Replace(labelLine(fmt.Sprint(i, ".png"), "xy"[i%2:i%2+1]), "s3://b/", "s3://private/", 1))
			}
			return auto(b.manifest(t, "m.manifest", lines))
		}, BucketOwner},
		{"no image to be had", func(t *testing.T, b *bench) custom.VersionDetail {
			var lines []string
			for i := range 10 {
				lines = append(lines, labelLine(fmt.Sprint(i, ".png"), "xy"[i%2:i%2+1]))
			}
			return auto(b.manifest(t, "m.manifest", lines))
		}, ImagesCopy},
		{"too few to split", func(t *testing.T, b *bench) custom.VersionDetail {
			return auto(b.manifest(t, "m.manifest", b.shapes(t, "a", 1, labelLine, "x", "y")))
		}, TooFewForAutosplit},
		{"one label", func(t *testing.T, b *bench) custom.VersionDetail {
			return auto(b.manifest(t, "m.manifest", b.shapes(t, "a", 9, labelLine, "x")))
		}, TooFewLabels},
		{"one usable label", func(t *testing.T, b *bench) custom.VersionDetail {
			return auto(b.manifest(t, "m.manifest", append(b.shapes(t, "a", 9, labelLine, "x"), b.shapes(t, "bb", 5, boxLine, "y")...)))
		}, TooFewUsableLabels},
		{"too many labels", func(t *testing.T, b *bench) custom.VersionDetail {
			b.Limits.Labels = 2
			return auto(b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y", "z")))
		}, TooManyLabels},
		{"other labels in the test", func(t *testing.T, b *bench) custom.VersionDetail {
			return manifests(b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y", "z")), b.manifest(t, "t.manifest", b.shapes(t, "bb", 5, labelLine, "x", "u")))
		}, LabelOverlap},
		{"other usable labels in the test", func(t *testing.T, b *bench) custom.VersionDetail {
			return manifests(b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y", "z")),
				b.manifest(t, "t.manifest", append(b.shapes(t, "bb", 5, labelLine, "x"), b.shapes(t, "ccc", 5, boxLine, "y")...)))
		}, UsableLabelOverlap},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			v := b.training(t, tt.set(t, b))
			if v.Status != custom.TrainingFailed || v.Message != tt.want.Message() {
				t.Errorf("%s: %q, want %q", v.Status, v.Message, tt.want.Message())
			}
			if len(b.trainer.runs) > 0 {
				t.Error("it was trained all the same")
			}
		})
	}
}

func TestTrainerRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"for the data", fmt.Errorf("training: %w", &trilobite.Error{Code: trilobite.Invalid, Msg: "All images are black."}), "All images are black."},
		{"for a fault of ours", errors.New("secret path"), internalFault},
	} {
		b := newBench(t)
		b.trainer.err = tt.err
		b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
		if v := b.training(t, custom.VersionDetail{}); v.Status != custom.TrainingFailed || v.Message != tt.want {
			t.Errorf("%s: %s, %q, want %q", tt.name, v.Status, v.Message, tt.want)
		}
	}
}

// TestDiskIsShort: a training that would not find room is refused before it begins.
func TestDiskIsShort(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.FreeDisk, b.Free = 1<<30, func(string) (int64, error) { return 5 << 20, nil }
	lines := b.shapes(t, "a", 12, labelLine, "circle", "square")
	v := b.training(t, custom.VersionDetail{Output: custom.Output{Bucket: "b"}, Training: []custom.Object{b.manifest(t, "m.manifest", lines)}, AutoCreate: true})
	if v.Status != custom.TrainingFailed || v.Message != "The training needs 1024 MiB of free disk; the server has 5 MiB." {
		t.Errorf("%s: %s", v.Status, v.Message)
	}
	if free, err := freeDisk(t.TempDir()); err != nil || free <= 0 {
		t.Errorf("this disk has %d bytes free, %v", free, err)
	}
}
