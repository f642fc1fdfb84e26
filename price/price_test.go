package price

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func shippedBook(t *testing.T) Book {
	t.Helper()
	b, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMonth: worked by hand from the tiers in prices.yaml.
func TestMonth(t *testing.T) {
	t.Parallel()
	b := shippedBook(t)
	tests := []struct {
		reason, id string
		units      float64
		first      bool
		want       float64
		atMost     bool
	}{
		{"nothing costs nothing", "rekognition/detect-labels", 0, false, 0, false},
		{"one image", "rekognition/detect-labels", 1, false, 0.001, false},
		{"a million at the first price", "rekognition/detect-labels", 1_000_000, false, 1000, false},
		{"one more at the second, which is a bound", "rekognition/detect-labels", 1_000_001, false, 1000.0008, true},
		{"three million", "rekognition/detect-labels", 3_000_000, false, 1000 + 2_000_000*0.0008, true},
		{"the free tier of a new account", "rekognition/detect-labels", 1000, true, 0, false},
		{"one image beyond it", "rekognition/detect-labels", 1001, true, 0.001, false},
		{"after its months it costs", "rekognition/detect-labels", 1000, false, 1, false},
		{"the tier's last unit, free ones aside", "rekognition/detect-labels", 1_001_000, true, 1000, false},
		{"one beyond both", "rekognition/detect-labels", 1_001_001, true, 1000.0008, true},
		{"what is free for good is so for a new account too", "vision/label-detection", 1001, true, 0.0015, false},
		{"the first thousand are free for good", "vision/label-detection", 1000, false, 0, false},
		{"one unit beyond it", "vision/label-detection", 1001, false, 0.0015, false},
		{"a million: 999,000 at 1.50 a thousand", "vision/label-detection", 1_000_000, false, 1498.50, false},
		{"five million, the tier's last unit", "vision/label-detection", 5_000_000, false, 4_999_000 * 0.0015, false},
		{"one beyond five million", "vision/label-detection", 5_000_001, false, 4_999_000*0.0015 + 0.001, false},
		{"hours", "custom-labels/inference", 730, false, 2920, false},
		{"a node of a classifier for a month", "vertex/online-classification", 730, false, 1003.75, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			p, ok := b.Find(tt.id, "eu-west-1")
			if !ok {
				t.Fatalf("the book has no %s", tt.id)
			}
			got := p.Month(tt.units, tt.first)
			if !got.Known || math.Abs(got.USD-tt.want) > 1e-9*max(1, tt.want) || got.AtMost != tt.atMost {
				t.Errorf("%v units = %+v, want %v, at most %v", tt.units, got, tt.want, tt.atMost)
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	b := shippedBook(t)
	for _, id := range []string{"vertex/online-segmentation", "machine", "nobody/sells-this"} {
		p, _ := b.Find(id, "")
		if a := p.Month(1000, false); a.Known || a.USD != 0 {
			t.Errorf("%s costs %+v; nobody knows", id, a)
		}
		if _, ok := p.MostPerUnit(); ok {
			t.Errorf("%s has a price for a unit", id)
		}
	}
}

func TestEveryFigureHasItsSource(t *testing.T) {
	t.Parallel()
	for _, p := range shippedBook(t).Prices {
		if p.Source == "" || p.Date == "" || p.Read == "" || p.State == Yours {
			t.Errorf("%s: source %q, date %q, read %q, state %q", p.ID, p.Source, p.Date, p.Read, p.State)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "mine.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b, err := Load(file(`prices:
  - {id: rekognition/detect-labels, region: eu-central-1, unit: image, tiers: [{price: 0.00125}], source: my invoice, date: 2026-11-01}
  - {id: machine, unit: hour, tiers: [{price: 0.12}], source: my contract, date: 2026-01-01}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, id, region string
		want               float64
	}{
		{"the region's own price", "rekognition/detect-labels", "eu-central-1", 1.25},
		{"another region keeps the shipped one", "rekognition/detect-labels", "us-east-1", 1},
		{"an unknown price becomes known", "machine", "us-east-1", 120},
	} {
		p, _ := b.Find(tt.id, tt.region)
		if got := p.Month(1000, false); math.Abs(got.USD-tt.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", tt.reason, got.USD, tt.want)
		}
	}
	const head = "prices:\n  - {id: a, unit: image, source: s, date: d, "
	for reason, tt := range map[string][2]string{
		"no tiers":         {head + "}", "it has no tiers; say state: unknown"},
		"no source":        {"prices:\n  - {id: a, unit: image, tiers: [{price: 1}], date: d}", "its source and its date"},
		"unit":             {"prices:\n  - {id: a, unit: litre, tiers: [{price: 1}], source: s, date: d}", `its unit is "litre"`},
		"a price below 0":  {head + "tiers: [{price: -1}]}", "tier 1 has the price -1"},
		"falling tiers":    {head + "tiers: [{upto: 5, price: 1}, {upto: 4, price: 1}, {price: 0}]}", "tier 2 ends at 4"},
		"no last tier":     {head + "tiers: [{upto: 5, price: 1}]}", "only the last one has no end"},
		"state":            {head + "tiers: [{price: 1}], state: sure}", `its state is "sure"`},
		"another currency": {head + "currency: EUR, tiers: [{price: 1}]}", "currency"},
		"a wrong name":     {head + "tier: [{price: 1}]}", "tier"},
	} {
		if _, err := Load(file(tt[0])); err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("%s: %v, want %q", reason, err, tt[1])
		}
	}
}
