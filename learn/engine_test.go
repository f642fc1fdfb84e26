package learn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite/custom"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/jobs"
	"trilobite/learn"
	"trilobite/objects"
	"trilobite/ort"
	"trilobite/serving"
	"trilobite/store/sqlite"
	"trilobite/zoo"
)

const account = "111111111111"

// workshop is a worker that trains for real, on the bucket "b" in folder.
type workshop struct {
	*jobs.Worker
	store  *sqlite.Store
	engine *learn.Engine
	folder string
	ARN    custom.ARN // of a project
}

func newWorkshop(t *testing.T, epochs int) *workshop {
	t.Helper()
	rt, err := ort.OpenCores("", 2)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &workshop{store: db, folder: t.TempDir(), ARN: custom.ARN{Region: "eu-west-1", Account: account, Project: "shapes", Kind: custom.ProjectKind}}
	buckets, err := objects.New(map[string]objects.Bucket{"b": {URL: "file://" + w.folder + "?metadata=skip"}})
	if err != nil {
		t.Fatal(err)
	}
	models := zoo.NewStore(t.TempDir())
	registry := serving.New(serving.Config{Runtime: rt, Store: models, Options: ort.Options{MaxQueue: 64}, Images: 512 << 20})
	w.engine = &learn.Engine{
		Runtime: rt, Models: models, Registry: registry, Epochs: epochs, Options: ort.Options{MaxQueue: 64},
		Puller: zoo.Puller{Store: zoo.NewStore(t.TempDir()), Packages: "../.deps", Log: io.Discard},
		Gate:   imageio.NewGate(512<<20, 64), Search: 3 * time.Second,
	}
	t.Cleanup(func() {
		registry.Close()
		for _, c := range []io.Closer{buckets, db} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	w.Worker = jobs.New(jobs.Config{
		Store: db, Objects: buckets, Trainer: w.engine, Predictor: w.engine, Dir: t.TempDir(), Holder: "worker",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	p, err := db.CreateProject(t.Context(), custom.NewProject{ARN: w.ARN, Feature: "CUSTOM_LABELS", CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	w.ARN = p.ARN
	return w
}

// train trains a version on a manifest, a fifth of which tests, and starts it.
func (w *workshop) train(t *testing.T, lines []string) custom.Version {
	t.Helper()
	w.put(t, "m.manifest", []byte(strings.Join(lines, "\n")+"\n"))
	v, err := w.store.CreateVersion(t.Context(), custom.NewVersion{Project: w.ARN, Name: "v1", CreatedAt: time.Now(), Detail: custom.VersionDetail{
		Output: custom.Output{Bucket: "b", Prefix: "out"}, Training: []custom.Object{{Bucket: "b", Key: "m.manifest"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.Do(t.Context(), custom.Task{Work: custom.TrainWork, Subject: v.ID})
	if v, err = w.store.Version(t.Context(), v.ARN); err != nil {
		t.Fatal(err)
	}
	if v.Status != custom.TrainingCompleted || v.Evaluation == nil {
		t.Fatalf("version %s: %s, want TRAINING_COMPLETED with an evaluation", v.Status, v.Message)
	}
	return v
}

func (w *workshop) put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// summary is what the tests read of an evaluation summary.
type summary struct {
	AggregatedEvaluationResults struct {
		F1Score          float64
		AveragePrecision *float64
	}
	LabelEvaluationResults []struct {
		Label   string
		Metrics struct{ Threshold, F1Score float64 }
	}
	Search []struct {
		Skipped string
		Chosen  bool
	}
	Calibration *struct{ ExpectedErrorBefore, ExpectedErrorAfter float64 }
}

func (w *workshop) summary(t *testing.T, v custom.Version) (s summary) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(w.folder, v.Evaluation.Summary.Key))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

var colours = map[string]color.RGBA{"red": {230, 30, 30, 255}, "blue": {30, 30, 230, 255}}

// scene draws squares on noise.
func scene(t *testing.T, n int, squares map[string]geom.Rect) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(n)))
	img := image.NewRGBA(image.Rect(0, 0, 192, 144))
	for y := range 144 {
		for x := range 192 {
			g := uint8(100 + r.IntN(50))
			img.SetRGBA(x, y, color.RGBA{g, g, g, 255})
		}
	}
	for name, s := range squares {
		for y := int(s.Y); y < int(s.Y+s.H); y++ {
			for x := int(s.X); x < int(s.X+s.W); x++ {
				img.SetRGBA(x, y, colours[name])
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBoxes: a manifest of boxes becomes a detector whose boxes lie where the objects do.
func TestBoxes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, 40)
	r := rand.New(rand.NewPCG(1, 1))
	place := func(left int) geom.Rect {
		return geom.Rect{X: float64(left + r.IntN(40)), Y: float64(10 + r.IntN(80)), W: 44, H: 44}
	}
	var lines []string
	var last geom.Rect
	for n := range 15 {
		squares := map[string]geom.Rect{"red": place(4), "blue": place(100)}
		last = squares["red"]
		w.put(t, fmt.Sprintf("%d.png", n), scene(t, n, squares))
		var boxes []string
		for id, name := range []string{"red", "blue"} {
			s := squares[name]
			boxes = append(boxes, fmt.Sprintf(`{"class_id":%d,"left":%v,"top":%v,"width":%v,"height":%v}`, id, s.X, s.Y, s.W, s.H))
		}
		lines = append(lines, fmt.Sprintf(`{"source-ref":"s3://b/%d.png","x":{"image_size":[{"width":192,"height":144,"depth":3}],"annotations":[%s]},"x-metadata":{"objects":[{"confidence":1},{"confidence":1}],"class-map":{"0":"red","1":"blue"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2026-01-01T00:00:00","job-name":"x"}}`,
			n, strings.Join(boxes, ",")))
	}
	v := w.train(t, lines)
	s := w.summary(t, v)
	if ap := s.AggregatedEvaluationResults.AveragePrecision; ap == nil || *ap < 0.5 {
		t.Errorf("average precision %v, want 0.5", s.AggregatedEvaluationResults)
	}
	seen, width, height, err := w.engine.Predict(t.Context(), v.Model.Name, 1, scene(t, 14, map[string]geom.Rect{"red": last}))
	if err != nil || width != 192 || height != 144 || len(seen) == 0 {
		t.Fatalf("Predict: %d boxes, %d×%d, %v", len(seen), width, height, err)
	}
	if v.Model.Labels[seen[0].Class].Name != "red" || seen[0].Box == nil || geom.IoU(seen[0].Box.Box(), last.Box()) < 0.5 || seen[0].Score < v.Model.Labels[seen[0].Class].Threshold {
		t.Errorf("the surest box is %+v of %v, want red at %v", seen[0], v.Model.Labels, last)
	}
}

// TestSmallBoxes: where objects are small a larger input is tried, which is told, once though
// the training is taken up again.
func TestSmallBoxes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, 1)
	w.engine.Search = time.Hour
	set := &dataset.Set{Classes: []string{"red"}, Ignore: dataset.NoIgnore}
	for n := range 10 {
		s := geom.Rect{X: 10 + 12*float64(n), Y: 40, W: 14, H: 14}
		name := fmt.Sprintf("%d.png", n)
		w.put(t, name, scene(t, n, map[string]geom.Rect{"red": s}))
		set.Images = append(set.Images, dataset.Image{
			File: filepath.Join(w.folder, name), W: 192, H: 144, Objects: []dataset.Object{{Box: s, Area: s.Area()}},
		})
	}
	run := custom.TrainingRun{Name: "custom-1", Learning: custom.Boxes, Train: set, Test: set, Dir: t.TempDir(), Progress: func(string) error { return nil }}
	var log bytes.Buffer
	w.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
	first, err := w.engine.Train(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	chosen := 0
	for _, x := range first.Tried {
		if x.Chosen {
			chosen++
		}
	}
	if len(first.Tried) < 2 || chosen != 1 || first.Tried[0].Size >= first.Tried[1].Size || len(tried(log.String())) != len(first.Tried) {
		t.Errorf("tried %+v, and told:\n%s", first.Tried, log.String())
	}
	log.Reset()
	again, err := w.engine.Train(t.Context(), run)
	if err != nil || len(tried(log.String())) != 0 {
		t.Fatalf("%v; the search was over, and went on:\n%s", err, log.String())
	}
	if diff := cmp.Diff(first.Tried, again.Tried); diff != "" {
		t.Errorf("tried then and now:\n%s", diff)
	}
}

// TestManyLabels: pictures with any number of labels become a model that decides on each.
func TestManyLabels(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, 0)
	both := map[string]geom.Rect{"red": {X: 10, Y: 20, W: 70, H: 90}, "blue": {X: 100, Y: 20, W: 70, H: 90}}
	var lines []string
	for n := range 24 {
		squares, labels := map[string]geom.Rect{}, ""
		for i, name := range []string{"red", "blue"} {
			if n%3 == 2 || n%3 == i {
				s := both[name]
				s.X, s.Y = s.X+float64(n%7), s.Y-float64(n%9)
				squares[name] = s
				labels += fmt.Sprintf(`,%q:1,"%s-metadata":{"class-name":%[1]q,"confidence":1,"type":"groundtruth/image-classification","human-annotated":"yes","creation-date":"2026-01-01T00:00:00","job-name":"x"}`, name, name)
			}
		}
		w.put(t, fmt.Sprintf("%d.png", n), scene(t, n, squares))
		lines = append(lines, fmt.Sprintf(`{"source-ref":"s3://b/%d.png"%s}`, n, labels))
	}
	v := w.train(t, lines)
	s := w.summary(t, v)
	if s.AggregatedEvaluationResults.F1Score < 0.9 || s.AggregatedEvaluationResults.AveragePrecision != nil {
		t.Errorf("summary %+v, want an F1 of 0.9 and no average precision", s)
	}
	chosen, skipped := 0, 0
	for _, x := range s.Search {
		if x.Chosen {
			chosen++
		}
		if x.Skipped != "" {
			skipped++
		}
	}
	if chosen != 1 || skipped < 2 || len(s.Search) < 8 || s.Search[0].Skipped != "" || s.Calibration == nil {
		t.Errorf("the search is told as %+v, calibration %v; want one chosen, the deep ones skipped", s.Search, s.Calibration)
	}
	for name, squares := range map[string]map[string]geom.Rect{"both": both, "red": {"red": both["red"]}} {
		seen, _, _, err := w.engine.Predict(t.Context(), v.Model.Name, 1, scene(t, 99, squares))
		if err != nil || len(seen) != 2 {
			t.Fatalf("%s: %v, %v", name, seen, err)
		}
		for _, p := range seen {
			l := v.Model.Labels[p.Class]
			if _, want := squares[l.Name]; (p.Score >= l.Threshold) != want || p.Box != nil {
				t.Errorf("%s: %s has %.3f, its threshold is %.3f", name, l.Name, p.Score, l.Threshold)
			}
		}
	}
}
