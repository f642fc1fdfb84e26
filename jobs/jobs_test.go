package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trilobite"
	"trilobite/custom"
	"trilobite/objects"
	"trilobite/store/sqlite"
)

const account = "111111111111"

// bench is a worker on a real store and real buckets.
type bench struct {
	*Worker
	store   *sqlite.Store
	bucket  string // folder of the bucket "b"
	project custom.Project
	trainer *double
}

// double stands for a trainer and its models. It predicts what the test set says, but
// for the images whose place in it is in wrong.
type double struct {
	runs   []custom.TrainingRun
	wrong  map[int]bool
	err    error
	before func(ctx context.Context, r custom.TrainingRun) error
	loaded atomic.Int64
	gone   atomic.Int64
}

func (d *double) Train(ctx context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	d.runs = append(d.runs, r)
	if d.before != nil {
		if err := d.before(ctx, r); err != nil {
			return custom.TrainingResult{}, err
		}
	}
	out := custom.TrainingResult{Model: r.Name, Base: "double"}
	for range r.Train.Classes {
		out.Thresholds = append(out.Thresholds, 0.5)
	}
	for i, img := range r.Test.Images {
		var list []custom.Prediction
		for _, o := range img.Objects {
			box := o.Box
			if d.wrong[i] {
				box.X += box.W
			}
			list = append(list, custom.Prediction{Class: o.Class, Score: 0.9, Box: &box})
		}
		for c := range r.Test.Classes {
			if r.Learning == custom.Boxes {
				continue
			}
			score := 0.1
			if (len(img.Classes) > 0 && img.Classes[0] == c) != d.wrong[i] {
				score = 0.9
			}
			list = append(list, custom.Prediction{Class: c, Score: score})
		}
		out.Predictions = append(out.Predictions, list)
	}
	return out, d.err
}

