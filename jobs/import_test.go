package jobs

import (
	"strings"
	"testing"
	"time"

	"trilobite/custom"
)

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
