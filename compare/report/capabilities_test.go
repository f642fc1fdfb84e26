package report

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/vision/v2/apiv1/visionpb"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/google/go-cmp/cmp"

	"trilobite/compare"
)

func TestEveryCellHasASource(t *testing.T) {
	t.Parallel()
	for _, task := range []compare.Task{compare.Classify, compare.Detect, compare.Segment} {
		for _, row := range sample(t, task).Table {
			for _, c := range row.Cells {
				if c.Source == "" || c.EN == "" || c.JA == "" || (c.Mark != Yes && c.Mark != Partly && c.Mark != No) {
					t.Errorf("%s: %+v", row.ID, c)
				}
			}
		}
	}
}

// TestCitedLines: the words that cells cite from documents of this project are there.
func TestCitedLines(t *testing.T) {
	t.Parallel()
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	seen := 0
	for _, task := range []compare.Task{compare.Classify, compare.Segment} {
		for _, row := range sample(t, task).Table {
			for _, c := range row.Cells {
				if !strings.HasPrefix(c.Source, "docs/") && !strings.HasPrefix(c.Source, "README.md") {
					continue
				}
				seen++
				file, cited, _ := strings.Cut(c.Source, `: "`)
				data, err := os.ReadFile(filepath.Join("..", "..", file))
				if err != nil {
					t.Errorf("%s: %v", row.ID, err)
				} else if cited = strings.TrimSuffix(cited, `"`); cited == "" || !strings.Contains(words(string(data)), words(cited)) {
					t.Errorf("%s: %s does not say %q", row.ID, file, cited)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no cell cites a document")
	}
}

// TestNoSuchField: cells that say "no such field" rest on these fields, and on no others, of the
// vendors' SDKs. Where one comes, look at the cells.
func TestNoSuchField(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		of   any
		want string
	}{
		"DetectLabels":         {rekognition.DetectLabelsInput{}, "Features Image MaxLabels MinConfidence Settings"},
		"CreateProjectVersion": {rekognition.CreateProjectVersionInput{}, "FeatureConfig KmsKeyId OutputConfig ProjectArn Tags TestingData TrainingData VersionDescription VersionName"},
		"AnnotateImageRequest": {visionpb.AnnotateImageRequest{}, "Features Image ImageContext"},
		"ImageContext":         {visionpb.ImageContext{}, "CropHintsParams LanguageHints LatLongRect ProductSearchParams TextDetectionParams WebDetectionParams"},
	} {
		var got []string
		for f := range reflect.TypeOf(tt.of).Fields() {
			if f.IsExported() {
				got = append(got, f.Name)
			}
		}
		want := strings.Fields(tt.want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
