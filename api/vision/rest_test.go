package vision_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trilobite"
)

const bikeBody = `{"requests":[{"image":{"content":"YmlrZQ=="},"features":[{"type":"LABEL_DETECTION","maxResults":1}]}]}`

func post(t *testing.T, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler(analyzer{}).ServeHTTP(w, r)
	return w
}

func gzipped(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRESTForms(t *testing.T) {
	t.Parallel()
	compact := `{"responses":[{"labelAnnotations":[{"mid":"/trilobite/bicycle","description":"Bicycle","score":0.9375,"topicality":0.9375}]}]}`
	for _, tc := range []struct {
		name, path, body string
		header           []string
	}{
		{"names of enums", "/v1/images:annotate?prettyPrint=false", bikeBody, nil},
		{"numbers of enums", "/v1/images:annotate?prettyPrint=false", strings.ReplaceAll(bikeBody, `"LABEL_DETECTION"`, "4"), nil},
		{"field names of the proto", "/v1/images:annotate?prettyPrint=false", strings.ReplaceAll(bikeBody, "maxResults", "max_results"), nil},
		{"URL-safe base64 without padding", "/v1/images:annotate?prettyPrint=false", strings.ReplaceAll(bikeBody, "YmlrZQ==", "YmlrZQ"), nil},
		{"a client's encoded $alt", "/v1/images:annotate?%24alt=json%3Benum-encoding%3Dint&prettyPrint=0", bikeBody, nil},
		{"a bare semicolon", "/v1/images:annotate?$alt=json;enum-encoding=int&prettyPrint=false", bikeBody, nil},
		{"a project", "/v1/projects/p/images:annotate?prettyPrint=false", bikeBody, nil},
		{"a location", "/v1/projects/p/locations/eu/images:annotate?prettyPrint=false", bikeBody, nil},
		{"a key", "/v1/images:annotate?key=abc.def&prettyPrint=false", bikeBody, nil},
		{"gzip", "/v1/images:annotate?prettyPrint=false", gzipped(t, []byte(bikeBody)), []string{"Content-Encoding", "gzip"}},
		{"curl's default type", "/v1/images:annotate?prettyPrint=false", bikeBody, []string{"Content-Type", "application/x-www-form-urlencoded"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := post(t, tc.path, tc.body, tc.header...)
			if w.Code != http.StatusOK || w.Body.String() != compact {
				t.Errorf("got %d %s\nwant 200 %s", w.Code, w.Body, compact)
			}
			if ct := w.Header().Get("Content-Type"); ct != "application/json; charset=UTF-8" {
				t.Errorf("got Content-Type %q", ct)
			}
		})
	}
	t.Run("pretty by default", func(t *testing.T) {
		t.Parallel()
		w := post(t, "/v1/images:annotate", bikeBody)
		if want := "{\n  \"responses\": [\n    {\n      \"labelAnnotations\": [\n        {\n          \"mid\": \"/trilobite/bicycle\",\n"; !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("got %s\nwant prefix %s", w.Body, want)
		}
	})
}

