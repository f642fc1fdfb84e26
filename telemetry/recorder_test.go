package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"trilobite/telemetry"
)

func scrape(t *testing.T, r *telemetry.Recorder) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Code, w.Body.String()
}

func TestSeries(t *testing.T) {
	t.Parallel()
	r := telemetry.New()
	r.Observe(telemetry.Infer, "coco-ssd", 250*time.Millisecond)
	r.Observe(telemetry.Decode, "", time.Millisecond)
	r.Batch("coco-ssd", 4)
	r.Queue("coco-ssd", 7)
	r.Queue("coco-ssd", 3)
	r.Request("rekognition", "DetectLabels", "OK")
	r.Request("rekognition", "DetectLabels", "OK")
	r.InFlight(1)

	code, body := scrape(t, r)
	if code != http.StatusOK {
		t.Fatalf("got status %d, want 200", code)
	}
	for _, want := range []string{
		`trilobite_stage_seconds_sum{model="coco-ssd",stage="infer"} 0.25`,
		`trilobite_stage_seconds_count{model="",stage="decode"} 1`,
		`trilobite_batch_images_bucket{model="coco-ssd",le="2"} 0`,
		`trilobite_batch_images_bucket{model="coco-ssd",le="4"} 1`,
		`trilobite_queue_depth{model="coco-ssd"} 3`,
		`trilobite_requests_total{api="rekognition",code="OK",operation="DetectLabels"} 2`,
		`trilobite_requests_in_flight 1`,
		`go_goroutines `,
		`process_resident_memory_bytes `,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("scrape lacks %q", want)
		}
	}
}

func TestNilRecorderDoesNothing(t *testing.T) {
	t.Parallel()
	var r *telemetry.Recorder
	r.Observe(telemetry.Total, "m", time.Second)
	r.Batch("m", 1)
	r.Queue("m", 1)
	r.Request("vision", "BatchAnnotateImages", "OK")
	r.InFlight(1)
	if code, _ := scrape(t, r); code != http.StatusNotFound {
		t.Errorf("got status %d, want 404", code)
	}
}

func TestTwoRecordersAreApart(t *testing.T) {
	t.Parallel()
	a, b := telemetry.New(), telemetry.New()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { a.Batch("m", 1) })
	}
	wg.Wait()
	if _, body := scrape(t, a); !strings.Contains(body, `trilobite_batch_images_count{model="m"} 50`) {
		t.Error("a lacks its 50 batches")
	}
	if _, body := scrape(t, b); strings.Contains(body, "trilobite_batch_images_count") {
		t.Error("b has a's batches")
	}
}
