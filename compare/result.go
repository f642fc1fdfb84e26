package compare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"trilobite/metric"
)

// Result is what a run measured: report.json, and the matter of every report.
type Result struct {
	Version  string     `json:"version"`
	Started  time.Time  `json:"started"`
	Ended    time.Time  `json:"ended"`
	Machine  Machine    `json:"machine"`
	Dataset  Data       `json:"dataset"`
	Task     Task       `json:"task"`
	MinScore float64    `json:"min_score"`
	Rounds   int        `json:"bootstrap_rounds"`
	Seed     uint64     `json:"seed"`
	Routes   []Measured `json:"routes"`
	Tests    []Test     `json:"tests,omitempty"`
}

// Data is what was asked about.
type Data struct {
	Path    string   `json:"path"`
	Digest  string   `json:"digest"`
	Classes []string `json:"classes"`
	Train   int      `json:"train_images"`
	Test    int      `json:"test_images"`
	Part    string   `json:"test_part"` // what the images are: test, validation, held-out, all
	Bytes   int64    `json:"test_bytes"`
	Dropped []string `json:"dropped,omitempty"`
}

// Machine is where routes of this machine ran.
type Machine struct {
	OS     string `json:"os"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
}

// Measured is what a route came to.
type Measured struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	Service string `json:"service"`
	Source  string `json:"source,omitempty"`
	// Missing says why the route has no figures.
	Missing string `json:"missing,omitempty"`
	Host    string `json:"host,omitempty"` // where images went; "" for this machine
	Region  string `json:"region,omitempty"`
	Feature string `json:"feature,omitempty"` // of the price book

	Figures   []Figure  `json:"figures,omitempty"` // over everything, the main one first
	Known     []Figure  `json:"known,omitempty"`   // over what the route has a word for
	Classes   []Class   `json:"classes,omitempty"`
	Matches   []Matches `json:"matches,omitempty"`
	Unmatched []string  `json:"unmatched_classes,omitempty"` // of the set: the route has no word for them
	Strangers []Count   `json:"unmatched_labels,omitempty"`  // of the route: said, and of no class
	Failures  []string  `json:"failures,omitempty"`          // images without an answer, and why

	Latency     Latency `json:"latency"`
	Throughput  float64 `json:"images_per_second"` // 0: not measured
	Clients     int     `json:"clients"`           // calls at a time behind Throughput
	Setup       float64 `json:"setup_seconds"`     // to be ready: load models, open connections
	Training    float64 `json:"training_seconds"`
	TrainImages int     `json:"training_images"`  // labelled images that it learned from; 0: none
	Recipe      string  `json:"recipe,omitempty"` // how it learned
	RecipeJA    string  `json:"recipe_ja,omitempty"`
	Curve       []Point `json:"learning_curve,omitempty"`
	PeakMemory  int64   `json:"peak_memory_bytes"` // of a process that does nothing but answer by this route; 0: not measured
	Sent        int64   `json:"bytes_sent"`        // of images, to Host, over all runs
	Calls       int     `json:"calls"`             // answered, over all runs
}

// Figure is a measured number with its 95 percent interval.
type Figure struct {
	Name     string           `json:"name"`
	Value    Number           `json:"value"`
	Interval *metric.Interval `json:"interval,omitempty"`
	Exact    bool             `json:"exact,omitempty"` // the interval is Clopper and Pearson's, not a bootstrap's
}

// Number is a figure that may be missing: NaN is null in JSON.
type Number float64

// MarshalJSON writes null for what is no number.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads it back.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// Class is how a route does on a class of the set, 0 to 1.
type Class struct {
	Name      string `json:"name"`
	Samples   int64  `json:"samples"` // images, objects or pixels in the truth
	Precision Number `json:"precision"`
	Recall    Number `json:"recall"`
	Main      Number `json:"main"`  // F1, AP or IoU
	Known     bool   `json:"known"` // the route has a word for it
}

// Matches is a label that was taken for a class, and how often it was said.
type Matches struct {
	Match

	Said int `json:"said"`
}

// Count is how many images, or boxes, a label was said of.
type Count struct {
	Label string `json:"label"`
	Said  int    `json:"said"`
}

// Latency is the time of single calls in seconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	N   int     `json:"n"`
}

// Point is a route trained on a part of the training images.
type Point struct {
	Share   float64 `json:"share"` // 0 to 1
	Images  int     `json:"images"`
	Seconds float64 `json:"training_seconds"`
	Main    Figure  `json:"main"`
}

// Test compares the main figure of two routes on the same images.
type Test struct {
	A          string          `json:"a"`
	B          string          `json:"b"`
	Figure     string          `json:"figure"`
	Difference float64         `json:"difference"` // A's less B's
	Interval   metric.Interval `json:"interval"`   // of the difference, by paired bootstrap
	// Exact tells that the routes were right on the same images, and Interval is Clopper and
	// Pearson's for the share on which they may differ.
	Exact  bool    `json:"exact,omitempty"`
	P      float64 `json:"p"`
	Method string  `json:"method"` // McNemar's exact test, or a paired permutation test
}

// FigureInJapanese names a figure in Japanese; most have but their English name.
func FigureInJapanese(name string) string {
	names := map[string]string{"accuracy": "正解率", "precision": "適合率", "recall": "再現率", "F1": "F1値", "pixel accuracy": "画素正解率"}
	return cmp.Or(names[name], name)
}

// PValue writes a p-value, very small ones as a bound.
func PValue(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	return fmt.Sprintf("p = %.4f", p)
}

// Main returns the main figure of a route, NaN where it has none.
func (m *Measured) Main() Figure {
	if len(m.Figures) == 0 {
		return Figure{Value: Number(math.NaN())}
	}
	return m.Figures[0]
}

// Local reports whether the route runs on this machine.
func (m *Measured) Local() bool { return m.Host == "" }

// latency sorts out calls' seconds.
func latency(seconds []float64) Latency {
	l := Latency{N: len(seconds)}
	if l.N > 0 {
		l.P50, l.P95, l.P99 = quantile(seconds, 0.5), quantile(seconds, 0.95), quantile(seconds, 0.99)
	}
	return l
}
