package runs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"trilobite/metric"
)

const hostile = `<script>alert("x")</script>'"&`

// example makes a run that has everything a report shows.
func example(t *testing.T, s *Store, names []string) Run {
	t.Helper()
	f, err := s.Create(Run{
		Name: "road", Task: "segment", Started: started, Seed: 7, Epochs: 20, Recipe: json.RawMessage(`{"batch":4,"stages":[{"name":"head","lr":0.002}],"note":` + strconvQuote(hostile) + `}`),
		Versions: map[string]string{"trilobite": "v0.3.0", "onnxruntime": "1.32.0", "cpu": "2 cores"},
		Dataset: Dataset{Path: "data/" + hostile, Digest: "sha256:5d41402abc4b2a76b9719d911017c592", Classes: names, Train: 100, Validation: 30,
			Dropped: []Dropped{{"masks/0016E5_" + hostile + ".png", 0, "the mask is 480×360, its image 960×720"}, {"train.xml", 17, "box 10,10,10,30 has no area"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for step := int64(1); step <= 500; step++ {
		x := float64(step) / 500
		if err := f.Append(Event{Kind: "step", Step: step, Steps: 500, Epoch: int(step-1)/25 + 1, Loss: 0.25 + 2*math.Exp(-6*x) + 0.1*rng.Float64(), LR: 0.002 * math.Sin(math.Pi*math.Sqrt(x))}); err != nil {
			t.Fatal(err)
		}
		if step%25 == 0 {
			if err := f.Append(Event{Kind: "evaluation", Epoch: int(step / 25), Step: step, Metrics: map[string]float64{"mIoU": 0.58 * (1 - math.Exp(-5*x)), "pixel accuracy": 0.9 * (1 - math.Exp(-9*x)), "IoU Sky": 0.9 * (1 - math.Exp(-9*x)), "loss": 0.4 + math.Exp(-4*x)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := metric.NewConfusion(len(names))
	calibration := metric.NewCalibration(10)
	for range 4000 {
		truth := rng.IntN(len(names) - 1) // the last class is never there
		p, predicted := 0.3+0.7*rng.Float64(), truth
		if rng.Float64() > p*0.95 {
			predicted = rng.IntN(len(names) - 1)
		}
		c.Add(truth, predicted)
		calibration.Add(p, truth == predicted)
	}
	e := FromConfusion(names, c, true)
	e.Images, e.Calibration = 30, calibration.Bins()
	e.Figures[0].Interval = &metric.Interval{Low: 0.512, High: 0.604}
	ece := Number(calibration.ECE())
	e.ECE = &ece
	for _, name := range names[:4] {
		curve := Curve{Class: name, AP: Number(rng.Float64())}
		for r := range 101 {
			curve.Recall = append(curve.Recall, float64(r)/100)
			curve.Precision = append(curve.Precision, math.Sqrt(max(0, 1-math.Pow(float64(r)/90, 3))))
		}
		e.Curves = append(e.Curves, curve)
	}
	for i := range 3 {
		e.Worst = append(e.Worst, Picture{File: fmt.Sprintf("images/%d%s.jpg", i, hostile), Note: "IoU 0.21", Truth: "Road, " + hostile, Predicted: "Pavement", Image: swatch(t, 90), TruthDraw: swatch(t, 160), FoundDraw: swatch(t, 220)})
	}
	e.Key = []KeyColor{{"Sky", [3]uint8{0, 114, 178}}, {hostile, [3]uint8{230, 159, 0}}}
	e.Worst[0].Image = []byte("<svg onload=alert(1)>") // no picture: not shown
	if err := f.SaveEvaluation(e); err != nil {
		t.Fatal(err)
	}
	if err := f.Update(func(r *Run) {
		r.Epoch, r.Best, r.Model = 20, &Best{"mIoU", 0.571, 18, 450}, "road@1"
	}); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish(Done, nil); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get("road")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func strconvQuote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// swatch is a small PNG of one grey.
func swatch(t *testing.T, grey uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 160, 120))
	for i := range img.Pix {
		img.Pix[i] = grey
	}
	img.Set(3, 3, color.White)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReport(t *testing.T) {
	t.Parallel()
	s := NewStore(t.TempDir())
	names := []string{"Sky", "Road", hostile, "Tree", "Car", "Never there"}
	r := example(t, s, names)
	path, err := s.WriteReport(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, want := range []string{"road@1", "0.571", "mIoU", "混同行列", "Confusion matrix", "The worst predictions", "train.xml", "sha256:5d41", "onnxruntime", "Never there", "0.512", "ECE", `fill="#0072b2"`, "IoU by class"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	for _, bad := range []string{"<script", "onload=", "ZgotmplZ", "NaN", "<no value>", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the report holds %q", bad)
		}
	}
	if m := regexp.MustCompile(`(?i)(src|href)\s*=\s*"?[^"d]|url\(|@import|https?://`).FindString(page); m != "" {
		t.Errorf("the report reaches outside: %q", m)
	}
	if n := strings.Count(page, "data:image/png;base64,"); n != 8 {
		t.Errorf("%d pictures, want 8 of 9: one is none", n)
	}
	if en, ja := strings.Count(page, `<span lang="en">`), strings.Count(page, `<span lang="ja">`); en != ja || en < 20 {
		t.Errorf("%d texts in English, %d in Japanese", en, ja)
	}
}

// TestReportEarly renders what there is of a run that has just begun, and of one whose
// loss was never a number.
func TestReportEarly(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]Event{
		"nothing yet": nil,
		"one step":    {{Kind: "step", Step: 1, Loss: 2}},
		"no number":   {{Kind: "step", Step: 1, Loss: math.NaN()}, {Kind: "step", Step: 2, Loss: math.Inf(1)}, {Kind: "evaluation", Metrics: map[string]float64{"mIoU": math.NaN()}}},
	} {
		page, err := render(Run{ID: "x", Name: "x", State: Interrupted, Started: started, Error: hostile}, events, nil, started.Add(time.Minute))
		if err != nil || !bytes.Contains(page, []byte("1m0s")) || bytes.Contains(page, []byte("NaN")) || bytes.Contains(page, []byte("<script")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b float64
		want string
	}{
		{0, 1, "[0 0.2 0.4 0.6 0.8 1]"},
		{0, 500, "[0 100 200 300 400 500]"},
		{0, 0.002, "[0 0.0005 0.001 0.0015 0.002]"},
		{-3, 3, "[-3 -2 -1 0 1 2 3]"},
	} {
		var got []string
		for _, v := range ticks(tt.a, tt.b) {
			got = append(got, short(v))
		}
		if got := fmt.Sprint(got); got != tt.want {
			t.Errorf("ticks(%v, %v) = %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}
