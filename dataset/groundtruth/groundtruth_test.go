package groundtruth

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/geom"
)

// classLine is a line of a picture with one label.
func classLine(label string) string {
	return fmt.Sprintf(`{"source-ref":"s3://b/dir/k.png","x":1,"x-metadata":{"class-name":%q,"confidence":1,"type":"groundtruth/image-classification","job-name":"j","human-annotated":"yes","creation-date":"2020-03-06T17:46:39.176"}}`, label)
}

// boxLine is a line of a picture of 640×480 with the given annotations.
func boxLine(annotations, objects string) string {
	return `{"source-ref":"s3://b/k.png","boxes":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[` + annotations +
		`]},"boxes-metadata":{"objects":[` + objects + `],"class-map":{"0":"Echo","1":"Echo Dot"},"type":"groundtruth/object-detection"}}`
}

const (
	goodBox = `{"class_id":1,"top":251,"left":399,"width":155,"height":101}`
	sure    = `{"confidence":1}`
)

// errorsAt collects the codes of every "errors" list, by where it stands.
func errorsAt(t *testing.T, text string) map[string][]string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	found := map[string][]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, sub := range v {
				if k == "errors" {
					for _, e := range sub.([]any) {
						found[path] = append(found[path], e.(map[string]any)["code"].(string))
					}
					continue
				}
				walk(path+"/"+k, sub)
			}
		case []any:
			for i, sub := range v {
				walk(fmt.Sprintf("%s/%d", path, i), sub)
			}
		}
	}
	walk("", v)
	return found
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		labels     []string
		objects    []Object
		errors     map[string][]string
	}{
		{"a label", classLine("Sunrise"), []string{"Sunrise"}, nil, nil},
		{"two labels", `{"source-ref":"s3://b/k","a":1,"a-metadata":{"class-name":"A","type":"groundtruth/image-classification"},"b":0,"b-metadata":{"class-name":"B","type":"groundtruth/image-classification"}}`, []string{"A", "B"}, nil, nil},
		{"boxes", boxLine(goodBox, sure), nil, []Object{{"Echo Dot", geom.Rect{X: 399, Y: 251, W: 155, H: 101}}}, nil},
		{"no labels yet", `{"source-ref":"s3://b/k"}`, nil, nil, nil},
		{"no boxes", boxLine("", ""), nil, nil, nil},
		{"masks beside a label are let be", `{"source-ref":"s3://b/k","m-ref":"m.png","m-ref-metadata":{"type":"groundtruth/semantic-segmentation"},"a":1,"a-metadata":{"class-name":"A","type":"groundtruth/image-classification"}}`, []string{"A"}, nil, nil},
		{"old errors go", `{"source-ref":"s3://b/k","errors":[{"code":"OLD"}],"a":1,"a-metadata":{"errors":[{"code":"OLD"}],"class-name":"A","type":"groundtruth/image-classification"}}`, []string{"A"}, nil, nil},
		{"metadata missing", `{"source-ref":"s3://b/k","a":1}`, nil, nil, map[string][]string{"": {"ERROR_NO_LABEL_ATTRIBUTES"}}},
		{"attribute is no number", strings.Replace(classLine("A"), `"x":1`, `"x":"1"`, 1), nil, nil, map[string][]string{"": {"ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", "ERROR_NO_VALID_LABEL_ATTRIBUTES"}}},
		{"metadata without a type", `{"source-ref":"s3://b/k","a":1,"a-metadata":{"class-name":"A"}}`, nil, nil, map[string][]string{"/a-metadata": {"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"}, "": {"ERROR_NO_VALID_LABEL_ATTRIBUTES"}}},
		{"metadata is no object", `{"source-ref":"s3://b/k","a":1,"a-metadata":7}`, nil, nil, map[string][]string{"": {"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT", "ERROR_NO_VALID_LABEL_ATTRIBUTES"}}},
		{"masks alone", `{"source-ref":"s3://b/k","m":"m.png","m-metadata":{"type":"groundtruth/semantic-segmentation"}}`, nil, nil, map[string][]string{"": {"ERROR_NO_VALID_LABEL_ATTRIBUTES"}}},
		{"label too long", classLine(strings.Repeat("x", 256)), nil, nil, map[string][]string{"/x-metadata": {"ERROR_INVALID_LABEL_NAME_LENGTH"}, "": {"ERROR_NO_VALID_LABEL_ATTRIBUTES"}}},
		{"boxes without a size", strings.Replace(boxLine(goodBox, sure), `"width":640,`, "", 1), nil, nil, map[string][]string{"/boxes": {"ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT"}, "": {"ERROR_NO_VALID_LABEL_ATTRIBUTES"}}},
		{"confidence missing, box kept", boxLine(goodBox, `{}`), nil, []Object{{"Echo Dot", geom.Rect{X: 399, Y: 251, W: 155, H: 101}}}, map[string][]string{"/boxes-metadata": {"ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"}}},
		{"class missing", boxLine(goodBox+`,{"class_id":7,"top":1,"left":1,"width":5,"height":5}`, sure+","+sure), nil, []Object{{"Echo Dot", geom.Rect{X: 399, Y: 251, W: 155, H: 101}}}, map[string][]string{"/boxes-metadata": {"ERROR_MISSING_CLASS_MAP_ID"}}},
		{"box off the frame", boxLine(goodBox+`,{"class_id":0,"top":-1,"left":1,"width":5,"height":5}`, sure+","+sure), nil, []Object{{"Echo Dot", geom.Rect{X: 399, Y: 251, W: 155, H: 101}}}, map[string][]string{"/boxes/annotations/1": {"ERROR_INVALID_BOUNDING_BOX"}}},
		{"box too small, none left", boxLine(`{"class_id":0,"top":1,"left":1,"width":1,"height":5}`, sure), nil, nil, map[string][]string{"/boxes/annotations/0": {"ERROR_BOUNDING_BOX_TOO_SMALL"}, "/boxes": {"ERROR_NO_VALID_ANNOTATIONS"}}},
		{"51 boxes", boxLine(strings.Repeat(goodBox+",", 50)+goodBox, strings.Repeat(sure+",", 50)+sure), nil, nil, map[string][]string{"/boxes": {"ERROR_TOO_MANY_BOUNDING_BOXES"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := Parse([]byte(tt.line))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.labels, l.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.objects, l.Objects); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			want := tt.errors
			if want == nil {
				want = map[string][]string{}
			}
			if diff := cmp.Diff(want, errorsAt(t, l.Text)); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if l.Failed != (len(want) > 0) {
				t.Errorf("Failed is %v", l.Failed)
			}
			again, err := Parse([]byte(l.Text))
			if err != nil || again.Text != l.Text {
				t.Errorf("read again it is %v, %v, want the same", again, err)
			}
		})
	}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		want       Code
	}{
		{"empty", "", InvalidJSONLine},
		{"no JSON", `{"source-ref":`, InvalidJSONLine},
		{"a list", `[]`, InvalidJSONLine},
		{"something after it", `{"source-ref":"s3://b/k"} x`, InvalidJSONLine},
		{"bytes that are no text", "{\"source-ref\":\"s3://b/\xff\"}", InvalidJSONLine},
		{"no source-ref", `{"x":1}`, MissingSourceRef},
		{"source-ref is no text", `{"source-ref":1}`, InvalidSourceRef},
		{"another scheme", `{"source-ref":"https://b/k"}`, InvalidSourceRef},
		{"no key", `{"source-ref":"s3://b/"}`, InvalidSourceRef},
		{"100,001 characters", `{"source-ref":"s3://b/k","x":"` + strings.Repeat("é", MaxLine) + `"}`, TooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := Parse([]byte(tt.line))
			if l != nil || !errors.Is(err, tt.want) {
				t.Errorf("got %v, %v, want %s", l, err, tt.want)
			}
		})
	}
}

func TestTextKeepsWhatIsUnknown(t *testing.T) {
	t.Parallel()
	line := classLine("Cat")
	l, err := Parse([]byte(line))
	if err != nil || l.Text != line {
		t.Errorf("got %s, %v\nwant %s", l.Text, err, line)
	}
	text, err := AddError(l.Text, InvalidImage)
	if err != nil || !strings.HasSuffix(text, `,"errors":[{"code":"ERROR_INVALID_IMAGE","message":"The image is invalid. Check S3 path and/or image properties."}]}`) {
		t.Errorf("got %s, %v", text, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(classLine("Cat")))
	f.Add([]byte(boxLine(goodBox, sure)))
	f.Add([]byte(boxLine(`{"class_id":0,"top":-1,"left":1,"width":1e308,"height":5}`, `{}`)))
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := Parse(line)
		if err != nil {
			return
		}
		if !json.Valid([]byte(l.Text)) {
			t.Errorf("%q became %q, which is no JSON", line, l.Text)
		}
		for _, o := range l.Objects {
			if o.Box.X < 0 || o.Box.W <= 1 || o.Box.X+o.Box.W > float64(l.W) {
				t.Errorf("box %v of a picture %d wide", o.Box, l.W)
			}
		}
	})
}
