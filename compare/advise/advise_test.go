package advise

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trilobite/compare"
	"trilobite/compare/cost"
	"trilobite/metric"
	"trilobite/price"
)

func of[T any](v T) *T { return &v }

// story is pizza, steak and sushi: the pretrained model has no word for sushi.
func story(t *testing.T) (*compare.Result, cost.Costs) {
	t.Helper()
	figure := func(v, low, high float64) compare.Figure {
		return compare.Figure{Name: "accuracy", Value: compare.Number(v), Interval: &metric.Interval{Low: low, High: high}}
	}
	classes := func(pizza, sushi float64) []compare.Class {
		return []compare.Class{{Name: "pizza", Main: compare.Number(pizza)}, {Name: "sushi", Main: compare.Number(sushi)}}
	}
	curve := []compare.Point{{Share: 0.1, Images: 12, Main: figure(0.59, 0.4, 0.7)}, {Share: 0.5, Images: 57, Main: figure(0.92, 0.82, 1)}, {Share: 1, Images: 113, Main: figure(0.95, 0.87, 1)}}
	r := &compare.Result{
		Task: compare.Classify, Dataset: compare.Data{Classes: []string{"pizza", "sushi"}, Train: 113},
		Routes: []compare.Measured{
			{Name: "pretrained", Kind: compare.Pretrained, Service: "trilobite", Figures: []compare.Figure{figure(0.3, 0.2, 0.45)}, Classes: classes(0.77, 0), Unmatched: []string{"sushi"}, Throughput: 10, Latency: compare.Latency{P95: 0.15}},
			{Name: "custom", Kind: compare.Custom, Service: "trilobite-custom", Figures: []compare.Figure{figure(0.95, 0.87, 1)}, Classes: classes(0.96, 0.97), Throughput: 25, TrainImages: 113, Curve: curve, Latency: compare.Latency{P95: 0.05}},
			{Name: "own", Kind: compare.Own, Service: "trilobite-own", Figures: []compare.Figure{figure(0.95, 0.87, 1)}, Classes: classes(0.96, 0.97), Throughput: 30, TrainImages: 113, Curve: curve, Latency: compare.Latency{P95: 0.06}},
		},
		Tests: []compare.Test{{A: "pretrained", B: "custom", Figure: "accuracy", Difference: -0.65, P: 1e-6}, {A: "custom", B: "own", Figure: "accuracy", P: 1}},
	}
	book, err := price.Load("")
	if err != nil {
		t.Fatal(err)
	}
	a := cost.Defaults()
	a.Machine, a.Labour, a.Labelling, a.Operation, a.CloudHours = of(0.1), of(30.0), of(10.0), of(2.0), of(1.0)
	return r, cost.Of(r, book, a)
}

func TestRank(t *testing.T) {
	t.Parallel()
	r, c := story(t)
	tests := []struct {
		reason string
		q      Requirements
		first  string
		out    string // routes that are ruled out
		rule   string // that the first one's place, or the last one's, rests on
	}{
		{"images must not leave: vendors are out", Requirements{Privacy: "local"}, "custom", "custom-labels pretrained rekognition vertex vision", "privacy"},
		{"pizza alone: over sushi as well it is worse, which rules nothing out", Requirements{Labels: []string{"pizza"}}, "custom", "", "difference"},
		{"pizza alone, as well as the pretrained model knows it", Requirements{Labels: []string{"pizza"}, Accuracy: of(0.75)}, "custom", "", "accuracy"},
		{"nothing is labelled: nothing can be learned", Requirements{Labels: []string{"pizza"}, Labelled: of(0)}, "pretrained", "custom custom-labels own vertex", "labelled images"},
		{"an engineer is there", Requirements{Staff: "engineer"}, "own", "pretrained", "staff"},
		{"an operator alone", Requirements{Staff: "operator"}, "custom", "pretrained", "staff"},
		{"50 ms at most", Requirements{Latency: of(55.0)}, "custom", "own pretrained", "latency"},
		{"$200 a month at 100,000 images", Requirements{Budget: of(200.0)}, "custom", "custom-labels pretrained vertex", "budget"},
		{"$200 a month at a million", Requirements{Budget: of(200.0), Volume: of(1e6)}, "custom", "custom-labels pretrained rekognition vertex vision", "budget"},
		{"surely 0.8", Requirements{Accuracy: of(0.8)}, "custom", "pretrained", "accuracy"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			got := Rank(r, c, tt.q)
			var out []string
			fired := false
			for _, a := range got {
				if a.Out {
					out = append(out, a.Route)
				}
				for _, f := range a.Findings {
					fired = fired || f.Rule == tt.rule
					if f.EN == "" || f.JA == "" || (f.Effect == Out || f.Effect == Against) && (f.ChangeEN == "" || f.ChangeJA == "") {
						t.Errorf("%s: %+v", a.Route, f)
					}
				}
			}
			if want := strings.Fields(tt.out); got[0].Route != tt.first || strings.Join(slices.Sorted(slices.Values(out)), " ") != strings.Join(want, " ") || !fired {
				t.Errorf("first %s, out %v, want %s and %v; rule %s fired: %v", got[0].Route, slices.Sorted(slices.Values(out)), tt.first, want, tt.rule, fired)
			}
		})
	}
}