func TestRESTErrors(t *testing.T) {
	t.Parallel()
	bomb := gzipped(t, make([]byte, 11<<20))
	for _, tc := range []struct {
		name, path, body string
		header           []string
		want             int
		status, text     string
	}{
		{"unknown field", "", `{"requests":[{"imagee":{}}]}`, nil, 400, "INVALID_ARGUMENT", `Invalid JSON payload received. Unknown name "imagee": Cannot find field.`},
		{"truncated JSON", "", bikeBody[:40], nil, 400, "INVALID_ARGUMENT", "Invalid JSON payload received. "},
		{"empty body", "", "", nil, 400, "INVALID_ARGUMENT", "Invalid JSON payload received. "},
		{"a list", "", "[]", nil, 400, "INVALID_ARGUMENT", "Invalid JSON payload received. "},
		{"wrong base64", "", strings.ReplaceAll(bikeBody, "YmlrZQ==", "%%%"+strings.Repeat("A", 5000)), nil, 400, "INVALID_ARGUMENT", "invalid value for bytes"},
		{"unknown enum", "", strings.ReplaceAll(bikeBody, "LABEL_", "LABLE_"), nil, 400, "INVALID_ARGUMENT", "LABLE_DETECTION"},
		{"no requests", "", "{}", nil, 400, "INVALID_ARGUMENT", "at least one image"},
		{"body over 10 MB", "", strings.Repeat(" ", 10<<20) + "{}", nil, 400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 10485760 bytes."},
		{"gzip bomb", "", bomb, []string{"Content-Encoding", "gzip"}, 400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 10485760 bytes."},
		{"no gzip inside", "", bikeBody, []string{"Content-Encoding", "gzip"}, 400, "INVALID_ARGUMENT", "encoding is broken"},
		{"gzip cut short", "", gzipped(t, []byte(bikeBody))[:50], []string{"Content-Encoding", "gzip"}, 400, "INVALID_ARGUMENT", "cut short"},
		{"another encoding", "", bikeBody, []string{"Content-Encoding", "br"}, 400, "INVALID_ARGUMENT", `"br"`},
		{"another format", "/v1/images:annotate?alt=proto", bikeBody, nil, 400, "INVALID_ARGUMENT", `"proto"`},
		{"unknown parameter", "/v1/images:annotate?foo=1", bikeBody, nil, 400, "INVALID_ARGUMENT", `Unknown name "foo"`},
		{"bad escape", "/v1/images:annotate?alt=%zz", bikeBody, nil, 400, "INVALID_ARGUMENT", "URL-encoded"},
		{"bad prettyPrint", "/v1/images:annotate?prettyPrint=maybe", bikeBody, nil, 400, "INVALID_ARGUMENT", "prettyPrint"},
		{"files", "/v1/files:annotate", "{}", nil, 501, "UNIMPLEMENTED", "BatchAnnotateFiles"},
		{"asynchronous images", "/v1/projects/p/images:asyncBatchAnnotate", "{}", nil, 501, "UNIMPLEMENTED", "AsyncBatchAnnotateImages"},
		{"another path", "/v1/images:nothing", "{}", nil, 404, "NOT_FOUND", "/v1/images:nothing"},
		{"throttled", "", strings.ReplaceAll(bikeBody, "YmlrZQ==", "ZnVsbA=="), nil, 429, "RESOURCE_EXHAUSTED", "Too many images at once."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := tc.path
			if path == "" {
				path = "/v1/images:annotate"
			}
			w := post(t, path, tc.body, tc.header...)
			var got struct {
				Error struct {
					Code            int
					Message, Status string
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != tc.want || got.Error.Code != tc.want || got.Error.Status != tc.status || !strings.Contains(got.Error.Message, tc.text) {
				t.Errorf("got %d %+v\nwant %d %s with %q", w.Code, got.Error, tc.want, tc.status, tc.text)
			}
			if len(got.Error.Message) > 1000 {
				t.Errorf("message of %d bytes repeats the request", len(got.Error.Message))
			}
		})
	}
}

func TestRESTOnlyPOST(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler(analyzer{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/images:annotate", nil))
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "NOT_FOUND") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestImagesRunTogetherWithinABound(t *testing.T) {
	t.Parallel()
	var now, peak atomic.Int32
	h := handler(analyzer{seen: func([]byte, trilobite.AnalyzeParams) {
		n := now.Add(1)
		p := peak.Load()
		for n > p && !peak.CompareAndSwap(p, n) {
			p = peak.Load()
		}
		time.Sleep(20 * time.Millisecond)
		now.Add(-1)
	}})
	one := bikeBody[len(`{"requests":[`) : len(bikeBody)-2]
	body := `{"requests":[` + one + strings.Repeat(","+one, 15) + "]}"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/images:annotate", strings.NewReader(body)))
	if w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if p := peak.Load(); p < 2 || p > 4 {
		t.Errorf("got %d images at once, want 2 to 4", p)
	}
}

func TestParamsOfTheAnalysis(t *testing.T) {
	t.Parallel()
	var got trilobite.AnalyzeParams
	h := handler(analyzer{seen: func(_ []byte, p trilobite.AnalyzeParams) { got = p }})
	body := `{"requests":[{"image":{"content":"YmlrZQ=="},"features":[{"type":11},{"type":7,"maxResults":3},{"type":9}],
		"imageContext":{"cropHintsParams":{"aspectRatios":[0.5,1.5]}}}]}`
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/images:annotate", strings.NewReader(body)))
	if got.Labels || got.Objects || !got.Properties || got.MaxColors != 3 || len(got.CropRatios) != 2 || got.CropRatios[1] != 1.5 || got.MinScore != 0.5 {
		t.Errorf("got %+v", got)
	}
}
