package codec

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
)

// ignoreSDK leaves out what no wire carries: unexported markers and ResultMetadata.
var ignoreSDK = cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && (f.Name() == "noSmithyDocumentSerde" || f.Name() == "ResultMetadata")
}, cmp.Ignore())

// TestSDK sends every operation of the SDK through the codec, every field filled: the
// SDK's own serialiser writes what Decode reads, and its own deserialiser reads what
// Append writes.
func TestSDK(t *testing.T) {
	t.Parallel()
	client := reflect.TypeFor[*rekognition.Client]()
	operations := 0
	for m := range client.Methods() {
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 {
			continue
		}
		operations++
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			testOperation(t, m)
		})
	}
	if operations != 75 {
		t.Errorf("the SDK has %d operations, want 75", operations)
	}
}

func testOperation(t *testing.T, m reflect.Method) {
	t.Helper()
	var c Codec
	in := reflect.New(m.Type.In(2).Elem())
	out := reflect.New(m.Type.Out(0).Elem())
	fill(in.Elem(), 0)
	fill(out.Elem(), 0)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got := reflect.New(in.Type().Elem())
		if err := c.Decode(body, got.Interface()); err != nil {
			t.Errorf("decoding %s: %v", body, err)
		}
		if diff := cmp.Diff(in.Interface(), got.Interface(), ignoreSDK); diff != "" {
			t.Errorf("request (-sent +decoded):\n%s", diff)
		}
		answer, err := c.Append(nil, out.Interface())
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(answer)
	}))
	defer srv.Close()
	client := rekognition.New(rekognition.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	})
	res := m.Func.Call([]reflect.Value{reflect.ValueOf(client), reflect.ValueOf(t.Context()), in})
	if err := res[1].Interface(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.Interface(), res[0].Interface(), ignoreSDK); diff != "" {
		t.Errorf("answer (-encoded +parsed):\n%s", diff)
	}
}

// fill sets every field of v to something that is not its zero value.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d é\"\n", depth))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(depth + 7))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(1) / float32(depth+3)))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), depth+1)
		}
	case reflect.Uint8:
		v.SetUint(0xfb)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMilli(1700000000123).UTC()))
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Type != reflect.TypeFor[middleware.Metadata]() && !strings.HasPrefix(f.Name, "noSmithy") {
				fill(v.Field(i), depth+1)
			}
		}
	default:
		panic("no value for a " + v.Kind().String())
	}
}