// TestOpen: what cannot be told is neither for nor against a route.
func TestOpen(t *testing.T) {
	t.Parallel()
	r, c := story(t)
	for _, tt := range []struct {
		reason, route, rule string
		q                   Requirements
		text                string
	}{
		{"a label that no image shows", "custom", "labels", Requirements{Labels: []string{"ramen"}}, "no image of the data set shows it"},
		{"better over all, of what is asked for untested", "pretrained", "difference", Requirements{Labels: []string{"pizza"}}, "of pizza it comes to F1 0.960, this route to 0.770"},
		// 1,000,000 at 0.001 and 1,000,000 at 0.0008 or less.
		{"a sum that is a bound", "rekognition", "budget", Requirements{Budget: of(1500.0), Volume: of(2e6)}, "up to $1,800"},
	} {
		for _, a := range Rank(r, c, tt.q) {
			i := slices.IndexFunc(a.Findings, func(f Finding) bool { return f.Rule == tt.rule })
			if a.Route == tt.route && (i < 0 || a.Findings[i].Effect != Open || a.Findings[i].Weight != 0 || !strings.Contains(a.Findings[i].EN, tt.text)) {
				t.Errorf("%s: %+v", tt.reason, a.Findings)
			}
		}
	}
}

// TestOrder: a route that is better only by being ruled out speaks against none, fewer labelled
// images count by what they gave, and of routes that are all ruled out the nearest is first.
func TestOrder(t *testing.T) {
	t.Parallel()
	r, c := story(t)
	for _, a := range Rank(r, c, Requirements{Labels: []string{"pizza"}, Labelled: of(0)}) {
		if slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.Rule == "difference" }) {
			t.Errorf("%s is put beside one that is out: %+v", a.Route, a.Findings)
		}
	}
	r.Routes[1].Curve = slices.Clone(r.Routes[1].Curve)
	r.Routes[1].Curve[0].Main.Value = 0.5 // own learned more from 12 images
	if got := Rank(r, c, Requirements{Labelled: of(12)}); got[0].Route != "own" {
		t.Errorf("of 12 images %s is first", got[0].Route)
	}
	got := Rank(r, c, Requirements{Budget: of(0.0), Privacy: "local"})
	if !NoneFits(got) || got[0].Route != "own" && got[0].Route != "custom" || got[len(got)-1].Kind == compare.Own {
		t.Errorf("with no money: %+v", got)
	}
	if NoneFits(Rank(r, c, Requirements{Privacy: "local"})) {
		t.Error("what stays here fits")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "needs.yaml")
	if err := os.WriteFile(path, []byte("labels: [sushi]\nbudget: 100\nprivacy: any\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q, err := Read(path, []string{"privacy=local", "latency=200"})
	if err != nil || q.Privacy != "local" || *q.Budget != 100 || *q.Latency != 200 || len(q.Labels) != 1 || !q.Asked() {
		t.Errorf("%+v, %v", q, err)
	}
	for pair, want := range map[string]string{"privacy=cloud": "local or any", "staff=two": "none, operator or engineer", "accuracy=95": "0 to 1", "latency": "KEY=VALUE", "speed=1": "speed", "labelled=-1": "below 0"} {
		if _, err := Read("", []string{pair}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pair, err, want)
		}
	}
	if q, err := Read("", nil); err != nil || q.Asked() {
		t.Errorf("nothing asked: %+v, %v", q, err)
	}
}
