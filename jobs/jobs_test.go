package jobs

import (
	"bytes"
	"context"
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

func (d *double) Unload(context.Context, string) error { return nil }

func (d *double) Remove(context.Context, string) error { d.gone.Add(1); return nil }

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
