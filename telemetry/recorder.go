// Package telemetry counts and times what the server does and shows it to
// Prometheus.
//
// A Recorder has its own registry, so that two of them live in one process, and all
// its methods do nothing on a nil Recorder: a library user passes none. Packages that
// record declare the few methods they call as an interface of their own and do not
// import this one. docs/metrics.md lists the series. It does not trace requests;
// the log has their ids.
package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The stages of one image's way, as Observe's first argument. Queue is the time from
// the wish to run a model until a session takes it; Total is the whole analysis.
const (
	Decode      = "decode"
	Preprocess  = "preprocess"
	Queue       = "queue"
	Infer       = "infer"
	Postprocess = "postprocess"
	Total       = "total"
)

// Recorder holds the process's series. Its methods are safe for concurrent use.
type Recorder struct {
	registry *prometheus.Registry
	stages   *prometheus.HistogramVec
	batches  *prometheus.HistogramVec
	queues   *prometheus.GaugeVec
	requests *prometheus.CounterVec
	inFlight prometheus.Gauge
}

// New returns a Recorder whose registry also has the Go runtime's and the process's
// own series.
func New() *Recorder {
	r := &Recorder{
		registry: prometheus.NewRegistry(),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "trilobite_stage_seconds",
			Help:    "Time spent on one image in one stage, by stage and model; stages without a model have an empty one.",
			Buckets: prometheus.ExponentialBucketsRange(0.0001, 30, 24),
		}, []string{"stage", "model"}),
		batches: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "trilobite_batch_images",
			Help:    "Images in one run of a model.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
		}, []string{"model"}),
		queues: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "trilobite_queue_depth",
			Help: "Images waiting for a run of a model.",
		}, []string{"model"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trilobite_requests_total",
			Help: "Answered requests by API, operation and the API's own code: OK, or the name of an error.",
		}, []string{"api", "operation", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trilobite_requests_in_flight",
			Help: "Requests being answered.",
		}),
	}
	r.registry.MustRegister(
		r.stages, r.batches, r.queues, r.requests, r.inFlight,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// Observe records that one image spent d in a stage. The model is its name as in
// the store, never text from a request: each new one is a new series.
func (r *Recorder) Observe(stage, model string, d time.Duration) {
	if r != nil {
		r.stages.WithLabelValues(stage, model).Observe(d.Seconds())
	}
}

// Batch records a run of a model over n images.
func (r *Recorder) Batch(model string, n int) {
	if r != nil {
		r.batches.WithLabelValues(model).Observe(float64(n))
	}
}

// Queue sets how many images wait for a model.
func (r *Recorder) Queue(model string, depth int) {
	if r != nil {
		r.queues.WithLabelValues(model).Set(float64(depth))
	}
}

// Request counts an answered request. Operation and code come from an API's own
// tables; what a client made up is counted as "unknown".
func (r *Recorder) Request(api, operation, code string) {
	if r != nil {
		r.requests.WithLabelValues(api, operation, code).Inc()
	}
}

// InFlight adds n, 1 or -1, to the number of requests being answered.
func (r *Recorder) InFlight(n int) {
	if r != nil {
		r.inFlight.Add(float64(n))
	}
}

// Handler serves the series in the formats that Prometheus asks for; 404 on a nil
// Recorder.
func (r *Recorder) Handler() http.Handler {
	if r == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{Registry: r.registry})
}
