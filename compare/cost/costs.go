package cost

import (
	"math"
	"slices"

	"trilobite/compare"
	"trilobite/price"
)

// Costs is the money side of a comparison.
type Costs struct {
	Assumptions Assumptions   `json:"assumptions"`
	Volumes     []float64     `json:"volumes"` // images a month
	Routes      []Table       `json:"routes"`
	Even        []Even        `json:"break_even,omitempty"`
	Machines    []MachineEven `json:"break_even_machine_price,omitempty"`
	Sensitivity []Sensitivity `json:"sensitivity,omitempty"`
	Prices      []price.Price `json:"prices"` // that were used
}

// Table is a route's cost at each volume, and at the assumed one.
type Table struct {
	Route

	Kind     compare.Kind `json:"kind"`
	Service  string       `json:"service"`
	Measured bool         `json:"measured"` // false: of its prices alone
	Local    bool         `json:"local"`

	At      Sum   `json:"at_volume"`
	Volumes []Sum `json:"by_volume"`
	// MachineHours are what 1,000 images take of a machine of one's own; 0 of a vendor's.
	MachineHours float64 `json:"machine_hours_per_thousand,omitempty"`
	Machines     float64 `json:"machines,omitempty"` // that the assumed volume takes
}

// MachineEven is the price of a machine hour below which one's own route is cheaper than a
// vendor's at the assumed volume, where nobody said what a machine costs.
type MachineEven struct {
	Own     string  `json:"own"`
	Vendor  string  `json:"vendor"`
	USD     float64 `json:"usd_per_hour"`
	Without []What  `json:"without,omitempty"`
}

// Sensitivity is a route's monthly cost at the assumed volume with one assumption halved
// and doubled.
type Sensitivity struct {
	Route   string  `json:"route"`
	What    string  `json:"assumption"`
	Halved  float64 `json:"halved_usd"`
	Doubled float64 `json:"doubled_usd"`
}

// Of computes all costs of a comparison.
func Of(r *compare.Result, b price.Book, a Assumptions) Costs {
	c := Costs{Assumptions: a, Volumes: []float64{1_000, 10_000, 100_000, 1_000_000, 10_000_000}}
	used := map[string]bool{}
	add := func(m compare.Measured, measured bool) {
		t := Table{Route: New(m, b, a), Kind: m.Kind, Service: m.Service, Measured: measured, Local: m.Local()}
		t.At = t.Month(a.Volume)
		for _, v := range c.Volumes {
			t.Volumes = append(t.Volumes, t.Month(v))
		}
		if m.Local() && m.Throughput > 0 {
			t.MachineHours = 1000 / m.Throughput / 3600
			t.Machines = side(a.Volume, m.Throughput, a)
		}
		for _, l := range t.Lines {
			if p, ok := b.Find(l.Price, a.Region); ok && !used[l.Price] {
				used[l.Price] = true
				if p.ID == "machine" && a.Machine != nil && p.State == price.Unknown {
					p.State, p.Tiers, p.Source = price.Yours, []price.Tier{{Price: *a.Machine}}, "your assumption, machine_price"
				}
				c.Prices = append(c.Prices, p)
			}
		}
		c.Routes = append(c.Routes, t)
		c.Sensitivity = append(c.Sensitivity, sensitivity(m, b, a)...)
	}
	for _, m := range r.Routes {
		if m.Missing == "" {
			add(m, true)
		}
	}
	for _, m := range vendors(r) {
		add(m, false)
	}
	for i, x := range c.Routes {
		for _, y := range c.Routes[i+1:] {
			c.Even = append(c.Even, BreakEven(x.Route, y.Route)...)
		}
	}
	if a.Machine == nil {
		c.Machines = machineEven(c)
	}
	return c
}

// machineEven says what a machine may cost for one's own routes to be cheaper.
func machineEven(c Costs) []MachineEven {
	var out []MachineEven
	for _, own := range c.Routes {
		if !own.Local || own.Machines == 0 {
			continue
		}
		for _, vendor := range c.Routes {
			if vendor.Local || vendor.At.Empty() || !vendor.At.runs() {
				continue
			}
			if left := vendor.At.USD - own.At.USD; left > 0 {
				out = append(out, MachineEven{own.Name, vendor.Name, left / (own.Machines * c.Assumptions.Hours), besides(own.At.Without, vendor.At.Without)})
			}
		}
	}
	return out
}

// besides is what is left out of a comparison that asks for a machine's price.
func besides(own, vendor []What) []What {
	return slices.DeleteFunc(union(own, vendor), func(w What) bool {
		return w == Machines || w == Training && !slices.Contains(vendor, Training)
	})
}

// sensitivity halves and doubles each assumption that is known, one at a time, and keeps
// those that change the sum.
func sensitivity(m compare.Measured, b price.Book, a Assumptions) []Sensitivity {
	scaled := func(p *float64, by float64) *float64 {
		if p == nil {
			return nil
		}
		v := *p * by
		return &v
	}
	turns := []struct {
		what string
		turn func(m *compare.Measured, a *Assumptions, by float64)
	}{
		{"volume", func(_ *compare.Measured, a *Assumptions, by float64) { a.Volume *= by }},
		{"machine_price", func(_ *compare.Measured, a *Assumptions, by float64) { a.Machine = scaled(a.Machine, by) }},
		{"throughput", func(m *compare.Measured, _ *Assumptions, by float64) { m.Throughput *= by }},
		{"utilisation", func(_ *compare.Measured, a *Assumptions, by float64) { a.Utilisation = min(1, a.Utilisation*by) }},
		{"hours", func(_ *compare.Measured, a *Assumptions, by float64) { a.Hours = min(744, a.Hours*by) }},
		{"unit_images_per_second", func(_ *compare.Measured, a *Assumptions, by float64) { a.UnitSpeed = scaled(a.UnitSpeed, by) }},
		{"node_images_per_second", func(_ *compare.Measured, a *Assumptions, by float64) { a.NodeSpeed = scaled(a.NodeSpeed, by) }},
		{"labour_price", func(_ *compare.Measured, a *Assumptions, by float64) { a.Labour = scaled(a.Labour, by) }},
		{"operation_hours", func(_ *compare.Measured, a *Assumptions, by float64) { a.Operation = scaled(a.Operation, by) }},
		{"labelled images", func(m *compare.Measured, _ *Assumptions, by float64) {
			m.TrainImages = int(math.Round(float64(m.TrainImages) * by))
		}},
		{"labelling_seconds", func(_ *compare.Measured, a *Assumptions, by float64) { a.Labelling = scaled(a.Labelling, by) }},
		{"months", func(_ *compare.Measured, a *Assumptions, by float64) { a.Months *= by }},
	}
	var out []Sensitivity
	base := New(m, b, a).Month(a.Volume)
	if base.Empty() {
		return nil
	}
	for _, t := range turns {
		s := Sensitivity{Route: m.Name, What: t.what}
		for _, by := range []float64{0.5, 2} {
			m2, a2 := m, a
			t.turn(&m2, &a2, by)
			usd := New(m2, b, a2).Month(a2.Volume).USD
			if by < 1 {
				s.Halved = usd
			} else {
				s.Doubled = usd
			}
		}
		if math.Abs(s.Halved-base.USD) > 1e-9 || math.Abs(s.Doubled-base.USD) > 1e-9 {
			out = append(out, s)
		}
	}
	return out
}