func (d *double) Load(context.Context, string, int) error { d.loaded.Add(1); return nil }
func (d *double) Unload(context.Context, string) error    { return nil }
func (d *double) Remove(context.Context, string) error    { d.gone.Add(1); return nil }
func (d *double) Predict(context.Context, string, int, []byte) ([]custom.Prediction, int, int, error) {
	return nil, 0, 0, errors.New("nobody asks")
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{store: s, bucket: t.TempDir(), trainer: &double{wrong: map[int]bool{}}}
	private := t.TempDir()
	buckets, err := objects.New(map[string]objects.Bucket{
		"b":       {URL: "file://" + b.bucket + "?metadata=skip"},
		"private": {URL: "file://" + private, Accounts: []string{"222222222222"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(buckets.Close(), s.Close()) })
	b.Worker = New(Config{
		Store: s, Objects: buckets, Trainer: b.trainer, Predictor: b.trainer, Dir: t.TempDir(), Trainings: 1, Holder: "worker",
		Log: slog.New(slog.DiscardHandler),
	})
	b.project, err = s.CreateProject(t.Context(), custom.NewProject{
		ARN:     custom.ARN{Region: "eu-west-1", Account: account, Project: "shapes", Kind: custom.ProjectKind},
		Feature: "CUSTOM_LABELS", CreatedAt: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// picture writes a picture of 96×96 pixels into the bucket, of one colour that nobody
// else has.
func (b *bench) picture(t *testing.T, name string, n int) {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, 96, 96), color.Palette{color.RGBA{uint8(n), uint8(n >> 8), 7, 255}})
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	b.put(t, name, data.Bytes())
}

func (b *bench) put(t *testing.T, name string, data []byte) {
	t.Helper()
	file := filepath.Join(b.bucket, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) get(t *testing.T, o custom.Object) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(b.bucket, o.Key))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func labelLine(name, label string) string {
	return fmt.Sprintf(`{"source-ref":"s3://b/%s","x":1,"x-metadata":{"class-name":%q,"confidence":1,"type":"groundtruth/image-classification"}}`, name, label)
}

func boxLine(name, label string) string {
	return fmt.Sprintf(`{"source-ref":"s3://b/%s","x":{"image_size":[{"width":96,"height":96,"depth":3}],"annotations":[{"class_id":0,"left":8,"top":8,"width":16,"height":16}]},"x-metadata":{"objects":[{"confidence":1}],"class-map":{"0":%q},"type":"groundtruth/object-detection"}}`, name, label)
}

// shapes writes n pictures of each label and returns their manifest.
func (b *bench) shapes(t *testing.T, prefix string, n int, line func(name, label string) string, labels ...string) []string {
	t.Helper()
	var lines []string
	for i, l := range labels {
		for j := range n {
			name := fmt.Sprintf("%s/%s-%d.png", prefix, l, j)
			b.picture(t, name, len(prefix)<<12+i<<8+j)
			lines = append(lines, line(name, l))
		}
	}
	return lines
}

func (b *bench) manifest(t *testing.T, name string, lines []string) custom.Object {
	t.Helper()
	b.put(t, name, []byte(strings.Join(lines, "\n")+"\n"))
	return custom.Object{Bucket: "b", Key: name}
}

func (b *bench) importing(t *testing.T, typ custom.DatasetType, o custom.Object) custom.Dataset {
	t.Helper()
	d, err := b.store.CreateDataset(t.Context(), custom.NewDataset{Project: b.project.ARN, Type: typ, Manifest: &o, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	b.Do(t.Context(), custom.Task{Work: custom.ImportWork, Subject: d.ID})
	if d, err = b.store.Dataset(t.Context(), d.ARN); err != nil {
		t.Fatal(err)
	}
	return d
}

// training makes a version and trains it.
func (b *bench) training(t *testing.T, d custom.VersionDetail) custom.Version {
	t.Helper()
	if d.Output.Bucket == "" {
		d.Output = custom.Output{Bucket: "b", Prefix: "out/"}
	}
	v, err := b.store.CreateVersion(t.Context(), custom.NewVersion{Project: b.project.ARN, Name: fmt.Sprint("v", time.Now().UnixNano()), Detail: d, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	b.Do(t.Context(), custom.Task{Work: custom.TrainWork, Subject: v.ID})
	if v, err = b.store.Version(t.Context(), v.ARN); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestImport(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	lines := b.shapes(t, "train", 5, labelLine, "circle", "square")
	lines = append(lines, labelLine("train/missing.png", "circle"), "not JSON")
	d := b.importing(t, custom.Train, b.manifest(t, "m.manifest", lines))
	if d.Status != custom.CreateComplete || d.Stats != (custom.DatasetStats{Labeled: 11, Total: 11, Labels: 2, Errors: 1}) {
		t.Errorf("data set %+v", d)
	}
	bad, err := b.store.Entries(t.Context(), d.ARN, custom.EntryQuery{Errors: true, Limit: 9})
	if err != nil || len(bad) != 1 || !strings.Contains(bad[0].Line, `"errors":[{"code":"ERROR_INVALID_IMAGE"`) {
		t.Errorf("entries with errors: %+v, %v", bad, err)
	}
	copied, err := b.store.CreateDataset(t.Context(), custom.NewDataset{Project: b.project.ARN, Type: custom.Test, Dataset: &d.ARN, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	b.Do(t.Context(), custom.Task{Work: custom.ImportWork, Subject: copied.ID})
	if got, err := b.store.Dataset(t.Context(), copied.ARN); err != nil || got.Status != custom.CreateComplete || got.Stats != d.Stats {
		t.Errorf("copy: %+v, %v, want %+v", got, err, d.Stats)
	}
}

// TestImportErrors has a manifest for every row of the service's table of data sets.
func TestImportErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		set  func(t *testing.T, b *bench) custom.Object
		want string
	}{
		{"not there", func(*testing.T, *bench) custom.Object { return custom.Object{Bucket: "b", Key: "none.manifest"} }, "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT: The manifest file extension or contents are invalid."},
		{"no extension", func(t *testing.T, b *bench) custom.Object {
			return b.manifest(t, "manifest", b.shapes(t, "a", 2, labelLine, "x"))
		}, "ERROR_MANIFEST_INACCESSIBLE_OR_UNSUPPORTED_FORMAT: The manifest file extension or contents are invalid."},
		{"another account's bucket", func(*testing.T, *bench) custom.Object { return custom.Object{Bucket: "private", Key: "m.manifest"} }, "ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET: The S3 bucket permissions are incorrect."},
		{"no such bucket", func(*testing.T, *bench) custom.Object { return custom.Object{Bucket: "none", Key: "m.manifest"} }, "ERROR_INVALID_PERMISSIONS_MANIFEST_S3_BUCKET: The S3 bucket permissions are incorrect."},
		{"too large", func(t *testing.T, b *bench) custom.Object {
			b.Limits.ManifestBytes = 100
			return b.manifest(t, "m.manifest", b.shapes(t, "a", 2, labelLine, "x"))
		}, "ERROR_MANIFEST_SIZE_TOO_LARGE: The manifest file size exceeds the maximum supported size."},
		{"too many rows", func(t *testing.T, b *bench) custom.Object {
			b.Limits.ManifestLines = 3
			return b.manifest(t, "m.manifest", b.shapes(t, "a", 4, labelLine, "x"))
		}, "ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM: The manifest file has too many rows."},
		{"too many labels", func(t *testing.T, b *bench) custom.Object {
			b.Limits.Labels = 2
			return b.manifest(t, "m.manifest", b.shapes(t, "a", 1, labelLine, "x", "y", "z"))
		}, "ERROR_MANIFEST_TOO_MANY_LABELS: The manifest file has too many labels."},
		{"more than a fifth wrong, for different reasons", func(t *testing.T, b *bench) custom.Object {
			lines := b.shapes(t, "a", 8, labelLine, "x")
			return b.manifest(t, "m.manifest", append(lines, lines[0], "{}", labelLine("none.png", "x")))
		}, "ERROR_TOO_MANY_RECORDS_IN_ERROR: The manifest file has too many terminal errors."},
		{"empty", func(t *testing.T, b *bench) custom.Object {
			b.put(t, "m.manifest", nil)
			return custom.Object{Bucket: "b", Key: "m.manifest"}
		}, "ERROR_EMPTY_MANIFEST: The manifest file is empty."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			d := b.importing(t, custom.Train, tt.set(t, b))
			if d.Status != custom.CreateFailed || d.Message != tt.want || d.MessageCode != "CLIENT_ERROR" || d.Stats.Total != 0 {
				t.Errorf("data set %+v, want CREATE_FAILED with %q and no entries", d, tt.want)
			}
		})
	}
}

func TestDistribute(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		each        int // images of each of two labels
		status      custom.DatasetStatus
		message     string
		train, test custom.DatasetStats
	}{
		{"a fifth of each label", 10, custom.UpdateComplete, "The dataset was successfully updated.",
			custom.DatasetStats{Labeled: 16, Total: 16, Labels: 2}, custom.DatasetStats{Labeled: 4, Total: 4, Labels: 2}},
		{"one image of each label", 1, custom.UpdateFailed, TooFewForDistribute.Message(), custom.DatasetStats{Labeled: 2, Total: 2, Labels: 2}, custom.DatasetStats{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			train := b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", tt.each, labelLine, "x", "y")))
			test, err := b.store.CreateDataset(t.Context(), custom.NewDataset{Project: b.project.ARN, Type: custom.Test, CreatedAt: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.store.Distribute(t.Context(), train.ARN, test.ARN, time.Now()); err != nil {
				t.Fatal(err)
			}
			b.Do(t.Context(), custom.Task{Work: custom.DistributeWork, Subject: train.ID})
			for arn, want := range map[custom.ARN]custom.DatasetStats{train.ARN: tt.train, test.ARN: tt.test} {
				if got, err := b.store.Dataset(t.Context(), arn); err != nil || got.Status != tt.status || got.Message != tt.message || got.Stats != want {
					t.Errorf("%s: %+v, %v, want %s, %q, %+v", arn.Name, got, err, tt.status, tt.message, want)
				}
			}
		})
	}
}

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

// TestTakenUp interrupts a training: the next worker reads what the first read, though
// the data set has changed, in the same folder.
func TestTakenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
	ctx, die := context.WithCancel(t.Context())
	b.trainer.before = func(ctx context.Context, r custom.TrainingRun) error {
		if err := os.WriteFile(filepath.Join(r.Dir, "checkpoint"), nil, 0o600); err != nil {
			return err
		}
		die()
		return ctx.Err()
	}
	v, err := b.store.CreateVersion(t.Context(), custom.NewVersion{Project: b.project.ARN, Name: "v", Detail: custom.VersionDetail{Output: custom.Output{Bucket: "b"}}, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	task := custom.Task{Work: custom.TrainWork, Subject: v.ID}
	b.Do(ctx, task)
	if got, err := b.store.Version(t.Context(), v.ARN); err != nil || got.Status != custom.TrainingInProgress {
		t.Fatalf("interrupted: %+v, %v", got, err)
	}
	if err := b.store.UpdateEntries(t.Context(), d.ARN, []custom.Entry{{SourceRef: "s3://b/new", Line: `{"source-ref":"s3://b/new"}`}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := b.store.Sweep(t.Context(), time.Now()); err != nil || n != 1 {
		t.Errorf("%d tasks swept at once, %v, want the interrupted one", n, err)
	}
	b.trainer.before = func(_ context.Context, r custom.TrainingRun) error {
		_, err := os.Stat(filepath.Join(r.Dir, "checkpoint"))
		return err
	}
	b.Do(t.Context(), task)
	if got, err := b.store.Version(t.Context(), v.ARN); err != nil || got.Status != custom.TrainingCompleted {
		t.Fatalf("taken up: %+v, %v", got, err)
	}
	if first, second := b.trainer.runs[0], b.trainer.runs[1]; len(first.Train.Images) != 8 || len(second.Train.Images) != 8 || first.Train.Images[0].File != second.Train.Images[0].File || first.Name != second.Name {
		t.Errorf("runs of %d and %d images", len(first.Train.Images), len(second.Train.Images))
	}
}

// TestLostLease ends a training whose task another worker took.
func TestLostLease(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.importing(t, custom.Train, b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y")))
	b.trainer.before = func(ctx context.Context, r custom.TrainingRun) error {
		v := must(b.store.Versions(ctx, b.project.ARN, custom.VersionQuery{Limit: 1}))[0]
		must(b.store.Claim(ctx, custom.Task{Work: custom.TrainWork, Subject: v.ID}, "other", time.Now().Add(time.Hour)))
		err := r.Progress("step 1")
		if trilobite.CodeOf(err) != trilobite.Canceled {
			t.Errorf("progress of a lost training: %v", err)
		}
		return err
	}
	if v := b.training(t, custom.VersionDetail{}); v.Status != custom.TrainingInProgress {
		t.Errorf("status %s: the first worker ended the second's task", v.Status)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
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

// TestRun lets River bring the tasks: from start to stop, copy and deletion.
func TestRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx, b.store.Driver()) }()
	b.manifest(t, "m.manifest", b.shapes(t, "a", 5, labelLine, "x", "y"))
	d := must(b.store.CreateDataset(ctx, custom.NewDataset{Project: b.project.ARN, Type: custom.Train, Manifest: &custom.Object{Bucket: "b", Key: "m.manifest"}, CreatedAt: time.Now()}))
	wait(t, func() bool { return must(b.store.Dataset(ctx, d.ARN)).Status == custom.CreateComplete })
	v := must(b.store.CreateVersion(ctx, custom.NewVersion{Project: b.project.ARN, Name: "v", Detail: custom.VersionDetail{Output: custom.Output{Bucket: "b"}}, CreatedAt: time.Now()}))
	is := func(v custom.Version, s custom.VersionStatus) {
		t.Helper()
		wait(t, func() bool { return must(b.store.Version(ctx, v.ARN)).Status == s })
	}
	is(v, custom.TrainingCompleted)
	c := must(b.store.CopyVersion(ctx, custom.NewCopy{Source: v.ARN, Project: b.project.ARN, Name: "c", Output: custom.Output{Bucket: "b", Prefix: "copy"}, CreatedAt: time.Now()}))
	is(c, custom.CopyingCompleted)
	if got := must(b.store.Version(ctx, c.ARN)); got.Evaluation.Summary.Key != "copy/EvaluationSummary-shapes-v.json" || b.get(t, got.Evaluation.Summary) == "" {
		t.Errorf("copy %+v", got)
	}
	must(b.store.StartVersion(ctx, c.ARN, 1, 0, time.Now()))
	is(c, custom.Running)
	must(b.store.StopVersion(ctx, c.ARN, time.Now()))
	is(c, custom.Stopped)
	gone := func(v custom.Version) {
		t.Helper()
		must(b.store.DeleteVersion(ctx, v.ARN, time.Now()))
		wait(t, func() bool {
			_, err := b.store.Version(ctx, v.ARN)
			return trilobite.CodeOf(err) == trilobite.NotFound && err != nil
		})
	}
	gone(v)
	if n := b.trainer.gone.Load(); n != 0 {
		t.Error("the model is gone while a copy has it")
	}
	gone(c)
	if n := b.trainer.gone.Load(); n != 1 || b.trainer.loaded.Load() != 1 {
		t.Errorf("the model was removed %d times", n)
	}
	must(b.store.DeleteProject(ctx, b.project.ARN, time.Now()))
	wait(t, func() bool { _, err := b.store.Project(ctx, b.project.ARN); return err != nil })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// wait fails the test unless the state comes within 20 s.
func wait(t *testing.T, state func() bool) {
	t.Helper()
	for range 400 {
		if state() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the state does not come")
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
