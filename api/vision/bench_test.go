package vision_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trilobite"
	"trilobite/api/vision"
)

// instant sees a bicycle in every picture.
type instant struct{}

func (instant) Analyze(context.Context, []byte, trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	return bike(), nil
}

// BenchmarkREST is what the API itself costs for one image of 80 kB.
func BenchmarkREST(b *testing.B) {
	h := vision.New(vision.Config{Analyzer: instant{}})
	body := `{"requests":[{"image":{"content":"` + base64.StdEncoding.EncodeToString(make([]byte, 80<<10)) + `"},"features":[{"type":4}]}]}`
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/images:annotate", strings.NewReader(body)))
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
