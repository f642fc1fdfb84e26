// Package advise ranks the routes of a comparison by a team's requirements, with the reason
// for every rule that fired and what would change it.
//
// A rule looks at one route and speaks for it, against it, or rules it out. What is ruled
// out comes last; the rest goes by the sum of the rules' weights, then by the main figure,
// then by cost. Start at Rank; rules.go has the rules.
package advise

import (
	"cmp"
	"math"
	"slices"

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
}

// Rank returns the routes, the best first.
func Rank(r *compare.Result, c cost.Costs, q Requirements) []Advice {
	volume := c.Assumptions.Volume
	if q.Volume != nil {
		volume = *q.Volume
	}
	var out []Advice
	figure, usd := map[string]float64{}, map[string]float64{}
	for _, t := range c.Routes {
		x := candidate{t: t, r: r, q: q, at: t.Month(volume)}
		for i := range r.Routes {
			if t.Measured && r.Routes[i].Name == t.Name {
				x.m = &r.Routes[i]
				figure[t.Name] = float64(x.m.Main().Value)
			}
		}
		usd[t.Name] = math.Inf(1)
		if !x.at.Empty() {
			usd[t.Name] = x.at.USD
		}
		a := Advice{Route: t.Name, Kind: t.Kind, Service: t.Service, Measured: t.Measured}
		for _, rule := range rules() {
			if f := rule.fire(x); f.Effect != "" {
				f.Rule = rule.name
				a.Findings = append(a.Findings, f)
				a.Out = a.Out || f.Effect == Out
				a.Score += f.Weight
			}
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b Advice) int {
		return cmp.Or(boolean(a.Out, b.Out), cmp.Compare(b.Score, a.Score), cmp.Compare(figure[b.Route], figure[a.Route]), cmp.Compare(usd[a.Route], usd[b.Route]))
	})
	return out
}

// boolean orders false before true.
func boolean(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
