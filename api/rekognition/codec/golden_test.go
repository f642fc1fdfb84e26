package codec

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/google/go-cmp/cmp"
)

// TestGolden decodes what botocore wrote or was sent (golden/rekognition_codec.py) into
// the SDK's structs and encodes it again: the result must say what botocore says.
func TestGolden(t *testing.T) {
	t.Parallel()
	for file, side := range map[string]func(reflect.Type) reflect.Type{
		"testdata/requests.json":  func(m reflect.Type) reflect.Type { return m.In(2).Elem() },
		"testdata/responses.json": func(m reflect.Type) reflect.Type { return m.Out(0).Elem() },
	} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []struct {
			Operation, Body string
			Want            any
		}
		if err := json.Unmarshal(data, &cases); err != nil {
			t.Fatal(err)
		}
		for _, tt := range cases {
			t.Run(file+"/"+tt.Operation, func(t *testing.T) {
				t.Parallel()
				m, ok := reflect.TypeFor[*rekognition.Client]().MethodByName(tt.Operation)
				if !ok {
					t.Fatal("no such operation")
				}
				v := reflect.New(side(m.Type)).Interface()
				var c Codec
				if err := c.Decode([]byte(tt.Body), v); err != nil {
					t.Fatal(err)
				}
				body, err := c.Append(nil, v)
				if err != nil {
					t.Fatal(err)
				}
				var got any
				if err := json.Unmarshal(body, &got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.Want, got); diff != "" {
					t.Errorf("(-botocore +ours):\n%s", diff)
				}
			})
		}
	}
}
