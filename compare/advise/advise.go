// Package advise ranks the routes of a comparison by a team's requirements, with the reason
// for every rule that fired and what would change it.
//
// A rule looks at one route and speaks for it, against it, or rules it out. What is ruled
// out comes last, by how many rules do; the rest goes by the sum of the rules' weights, then by the
// main figure that as many labelled images as there are give, then by cost. Start at Rank; rules.go
// and rules_team.go have the rules.
package advise

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"trilobite/compare"
	"trilobite/compare/cost"
)

// Effect is what a rule does to a route.
type Effect string

// The effects.
const (
	Out     Effect = "out" // the route does not meet the requirement
	Against Effect = "against"
	For     Effect = "for"
	Open    Effect = "open" // cannot be told from what is known
)

// Finding is a rule that fired.
type Finding struct {
	Rule   string  `json:"rule"`
	Effect Effect  `json:"effect"`
	Weight float64 `json:"weight"` // with its sign
	EN     string  `json:"en"`
	JA     string  `json:"ja"`
	// Change is what would make it otherwise; empty of what speaks for the route.
	ChangeEN string `json:"change_en,omitempty"`
	ChangeJA string `json:"change_ja,omitempty"`
}

// Advice is a route's place.
type Advice struct {
	Route    string       `json:"route"`
	Kind     compare.Kind `json:"kind"`
	Service  string       `json:"service"`
	Measured bool         `json:"measured"`
	Out      bool         `json:"out"`
	Score    float64      `json:"score"`
	Findings []Finding    `json:"findings"`
}

// candidate is what rules look at.
type candidate struct {
	t cost.Table
	m *compare.Measured // nil: known by its prices alone
	r *compare.Result
	q Requirements
	// at is the cost at the required volume.
	at cost.Sum
	// out are the routes that are ruled out.
	out map[string]bool
}

// NoneFits reports whether every route is ruled out.
func NoneFits(ranked []Advice) bool {
	return !slices.ContainsFunc(ranked, func(a Advice) bool { return !a.Out })
}

// Rank returns the routes, the best first.
func Rank(r *compare.Result, c cost.Costs, q Requirements) []Advice {
	all := candidates(r, c, q)
	out := map[string]bool{}
	for _, x := range all {
		out[x.t.Name] = slices.ContainsFunc(x.findings(), func(f Finding) bool { return f.Effect == Out })
	}
	var ranked []Advice
	figure, usd, outs := map[string]float64{}, map[string]float64{}, map[string]int{}
	for _, x := range all {
		x.out = out
		a := Advice{Route: x.t.Name, Kind: x.t.Kind, Service: x.t.Service, Measured: x.t.Measured, Out: out[x.t.Name], Findings: x.findings()}
		for _, f := range a.Findings {
			a.Score += f.Weight
			if f.Effect == Out {
				outs[a.Route]++
			}
		}
		if x.m != nil {
			figure[a.Route] = x.reached()
		}
		usd[a.Route] = math.Inf(1)
		if !x.at.Empty() {
			usd[a.Route] = x.at.USD
		}
		ranked = append(ranked, a)
	}
	slices.SortStableFunc(ranked, func(a, b Advice) int {
		return cmp.Or(cmp.Compare(outs[a.Route], outs[b.Route]), cmp.Compare(b.Score, a.Score),
			cmp.Compare(figure[b.Route], figure[a.Route]), cmp.Compare(usd[a.Route], usd[b.Route]))
	})
	return ranked
}

// candidates are the routes of a comparison, and the vendors that are known by their prices.
func candidates(r *compare.Result, c cost.Costs, q Requirements) []candidate {
	volume := c.Assumptions.Volume
	if q.Volume != nil {
		volume = *q.Volume
	}
	var all []candidate
	for _, t := range c.Routes {
		x := candidate{t: t, r: r, q: q, at: t.Month(volume)}
		for i := range r.Routes {
			if t.Measured && r.Routes[i].Name == t.Name {
				x.m = &r.Routes[i]
			}
		}
		all = append(all, x)
	}
	return all
}

// findings are those of every rule that fires.
func (x candidate) findings() []Finding {
	var out []Finding
	for _, rule := range rules() {
		if f := rule.fire(x); f.Effect != "" {
			f.Rule = rule.name
			out = append(out, f)
		}
	}
	return out
}

// reached is the main figure, by as many labelled images as there are.
func (x candidate) reached() float64 {
	if x.q.Labelled != nil && len(x.m.Curve) > 0 {
		return float64(at(x.m.Curve, *x.q.Labelled).Main.Value)
	}
	return float64(x.m.Main().Value)
}

// at is the last point of a learning curve that takes no more labelled images than there are, or
// else the first.
func at(curve []compare.Point, have int) compare.Point {
	reached := curve[0]
	for _, p := range curve {
		if p.Images <= have {
			reached = p
		}
	}
	return reached
}

// asked are the classes that must be known, and whether they are fewer than the data set has.
func (x candidate) asked() (classes []string, some bool) {
	all := slices.DeleteFunc(slices.Clone(x.r.Dataset.Classes), func(c string) bool { return c == "" })
	if len(x.q.Labels) == 0 {
		return all, false
	}
	return x.q.Labels, slices.ContainsFunc(all, func(c string) bool { return !x.wants(c) })
}

// wants reports whether a class of the data set is asked for.
func (x candidate) wants(class string) bool {
	return slices.ContainsFunc(x.q.Labels, func(w string) bool { return strings.EqualFold(w, class) })
}

// ofAsked is the mean of the single classes' figure, F1, AP or IoU, over those that are asked for and
// that the data set has.
func (x candidate) ofAsked(m *compare.Measured) (name string, of []string, mean float64) {
	for _, c := range m.Classes {
		if v := float64(c.Main); x.wants(c.Name) && !math.IsNaN(v) {
			mean, of = mean+v, append(of, c.Name)
		}
	}
	name = map[compare.Task]string{compare.Classify: "F1", compare.Detect: "AP", compare.Segment: "IoU"}[x.r.Task]
	return name, of, mean / max(float64(len(of)), 1)
}
