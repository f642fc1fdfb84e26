package native_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzRequest: whatever comes is answered with JSON and a status.
func FuzzRequest(f *testing.F) {
	f.Add("application/json", "", image("bike"))
	f.Add("application/json", "", `{"image":"YmlrZQ==","features":["crops","properties"],"crop_ratios":[1e-5,3],"min_score":0}`)
	f.Add("multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nbike\r\n--b--\r\n")
	f.Add("multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=\"min_score\"\r\n\r\n1e400\r\n--b--\r\n")
	f.Add("image/jpeg", "min_score=Inf&crop_ratios=1,,2&models=a,b", "bike")
	h := handler(nil)
	f.Fuzz(func(t *testing.T, kind, query, body string) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/analyze", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("got %d %q", w.Code, w.Body)
		}
	})
}
