package jobs

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"trilobite/custom"
	"trilobite/objects"
	"trilobite/store/sqlite"
)

// BenchmarkImport imports manifests whose images are all there, links to one file, and
// tells the seconds and the most memory that Go had in use at a time.
func BenchmarkImport(b *testing.B) {
	for _, lines := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			for b.Loop() {
				seconds, peak := importLarge(b, lines)
				b.ReportMetric(seconds, "s/import")
				b.ReportMetric(peak, "MiB-peak")
			}
		})
	}
}

func importLarge(b *testing.B, lines int) (seconds, peakMiB float64) {
	b.Helper()
	ctx := b.Context()
	dir := b.TempDir()
	const each = 10_000 // names of one file
	f, err := os.Create(filepath.Join(dir, "m.manifest"))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range lines {
		name := fmt.Sprintf("%06d.png", i)
		first := fmt.Sprintf("%06d.png", i/each*each)
		if i%each == 0 {
			err = os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600)
		} else {
			err = os.Link(filepath.Join(dir, first), filepath.Join(dir, name))
		}
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintln(w, labelLine(name, fmt.Sprint("label ", i%100)))
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "trilobite.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	buckets, err := objects.New(map[string]objects.Bucket{"b": {URL: "file://" + dir + "?metadata=skip"}})
	if err != nil {
		b.Fatal(err)
	}
	defer buckets.Close()
	p := must(store.CreateProject(ctx, custom.NewProject{ARN: custom.ARN{Region: "r", Account: account, Project: "p", Kind: custom.ProjectKind}, CreatedAt: time.Now()}))
	d := must(store.CreateDataset(ctx, custom.NewDataset{Project: p.ARN, Type: custom.Train, Manifest: &custom.Object{Bucket: "b", Key: "m.manifest"}, CreatedAt: time.Now()}))
	worker := New(Config{Store: store, Objects: buckets, Dir: b.TempDir(), Holder: "w", Log: slog.New(slog.DiscardHandler)})
	runtime.GC()
	var stop atomic.Bool
	peak := make(chan uint64)
	go func() {
		var most uint64
		for !stop.Load() {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			time.Sleep(20 * time.Millisecond)
		}
		peak <- most
	}()
	begun := time.Now()
	worker.Do(ctx, custom.Task{Work: custom.ImportWork, Subject: d.ID})
	seconds = time.Since(begun).Seconds()
	stop.Store(true)
	if got := must(store.Dataset(ctx, d.ARN)); got.Status != custom.CreateComplete || got.Stats.Total != lines {
		b.Fatalf("imported: %+v", got)
	}
	return seconds, float64(<-peak) / (1 << 20)
}

// BenchmarkDescribeVersions asks for pages of a project of 10,000 versions, and for one
// version by name, and tells the slowest of a hundred.
func BenchmarkDescribeVersions(b *testing.B) {
	ctx := b.Context()
	store, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "trilobite.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	p := must(store.CreateProject(ctx, custom.NewProject{ARN: custom.ARN{Region: "r", Account: account, Project: "p", Kind: custom.ProjectKind}, CreatedAt: time.Now()}))
	must(store.CreateDataset(ctx, custom.NewDataset{Project: p.ARN, Type: custom.Train, CreatedAt: time.Now()}))
	detail := custom.VersionDetail{Output: custom.Output{Bucket: "b"}, Evaluation: &custom.Evaluation{F1: 0.5}}
	for i := range 100 {
		detail.Model.Labels = append(detail.Model.Labels, custom.LabelChoice{Name: fmt.Sprint("label ", i), Threshold: 0.5})
	}
	for i := range 10_000 {
		must(store.CreateVersion(ctx, custom.NewVersion{Project: p.ARN, Name: fmt.Sprint("v", i), Detail: detail, CreatedAt: time.Now()}))
	}
	for name, q := range map[string]custom.VersionQuery{
		"page":    {Limit: 100, Before: 5000},
		"by name": {Limit: 100, Names: []string{"v5000"}},
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				must(store.Versions(ctx, p.ARN, q))
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
		})
	}
}
