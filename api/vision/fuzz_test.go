package vision_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzREST: whatever comes is answered with JSON and a status, and a fault of the
// server (5xx) only where the analyser has one.
func FuzzREST(f *testing.F) {
	f.Add("", bikeBody)
	f.Add("$alt=json;enum-encoding=int&prettyPrint=false", bikeBody)
	f.Add("alt=%zz", `{"requests":[{}]}`)
	f.Add("key=a.b", `{"requests":[{"image":{"source":{"imageUri":"gs://a/b#c"}},"features":[{"type":99,"maxResults":-1}]}]}`)
	f.Add("", `{"requests":[{"image":{"content":"YmlrZQ"},"features":[{"type":9}],"imageContext":{"cropHintsParams":{"aspectRatios":["NaN",1e30,-0.0]}}}]}`)
	f.Add("", `{"requests":[{"image":{"content":"YmlrZQ"},"features":[{"type":"IMAGE_PROPERTIES","maxResults":2147483647},{"type":19}]}]}`)
	h := handler(analyzer{})
	f.Fuzz(func(t *testing.T, query, body string) {
		if strings.Contains(body, "d2FpdA") {
			return // "wait", in base64: the analyser waits for the client to give up
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/images:annotate", strings.NewReader(body))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) || w.Code >= 500 {
			t.Errorf("got %d %q", w.Code, w.Body)
		}
	})
}
