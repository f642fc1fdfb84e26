package cost

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/compare"
	"trilobite/price"
)

func book(t *testing.T) price.Book {
	t.Helper()
	b, err := price.Load("")
	if err != nil {
		t.Fatal(err)
	}
	b.Prices = append(b.Prices, price.Price{ID: "rekognition/detect-labels", Region: "eu-central-1", Unit: "image", State: price.Yours, Tiers: []price.Tier{{Price: 0.00125}}})
	return b
}

func of(v float64) *float64 { return &v }

// own is a machine of one's own at 10 images a second, trained from 360 images in 1800 s.
var own = compare.Measured{Name: "own", Service: "trilobite-own", Throughput: 10, TrainImages: 360, Training: 1800}

var rekognition = compare.Measured{Name: "rekognition", Service: "rekognition", Host: "h", Feature: "rekognition/detect-labels"}

// told are assumptions with everything known: $0.10 a machine hour, $30 a person's, 20 s to
// label an image, 2 h of operation.
func told() Assumptions {
	a := Defaults()
	a.Machine, a.Labour, a.Labelling, a.Operation = of(0.10), of(30), of(20), of(2)
	return a
}

func TestMonth(t *testing.T) {
	t.Parallel()
	// One machine does 10·3600·730·0.5 = 13,140,000 images in a month.
	const machine, operation = 730 * 0.10, 2 * 30.0
	const labelling, training = 360 * 20.0 / 3600 * 30 / 12, 0.5 * 0.10 / 12
	tests := []struct {
		reason  string
		m       compare.Measured
		a       func(*Assumptions)
		images  float64
		want    float64
		without string
	}{
		{"calls alone", rekognition, nil, 250_000, 250, ""},
		{"calls beyond a tier", rekognition, nil, 2_000_000, 1800, ""},
		{"a new account's first thousand are free", rekognition, func(a *Assumptions) { a.NewAccount = true }, 1500, 0.5, ""},
		{"one machine, labelling and training spread over a year", own, nil, 1, machine + operation + labelling + training, ""},
		{"as many images as one machine can", own, nil, 13_140_000, machine + operation + labelling + training, ""},
		{"one more takes a second machine", own, nil, 13_140_001, 2*machine + operation + labelling + training, ""},
		{"no price of the machine: it is left out", own, func(a *Assumptions) { a.Machine = nil }, 1, operation + labelling, "machines training"},
		{"no price of labour", own, func(a *Assumptions) { a.Labour = nil }, 1, machine + training, "operation labelling"},
		{"a unit of Custom Labels around the clock", compare.Measured{Service: "custom-labels", TrainImages: 360}, nil, 1, 2920 + labelling, "training"},
		{"its training, where the hours are known", compare.Measured{Service: "custom-labels"}, func(a *Assumptions) { a.CloudHours = of(6) }, 1, 2920 + 0.5, ""},
		{"10 million images a month need three units of 5 a second at half load", compare.Measured{Service: "custom-labels"}, func(a *Assumptions) { a.CloudHours = of(0) }, 14_000_000, 3 * 2920, ""},
		{"only for eight hours on 20 days", compare.Measured{Service: "custom-labels"}, func(a *Assumptions) { a.Hours, a.CloudHours = 160, of(0) }, 1000, 640, ""},
		{"a node of Vertex; of how many more nobody knows", compare.Measured{Service: "vertex", Feature: "vertex/online-detection"}, func(a *Assumptions) { a.CloudHours = of(0) }, 1e9, 730 * 2.002, "further nodes"},
		// A node of 2 a second bears 2·3600·730·0.5 = 2,628,000 images in a month.
		{"as many images as a node of Vertex bears", compare.Measured{Service: "vertex", Feature: "vertex/online-detection"}, func(a *Assumptions) { a.CloudHours, a.NodeSpeed = of(0), of(2) }, 2_628_000, 730 * 2.002, ""},
		{"one more takes a second node", compare.Measured{Service: "vertex", Feature: "vertex/online-detection"}, func(a *Assumptions) { a.CloudHours, a.NodeSpeed = of(0), of(2) }, 2_628_001, 2 * 730 * 2.002, ""},
		{"no image costs nothing", rekognition, nil, 0, 0, ""},
		{"exactly a tier", rekognition, nil, 1_000_000, 1000, ""},
		{"one beyond it", rekognition, nil, 1_000_001, 1000.0008, ""},
		{"a feature that the book does not have", compare.Measured{Service: "vision", Feature: "vision/faces"}, nil, 1000, 0, "calls"},
		{"a region's own price", rekognition, func(a *Assumptions) { a.Region = "eu-central-1" }, 1000, 1.25, ""},
		{"nobody knows Vertex' segmentation", compare.Measured{Service: "vertex", Feature: "vertex/online-segmentation"}, nil, 1, 0, "nodes training"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			a := told()
			if tt.a != nil {
				tt.a(&a)
			}
			s := New(tt.m, book(t), a).Month(tt.images)
			var without []string
			for _, w := range s.Without {
				without = append(without, string(w))
			}
			if math.Abs(s.USD-tt.want) > 1e-9*max(1, tt.want) || strings.Join(without, " ") != tt.without {
				t.Errorf("%v, without %v, want %v, without %q", s.USD, without, tt.want, tt.without)
			}
		})
	}
}

