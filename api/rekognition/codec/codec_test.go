package codec

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/google/go-cmp/cmp"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   any
		want string
	}{
		{"nil pointer is the empty object", (*rekognition.DeleteDatasetOutput)(nil), `{}`},
		{"no result metadata", &rekognition.DeleteDatasetOutput{}, `{}`},
		{"nil list is left out", &rekognition.DetectLabelsOutput{}, `{}`},
		{"empty list stays", &rekognition.DetectLabelsOutput{Labels: []types.Label{}}, `{"Labels":[]}`},
		{"empty enum is left out", &rekognition.StopProjectVersionOutput{}, `{}`},
		{"zero behind a pointer stays", &types.BoundingBox{Left: aws.Float32(0)}, `{"Left":0.0}`},
		{"whole floats are floats", &types.BoundingBox{Left: aws.Float32(-100), Top: aws.Float32(1e21)}, `{"Left":-100.0,"Top":1e+21}`},
		{"a bool that is no pointer is always there", &types.Beard{Confidence: aws.Float32(97.5)}, `{"Confidence":97.5,"Value":false}`},
		{"float32 is not widened", &types.BoundingBox{Left: aws.Float32(0.1), Top: aws.Float32(1.0 / 3)}, `{"Left":0.1,"Top":0.33333334}`},
		{"tiny floats have an exponent", &types.BoundingBox{Left: aws.Float32(1e-9)}, `{"Left":1e-09}`},
		{"NaN is Smithy's string", &types.BoundingBox{Left: aws.Float32(float32(math.NaN()))}, `{"Left":"NaN"}`},
		{"times are epoch seconds", &types.DatasetMetadata{CreationTimestamp: aws.Time(time.UnixMilli(1700000000123))}, `{"CreationTimestamp":1700000000.123}`},
		{"whole seconds have no point", &types.DatasetMetadata{CreationTimestamp: aws.Time(time.Unix(1700000000, 0))}, `{"CreationTimestamp":1700000000}`},
		{"blobs are base64", &types.Image{Bytes: []byte("abc")}, `{"Bytes":"YWJj"}`},
		{"maps are sorted", &rekognition.ListTagsForResourceOutput{Tags: map[string]string{"b": "2", "a": "1"}}, `{"Tags":{"a":"1","b":"2"}}`},
		{"strings are escaped", &types.Parent{Name: aws.String("a\"\\\n\x01é\xff")}, `{"Name":"a\"\\\n\u0001é` + "\uFFFD" + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c Codec
			got, err := c.Append(nil, tt.in)
			if err != nil || string(got) != tt.want {
				t.Errorf("Append = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       rekognition.DetectLabelsInput
	}{
		{"empty object", `{}`, rekognition.DetectLabelsInput{}},
		{"keys have a case", `{"maxLabels":3,"MAXLABELS":4}`, rekognition.DetectLabelsInput{}},
		{"unknown keys are ignored, whatever they hold", `{"X":[{"a":[null,1e3,"\"",false]}],"MaxLabels":3}`, rekognition.DetectLabelsInput{MaxLabels: aws.Int32(3)}},
		{"null is absent", `{"MaxLabels":null,"Image":null,"Features":null}`, rekognition.DetectLabelsInput{}},
		{"null members are dropped", `{"Features":[null,"GENERAL_LABELS"]}`, rekognition.DetectLabelsInput{Features: []types.DetectLabelsFeatureName{"GENERAL_LABELS"}}},
		{"empty list is not nil", `{"Features":[ ]}`, rekognition.DetectLabelsInput{Features: []types.DetectLabelsFeatureName{}}},
		{"the last of equal keys counts", `{"Image":{"Bytes":"YQ=="},"Image":{"S3Object":{"Name":"n"}}}`, rekognition.DetectLabelsInput{Image: &types.Image{S3Object: &types.S3Object{Name: aws.String("n")}}}},
		{"whole float", " \t\r\n{\"MinConfidence\" : 55 }\n", rekognition.DetectLabelsInput{MinConfidence: aws.Float32(55)}},
		{"blob with escaped slashes, as PHP writes it", `{"Image":{"Bytes":"\/\/8="}}`, rekognition.DetectLabelsInput{Image: &types.Image{Bytes: []byte{0xff, 0xff}}}},
		{"empty blob is not nil", `{"Image":{"Bytes":""}}`, rekognition.DetectLabelsInput{Image: &types.Image{Bytes: []byte{}}}},
		{"escapes", `{"Image":{"S3Object":{"Name":"\u00e9\uD83D\uDE00\ud800x\n\\\""}}}`, rekognition.DetectLabelsInput{Image: &types.Image{S3Object: &types.S3Object{Name: aws.String("é😀\uFFFDx\n\\\"")}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c Codec
			var got rekognition.DetectLabelsInput
			if err := c.Decode([]byte(tt.body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, ignoreSDK); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"empty body", ``, "ends inside"},
		{"truncated object", `{"MaxLabels":3`, "ends inside"},
		{"truncated string", `{"Image":{"Bytes":"YWJ`, "ends inside"},
		{"truncated after an escape", `{"X":"\`, "ends inside"},
		{"truncated word", `{"X":tru`, "unexpected character"},
		{"truncated number", `{"MaxLabels":-`, "ends inside"},
		{"no JSON at all", `<xml/>`, "unexpected character at byte 0"},
		{"not an object", `[]`, "Start of list found"},
		{"text after the object", `{} {}`, "unexpected character at byte 3"},
		{"trailing comma", `{"MaxLabels":3,}`, "unexpected character"},
		{"missing colon", `{"MaxLabels" 3}`, "unexpected character"},
		{"single quotes", `{'MaxLabels':3}`, "unexpected character"},
		{"leading zero", `{"MaxLabels":03}`, "unexpected character"},
		{"control character", "{\"X\n\":1}", "control character"},
		{"unknown escape", `{"\x":1}`, "bad escape"},
		{"short escape", `{"\u12":1}`, "bad escape"},
		{"string for a float", `{"MinConfidence":"55"}`, "STRING_VALUE can not be converted to a Float"},
		{"number for a string", `{"Image":{"S3Object":{"Name":5}}}`, "NUMBER_VALUE can not be converted to a String"},
		{"bool for a string", `{"Image":{"S3Object":{"Name":true}}}`, "TRUE_VALUE can not be converted to a String"},
		{"fraction for an integer", `{"MaxLabels":1.5}`, "NUMBER_VALUE can not be converted to an Integer"},
		{"integer beyond 32 bits", `{"MaxLabels":4294967296}`, "NUMBER_VALUE can not be converted to an Integer"},
		{"float beyond 32 bits", `{"MinConfidence":1e300}`, "NUMBER_VALUE can not be converted to a Float"},
		{"object for a number", `{"MaxLabels":{}}`, "Start of structure or map found where not expected."},
		{"string for an object", `{"Image":"YWJj"}`, "STRING_VALUE can not be converted to a structure"},
		{"number for a blob", `{"Image":{"Bytes":1}}`, "NUMBER_VALUE can not be converted to a Blob"},
		{"broken base64", `{"Image":{"Bytes":"YWJ"}}`, "not base64"},
		{"data URL for a blob", `{"Image":{"Bytes":"data:image/png;base64,YWJj"}}`, "not base64"},
		{"too deep", `{"X":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "levels deep"},
		{"too many members", `{"Features":["a"` + strings.Repeat(`,"a"`, 10_000) + `]}`, "more than 10000 members"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c Codec
			err := c.Decode([]byte(tt.body), new(rekognition.DetectLabelsInput))
			if s, ok := errors.AsType[*SyntaxError](err); !ok || !strings.Contains(s.Msg, tt.want) {
				t.Errorf("Decode: %v, want a SyntaxError with %q", err, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"Image":{"Bytes":"YWJj"},"MaxLabels":3,"MinConfidence":1e1,"Features":["A",null]}`))
	f.Add([]byte(`{"\ud83d\ude00":[{"a":"\\"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var c Codec
		var in, again rekognition.DetectLabelsInput
		if c.Decode(body, &in) != nil {
			return
		}
		out, err := c.Append(nil, &in)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Decode(out, &again); err != nil {
			t.Fatalf("own output %s: %v", out, err)
		}
		if diff := cmp.Diff(in, again, ignoreSDK); diff != "" {
			t.Errorf("decoded twice (-first +second):\n%s", diff)
		}
	})
}
