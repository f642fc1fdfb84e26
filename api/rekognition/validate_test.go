package rekognition

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	image := &types.Image{Bytes: []byte("x")}
	tests := []struct {
		name, operation string
		in              any
		want            string // empty: valid
	}{
		{"all in order", "DetectLabels", &rekognition.DetectLabelsInput{Image: image, MinConfidence: aws.Float32(100), MaxLabels: aws.Int32(0)}, ""},
		{"negative count", "DetectLabels", &rekognition.DetectLabelsInput{Image: image, MaxLabels: aws.Int32(-1)},
			"1 validation error detected: Value '-1' at 'maxLabels' failed to satisfy constraint: Member must have value greater than or equal to 0"},
		{"two at once", "DetectLabels", &rekognition.DetectLabelsInput{MinConfidence: aws.Float32(100.5)},
			"2 validation errors detected: Value null at 'image' failed to satisfy constraint: Member must not be null; Value '100.5' at 'minConfidence' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"enum in a list", "DetectLabels", &rekognition.DetectLabelsInput{Image: image, Features: []types.DetectLabelsFeatureName{"FACES"}},
			"1 validation error detected: Value '[FACES]' at 'features' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [GENERAL_LABELS, IMAGE_PROPERTIES]]"},
		{"long list", "DetectLabels", &rekognition.DetectLabelsInput{Image: image, Features: []types.DetectLabelsFeatureName{"GENERAL_LABELS", "GENERAL_LABELS", "GENERAL_LABELS"}},
			"1 validation error detected: Value '[GENERAL_LABELS GENERAL_LABELS GENERAL_LABELS]' at 'features' failed to satisfy constraint: Member must have length less than or equal to 2"},
		{"deep path", "DetectLabels", &rekognition.DetectLabelsInput{Image: image, Settings: &types.DetectLabelsSettings{ImageProperties: &types.DetectLabelsImagePropertiesSettings{MaxDominantColors: 21}}},
			"1 validation error detected: Value '21' at 'settings.imageProperties.maxDominantColors' failed to satisfy constraint: Member must have value less than or equal to 20"},
		{"pattern", "DetectLabels", &rekognition.DetectLabelsInput{Image: &types.Image{S3Object: &types.S3Object{Bucket: aws.String("a/b"), Name: aws.String("k")}}},
			"1 validation error detected: Value 'a/b' at 'image.s3Object.bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9A-Za-z\\.\\-_]*"},
		{"pattern holds the whole value", "CreateCollection", &rekognition.CreateCollectionInput{CollectionId: aws.String("good\nbad id")},
			"1 validation error detected: Value 'good\nbad id' at 'collectionId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.\\-]+"},
		{"member of a structure in a list", "DistributeDatasetEntries", &rekognition.DistributeDatasetEntriesInput{Datasets: []types.DistributeDataset{{Arn: aws.String("arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1")}, {}}},
			"1 validation error detected: Value null at 'datasets.2.member.arn' failed to satisfy constraint: Member must not be null"},
		{"forbidden prefix of a tag", "TagResource", &rekognition.TagResourceInput{ResourceArn: aws.String(strings.Repeat("a", 20)), Tags: map[string]string{"aws:x": "y"}},
			"1 validation error detected: Value '[aws:x:y]' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^(?!aws:)[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*$]"},
		{"characters count, not bytes", "DetectLabels", &rekognition.DetectLabelsInput{Image: image, Settings: &types.DetectLabelsSettings{GeneralLabels: &types.GeneralLabelsSettings{LabelInclusionFilters: []string{strings.Repeat("è", 50)}}}}, ""},
		{"no input to check", "ListStreamProcessors", &rekognition.ListStreamProcessorsInput{}, ""},
	}
	v := newValidator()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := v.check(tt.operation, tt.in); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("check = %q\nwant    %q", got, tt.want)
			}
		})
	}
}

// TestTable walks every operation's input in the SDK beside the table: each member the
// table names is a field of the kind it says, and the empty input, which leaves out what
// is required, does not crash the check.
func TestTable(t *testing.T) {
	t.Parallel()
	v := newValidator()
	client := reflect.TypeFor[*rekognition.Client]()
	seen := 0
	for m := range client.Methods() {
		id, ok := inputs[m.Name]
		if !ok {
			continue
		}
		seen++
		in := m.Type.In(2).Elem()
		_ = v.check(m.Name, reflect.New(in).Interface())
		if id >= 0 {
			walkTable(t, id, in, m.Name)
		}
	}
	if seen != 75 || len(inputs) != 75 {
		t.Errorf("%d operations in the SDK and %d in the table, want 75", seen, len(inputs))
	}
}

func walkTable(t *testing.T, id int, typ reflect.Type, path string) {
	t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	s := shapes[id]
	kinds := map[shapeKind][]reflect.Kind{
		structureShape: {reflect.Struct}, listShape: {reflect.Slice}, mapShape: {reflect.Map}, stringShape: {reflect.String},
		blobShape: {reflect.Slice}, integerShape: {reflect.Int32}, longShape: {reflect.Int64}, floatShape: {reflect.Float32},
	}
	if kinds[s.kind][0] != typ.Kind() {
		t.Errorf("%s: the table says kind %d, the SDK %s", path, s.kind, typ)
		return
	}
	switch s.kind {
	case structureShape:
		for _, m := range s.members {
			f, ok := typ.FieldByName(m.name)
			if !ok {
				t.Errorf("%s: no field %s in %s", path, m.name, typ)
			} else if m.shape >= 0 {
				walkTable(t, m.shape, f.Type, path+"."+m.name)
			}
		}
	case listShape:
		if s.member != nil {
			walkTable(t, *s.member, typ.Elem(), path+"[]")
		}
	case mapShape:
		if s.value != nil {
			walkTable(t, *s.value, typ.Elem(), path+"{}")
		}
	default:
	}
}
