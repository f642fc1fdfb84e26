package gc

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite/objects"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// put makes a file of a home, as old as said.
func put(t *testing.T, home, name string, age time.Duration) {
	t.Helper()
	file := filepath.Join(home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, now.Add(-age), now.Add(-age)); err != nil {
		t.Fatal(err)
	}
}

const day = 24 * time.Hour

func TestFind(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for name, age := range map[string]time.Duration{
		"custom/models/custom-1/1/card.yaml":                    day,     // of a version
		"custom/models/custom-1/2/card.yaml":                    day,     // of none
		"custom/models/custom-2/1/card.yaml":                    0,       // of a training that is not recorded yet
		"custom/models/custom-3/1/card.yaml":                    day,     // of none
		"custom/models/somebodys/1/card.yaml":                   day,     // no custom model
		"custom/trainings/2/last.safetensors":                   day,     // under way
		"custom/trainings/3/last.safetensors":                   day,     // over
		"custom/images/aa/old":                                  9 * day, // used by the training under way, which began before
		"custom/images/aa/older":                                11 * day,
		"custom/images/aa/.aa00-123":                            2 * day,
		"custom/images/aa/.aa00-124":                            0,
		"s3/1/objects/b/k":                                      30 * day,
		"s3/1/objects/b/k.0123456789abcdef.tmp":                 2 * day,
		"s3/1/objects/b/another.0123456789abcdef.tmp":           time.Hour,
		"packages/x/custom/images/aa/.aa-1":                     30 * day,
		"runs/old-20260101-000000/run.json":                     0,
		"trilobite.db":                                          30 * day,
		"models/efficientnet-lite0/1/card.yaml":                 30 * day,
		".backup-1/1/custom/models/custom-1/1/card.yaml.linked": 2 * day,
	} {
		put(t, home, name, age)
	}
	run := `{"id":"old-20260101-000000","name":"old","state":"done","started":"2026-01-01T00:00:00Z"}`
	if err := os.WriteFile(filepath.Join(home, "runs/old-20260101-000000/run.json"), []byte(run), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(home, ".backup-1"), now.Add(-2*day), now.Add(-2*day)); err != nil {
		t.Fatal(err)
	}
	hosted, err := objects.OpenHosted(t.Context(), "file://"+filepath.ToSlash(home)+"/s3?no_tmp_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	defer hosted.Close()
	if err := hosted.Create(t.Context(), "1", "bucket"); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 2 {
		u, err := hosted.Start(t.Context(), "1", "bucket", "key", objects.Attributes{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hosted.PutPart(t.Context(), "1", "bucket", "key", u.ID, 1, objects.Attributes{}, strings.NewReader("part")); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, u.ID)
	}
	h := Home{Dir: home, Hosted: hosted, Now: now, Keep: Keep{Images: 7 * day, Runs: 30 * day}, Records: func(context.Context) (Kept, error) {
		return Kept{Models: []string{"custom-1@1"}, Trainings: map[int64]time.Time{2: now.Add(-10 * day)}}, nil
	}}
	items, err := Find(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image custom/images/aa/older", "leftover .backup-1", "leftover custom/images/aa/.aa00-123", "leftover s3/1/objects/b/k.0123456789abcdef.tmp",
		"model custom/models/custom-1/2", "model custom/models/custom-3/1", "run runs/old-20260101-000000", "training custom/trainings/3",
	}
	if diff := cmp.Diff(want, names(items)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := Remove(t.Context(), h, items); err != nil {
		t.Fatal(err)
	}
	if again, err := Find(t.Context(), h); err != nil || len(again) > 0 {
		t.Errorf("after it was removed: %v, %v", names(again), err)
	}
	for _, stays := range []string{"custom/models/custom-1/1/card.yaml", "custom/images/aa/old", "s3/1/objects/b/k", "trilobite.db", "packages/x/custom/images/aa/.aa-1"} {
		if _, err := os.Stat(filepath.Join(home, stays)); err != nil {
			t.Error(err)
		}
	}
	h.Keep.Uploads, h.Now = day, time.Now().Add(2*day)
	items, err = Find(t.Context(), h)
	uploads := slices.DeleteFunc(items, func(i Item) bool { return i.Kind != Upload })
	if err != nil || len(uploads) != 2 || uploads[0].Bytes < 4 || !slices.Contains(ids, strings.TrimPrefix(uploads[0].Name, "1/bucket/")) {
		t.Fatalf("stale uploads: %+v, %v", uploads, err)
	}
	if err := Remove(t.Context(), h, uploads[:1]); err != nil {
		t.Fatal(err)
	}
	if left, err := hosted.Uploads(t.Context(), "1", "bucket"); err != nil || len(left) != 1 {
		t.Errorf("uploads that are left: %v, %v", left, err)
	}
}

func names(items []Item) []string {
	var all []string
	for _, i := range items {
		all = append(all, string(i.Kind)+" "+i.Name)
	}
	slices.Sort(all)
	return all
}
