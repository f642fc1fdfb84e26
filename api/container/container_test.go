package container_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"trilobite/api/container"
	"trilobite/api/inference"
	"trilobite/api/native"
	"trilobite/auth"
	"trilobite/serving/servingtest"
)

func apis(t *testing.T) container.APIs {
	t.Helper()
	r, _ := servingtest.Open(t, 0)
	log := slog.New(slog.DiscardHandler)
	return container.APIs{
		Native:    native.New(native.Config{Models: r, Log: log}),
		Inference: inference.New(inference.Config{Models: r, Log: log}),
	}
}

func post(h http.Handler, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestInvocations(t *testing.T) {
	t.Parallel()
	shared := apis(t)
	tint := http.HandlerFunc((&container.Contract{APIs: shared, Model: "tint@1"}).Invocations)
	rgb := http.HandlerFunc((&container.Contract{APIs: shared, Model: "rgb"}).Invocations)
	picture := servingtest.Picture(t, 32, 20)
	b64 := base64.StdEncoding.EncodeToString(picture)
	ones := `[` + strings.Repeat("1,", 767) + `1]`
	raw := `{"inputs":[{"name":"x","datatype":"UINT8","shape":[1],"parameters":{"binary_data_size":1}}]}`
	for _, tc := range []struct {
		name   string
		h      http.Handler
		body   string
		header []string
		status int
		want   string // in the answer
	}{
		{"an image", tint, string(picture), []string{"Content-Type", "application/x-image"}, 200, `"classes":[{"index":2,"label":"blue"`},
		{"a mask", rgb, string(picture), []string{"Content-Type", "image/png", "Accept", "image/png"}, 200, "\x89PNG"},
		{"options as attributes", rgb, string(picture), []string{"Content-Type", "image/png", "X-Amzn-SageMaker-Custom-Attributes", "outputs=rle"}, 200, `"rle":{"size":[20,32]`},
		{"the native JSON", tint, `{"image":"` + b64 + `","max_results":1}`, []string{"Content-Type", "application/json"}, 200, `"classes":[{"index":2`},
		{"tensors", tint, `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3,16,16],"data":` + ones + `}]}`, []string{"Content-Type", "application/json"}, 200, `"data":[1,1,1]`},
		{"instances", tint, `{"instances":[{"b64":"` + b64 + `"},{"picture":{"b64":"` + b64 + `"},"id":1},{"content":"` + b64 + `"}],"parameters":{"max_results":1}}`,
			[]string{"Content-Type", "application/json", "Accept", "text/html"}, 200, `{"predictions":[{"model":"tint@1"`},
		{"no image", tint, "hello", []string{"Content-Type", "image/png"}, 422, "invalid_image"},
		{"no type", tint, "hello", nil, 400, "Content-Type"},
		{"no instances", tint, `{"instances":[]}`, []string{"Content-Type", "application/json"}, 400, "1 to 64"},
		{"an instance without an image", tint, `{"instances":[{"b64":7}]}`, []string{"Content-Type", "application/json"}, 400, "Instance 0"},
		{"an instance that is no object", tint, `{"instances":["a"]}`, []string{"Content-Type", "application/json"}, 400, "objects"},
		{"parameters that are none", tint, `{"instances":[{"b64":"YQ=="}],"parameters":7}`, []string{"Content-Type", "application/json"}, 400, "parameters"},
		{"an unknown parameter", tint, `{"instances":[{"b64":"YQ=="}],"parameters":{"max":7}}`, []string{"Content-Type", "application/json"}, 400, `max`},
		{"a wrong tensor, binary", tint, raw + "\x01", []string{"Content-Type", "application/vnd.sagemaker-triton.binary+json;json-header-size=" + strconv.Itoa(len(raw))}, 400, "uint8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := post(tc.h, "/invocations", []byte(tc.body), tc.header...)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("got %d %.300s, want %d with %q", w.Code, w.Body, tc.status, tc.want)
			}
		})
	}
	r := httptest.NewRequest(http.MethodGet, "/invocations", http.NoBody)
	w := httptest.NewRecorder()
	tint.ServeHTTP(w, r)
	if w.Code != 400 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	e := &container.Endpoint{APIs: apis(t), Auth: auth.Off()}
	picture := servingtest.Picture(t, 32, 20)
	w := post(e, "/endpoints/tint/invocations", picture, "Content-Type", "image/png", "X-Amzn-SageMaker-Target-Variant", "1", "X-Amzn-SageMaker-Custom-Attributes", "max_results=1")
	if w.Code != 200 || w.Header().Get("X-Amzn-Invoked-Production-Variant") != "1" || !strings.Contains(w.Body.String(), `"label":"blue"`) {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, tc := range []struct {
		name, path, kind, variant string
		body                      []byte
		status                    int
		code, text                string
	}{
		{"no such model", "/endpoints/none/invocations", "image/png", "", picture, 400, "ValidationError", "Endpoint none of account 000000000000 not found."},
		{"no such version", "/endpoints/tint/invocations", "image/png", "7", picture, 400, "ValidationError", "not found"},
		{"a path for a name", "/endpoints/..%2Ftint/invocations", "image/png", "", picture, 400, "UnknownOperationException", ""},
		{"no image", "/endpoints/tint/invocations", "image/png", "AllTraffic", []byte("hello"), 424, "ModelError", "Received client error (422)"},
		{"another call", "/endpoints/tint/async-invocations", "image/png", "", picture, 404, "UnknownOperationException", "InvokeEndpoint"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			header := []string{"Content-Type", tc.kind}
			if tc.variant != "" {
				header = append(header, "X-Amzn-SageMaker-Target-Variant", tc.variant)
			}
			w := post(e, tc.path, tc.body, header...)
			var got struct {
				Message            string
				OriginalStatusCode int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if tc.code == "UnknownOperationException" {
				tc.status = http.StatusNotFound
			}
			if w.Code != tc.status || w.Header().Get("X-Amzn-Errortype") != tc.code || !strings.Contains(got.Message, tc.text) {
				t.Errorf("got %d %s %+v, want %d %s", w.Code, w.Header().Get("X-Amzn-Errortype"), got, tc.status, tc.code)
			}
			if tc.code == "ModelError" && got.OriginalStatusCode != 422 {
				t.Errorf("original status %d", got.OriginalStatusCode)
			}
		})
	}
}