func TestBreakEven(t *testing.T) {
	t.Parallel()
	a := told()
	a.Operation, a.Labelling = of(0), of(0)
	bare := compare.Measured{Name: "own", Service: "trilobite-own", Throughput: 10}
	// $73 of machine against $0.001 an image.
	got := BreakEven(New(rekognition, book(t), a), New(bare, book(t), a))
	if len(got) != 1 || got[0].Images != 73_001 || got[0].Cheaper != "own" || got[0].Than != "rekognition" || len(got[0].Without) != 0 {
		t.Errorf("%+v, want own to be cheaper from 73,001 images on", got)
	}
	// A machine that does 10,000 images a month for $9: Rekognition asks as much for 9,000,
	// is cheaper again when the second machine comes, and so on.
	slow := bare
	slow.Throughput = 10_000 / (3600 * 730 * 0.5)
	a.Machine = of(9.0 / 730)
	got = BreakEven(New(rekognition, book(t), a), New(slow, book(t), a))
	var first []float64
	for _, e := range got[:4] {
		first = append(first, e.Images)
	}
	want := []float64{9001, 10_001, 18_001, 20_001}
	for i := range want {
		if math.Abs(first[i]-want[i]) > 1 {
			t.Errorf("break-even at %v, want %v", first, want)
			break
		}
	}
	// What is unknown is named, but where a route's running costs are unknown there is
	// nothing to say.
	a.Machine, a.Operation = of(0.1), nil
	if got := BreakEven(New(rekognition, book(t), a), New(bare, book(t), a)); len(got) != 1 || len(got[0].Without) != 1 || got[0].Without[0] != Operation {
		t.Errorf("%+v, want one that leaves operation out", got)
	}
	// A node of Vertex, $1,003.75 a month: Rekognition asks less for fewer than 1,004,687 images. From
	// there on Vertex is cheaper if the node bears them, which only its speed tells.
	vertex := New(compare.Measured{Name: "vertex", Service: "vertex", Feature: "vertex/online-classification"}, book(t), a)
	if got := BreakEven(New(rekognition, book(t), a), vertex); len(got) != 0 {
		t.Errorf("%+v of nodes that nobody counts", got)
	}
	a.NodeSpeed = of(2)
	vertex = New(compare.Measured{Name: "vertex", Service: "vertex", Feature: "vertex/online-classification"}, book(t), a)
	if got := BreakEven(New(rekognition, book(t), a), vertex); len(got) == 0 || got[0].Cheaper != "vertex" || math.Abs(got[0].Images-1_004_688) > 1 {
		t.Errorf("%+v, want Vertex from 1,004,688 images on", got)
	}
	a.Machine, a.Operation = nil, of(1)
	if got := BreakEven(New(rekognition, book(t), a), New(bare, book(t), a)); got != nil {
		t.Errorf("%+v without a machine's price", got)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	r := &compare.Result{Task: compare.Segment, Routes: []compare.Measured{rekognition, own, {Name: "gone", Missing: "why"}}}
	c := Of(r, book(t), told())
	if len(c.Routes) != 3 || c.Routes[2].Measured || !c.Routes[2].At.Empty() || c.Routes[0].At.USD != 100 || math.Abs(c.Routes[0].At.PerThousand()-1) > 1e-12 || len(c.Volumes) != len(c.Routes[1].Volumes) {
		t.Errorf("%+v", c.Routes)
	}
	if math.Abs(c.Routes[1].MachineHours-1000.0/10/3600) > 1e-12 {
		t.Errorf("1,000 images take %v h", c.Routes[1].MachineHours)
	}
	found := map[string]Sensitivity{}
	for _, s := range c.Sensitivity {
		found[s.Route+" "+s.What] = s
	}
	if s := found["rekognition volume"]; s.Halved != 50 || s.Doubled != 200 {
		t.Errorf("rekognition's volume: %+v", s)
	}
	base := c.Routes[1].At.USD
	if s := found["own machine_price"]; math.Abs(s.Halved-(base-36.5-0.5*0.05/12)) > 1e-9 {
		t.Errorf("the machine's price: %+v, base %v", s, base)
	}
	if _, ok := found["rekognition machine_price"]; ok {
		t.Error("a machine's price moves what Rekognition costs")
	}
	for _, p := range c.Prices {
		if p.ID == "machine" && (p.State != price.Yours || p.Month(1, false).USD != 0.10) {
			t.Errorf("the price that the team said is listed as %+v", p)
		}
	}
	a := told()
	a.Machine, a.Operation, a.Labelling = nil, of(0), of(0)
	c = Of(r, book(t), a)
	// $100 of calls are a machine for 730 h at $0.137.
	if len(c.Machines) != 1 || math.Abs(c.Machines[0].USD-100.0/730) > 1e-9 {
		t.Errorf("%+v", c.Machines)
	}
}

// TestVendors: what was not asked is there with its prices, what was asked only once.
func TestVendors(t *testing.T) {
	t.Parallel()
	r := &compare.Result{Task: compare.Detect, Dataset: compare.Data{Train: 360}, Routes: []compare.Measured{rekognition, {Name: "x", Service: "vision", Missing: "why"}}}
	a := told()
	a.CloudHours = of(0)
	var got []string
	for _, v := range Of(r, book(t), a).Routes {
		got = append(got, fmt.Sprintf("%s %v %.2f", v.Name, v.Measured, v.At.USD))
	}
	want := []string{"rekognition true 100.00", "vision false 222.75", "custom-labels false 2925.00", "vertex false 1466.46"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at 100,000 images (-want +got):\n%s", diff)
	}
}

func TestAssumptions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"volume: 0": "volume is 0", "hours: 800": "hours is 800", "utilisation: 2": "utilisation is 2", "machine_price: -1": "below 0",
		"months: 0": "months is 0", "node_images_per_second: 0": "node_images_per_second is not above 0", "machine: 1": "machine", "volume: 5000\nmachine_price: 0.2": "",
	} {
		path := filepath.Join(t.TempDir(), "a.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a := Defaults()
		err := a.Read(path)
		if want == "" {
			if err != nil || a.Volume != 5000 || *a.Machine != 0.2 || a.Hours != 730 {
				t.Errorf("%q: %+v, %v", text, a, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for usd, want := range map[float64]string{0: "$0", 0.0005: "$0.0005", 0.5: "$0.50", 99.99: "$99.99", 100: "$100", 1234567.5: "$1,234,568"} {
		if got := Dollars(usd); got != want {
			t.Errorf("%v: %s, want %s", usd, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 999.5: "1,000", 1e6: "1,000,000"} {
		if got := Thousands(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
