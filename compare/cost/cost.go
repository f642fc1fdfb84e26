// Package cost says what each route of a comparison costs: per 1,000 images and per month
// against volume, from which volume on one route is cheaper than another, and which
// assumption matters most.
//
// A route's cost is a list of Lines, each a function of the images in a month. What
// vendors ask is in package price, what was measured (throughput, labelled images,
// training time) in compare.Result, what only the team can say in Assumptions. A line
// whose price or assumption is unknown is left out of sums and named in Sum.Without.
// Start at New.
package cost

import (
	"math"
	"slices"

	"trilobite/compare"
	"trilobite/price"
)

// Route is what a route costs.
type Route struct {
	Name  string `json:"name"`
	Lines []Line `json:"lines"`
}

// Line is one thing that is paid for.
type Line struct {
	What  What   `json:"what"`
	Price string `json:"price,omitempty"` // id in the price book
	State string `json:"state,omitempty"` // of that price
	Once  bool   `json:"once,omitempty"`  // paid once and spread over months
	Needs string `json:"needs,omitempty"` // what must be known for it, where that is unknown
	month func(images float64) (usd float64, atMost bool)
}

// What a line pays for.
type What string

// The things that are paid for.
const (
	Calls     What = "calls"
	Machines  What = "machines"
	Units     What = "inference units"
	Nodes     What = "nodes"
	MoreNodes What = "further nodes" // beyond the first, where nobody knows how many images one bears
	Training  What = "training"
	Labelling What = "labelling"
	Operation What = "operation"
)

// Sum is what a number of images costs in a month.
type Sum struct {
	Images  float64          `json:"images"`
	USD     float64          `json:"usd"`
	AtMost  bool             `json:"at_most,omitempty"` // the real sum is this or less
	Without []What           `json:"without,omitempty"` // unknown, and left out
	Parts   map[What]float64 `json:"parts,omitempty"`
}

// PerThousand is the sum for each 1,000 images.
func (s Sum) PerThousand() float64 { return s.USD / s.Images * 1000 }

// Whole reports whether nothing is left out.
func (s Sum) Whole() bool { return len(s.Without) == 0 }

// Empty reports whether everything is left out: there is nothing to compare.
func (s Sum) Empty() bool { return len(s.Parts) == 0 }

// runs reports whether what grows with use is known: calls, machines, units, nodes.
func (s Sum) runs() bool {
	return !slices.ContainsFunc(s.Without, func(w What) bool { return w == Calls || w == Machines || w == Units || w == Nodes })
}

// Month sums a route's lines up.
func (r Route) Month(images float64) Sum {
	s := Sum{Images: images, Parts: map[What]float64{}}
	for _, l := range r.Lines {
		if l.Needs != "" {
			s.Without = append(s.Without, l.What)
			continue
		}
		usd, atMost := l.month(images)
		s.USD += usd
		s.Parts[l.What] += usd
		s.AtMost = s.AtMost || atMost
	}
	return s
}

// New returns the cost of a measured route.
func New(m compare.Measured, b price.Book, a Assumptions) Route {
	r := Route{Name: m.Name}
	switch m.Service {
	case "rekognition", "vision":
		r.Lines = append(r.Lines, calls(m, b, a))
	case "custom-labels":
		r.Lines = append(r.Lines, running(Units, "custom-labels/inference", "unit_images_per_second", a.UnitSpeed, b, a), cloudTraining("custom-labels/training", b, a))
	case "vertex":
		id := m.Feature
		if id == "" {
			id = "vertex/online-classification"
		}
		r.Lines = append(append(r.Lines, nodes(id, b, a)...), cloudTraining("vertex/training", b, a))
	default:
		r.Lines = append(r.Lines, machines(m, a), operation(a))
		if m.TrainImages > 0 {
			r.Lines = append(r.Lines, localTraining(m, a))
		}
	}
	if m.TrainImages > 0 {
		r.Lines = append(r.Lines, labelling(m, a))
	}
	return r
}

// calls are billed one by one.
func calls(m compare.Measured, b price.Book, a Assumptions) Line {
	p, _ := b.Find(m.Feature, a.Region)
	l := Line{What: Calls, Price: p.ID, State: p.State}
	if p.State == price.Unknown {
		l.Needs = "price " + m.Feature
		return l
	}
	l.month = func(images float64) (float64, bool) {
		sum := p.Month(images, a.NewAccount)
		return sum.USD, sum.AtMost
	}
	return l
}

// nodes of Vertex AI: an endpoint has one at least. How many images a node bears is for the team to
// say; until then the first is reckoned and further ones are left out.
func nodes(id string, b price.Book, a Assumptions) []Line {
	const needs = "node_images_per_second"
	if a.NodeSpeed != nil {
		return []Line{running(Nodes, id, needs, a.NodeSpeed, b, a)}
	}
	enough := math.Inf(1)
	first := running(Nodes, id, needs, &enough, b, a)
	if first.Needs != "" {
		return []Line{first}
	}
	return []Line{first, {What: MoreNodes, Price: first.Price, State: first.State, Needs: needs}}
}

// running is what is billed by the hour that a model runs, as many units of a speed, images a
// second, side by side as the images need. needs names the speed where it is nil.
func running(what What, id, needs string, speed *float64, b price.Book, a Assumptions) Line {
	p, _ := b.Find(id, a.Region)
	l := Line{What: what, Price: p.ID, State: p.State}
	switch {
	case p.State == price.Unknown:
		l.Needs = "price " + id
	case speed == nil:
		l.Needs = needs
	default:
		l.month = func(images float64) (float64, bool) {
			sum := p.Month(side(images, *speed, a)*a.Hours, a.NewAccount)
			return sum.USD, sum.AtMost
		}
	}
	return l
}

// side is how many machines or units of a speed must run side by side: at least one.
func side(images, perSecond float64, a Assumptions) float64 {
	return max(1, math.Ceil(images/(perSecond*3600*a.Hours*a.Utilisation)))
}

// machines of one's own run whether they are asked or not.
func machines(m compare.Measured, a Assumptions) Line {
	l := Line{What: Machines, Price: "machine", State: price.Yours}
	switch {
	case a.Machine == nil:
		l.Needs, l.State = "machine_price", price.Unknown
	case !(m.Throughput > 0):
		l.Needs = "a measured throughput"
	default:
		l.month = func(images float64) (float64, bool) {
			return side(images, m.Throughput, a) * a.Hours * *a.Machine, false
		}
	}
	return l
}

// operation of one's own machines takes people.
func operation(a Assumptions) Line {
	l := Line{What: Operation, State: price.Yours}
	switch {
	case a.Operation == nil:
		l.Needs = "operation_hours"
	case a.Labour == nil:
		l.Needs = "labour_price"
	default:
		l.month = func(float64) (float64, bool) { return *a.Operation * *a.Labour, false }
	}
	return l
}

// labelling of the images that a route learned from is paid once.
func labelling(m compare.Measured, a Assumptions) Line {
	l := Line{What: Labelling, Once: true, State: price.Yours}
	switch {
	case a.Labelling == nil:
		l.Needs = "labelling_seconds"
	case a.Labour == nil:
		l.Needs = "labour_price"
	default:
		l.month = func(float64) (float64, bool) {
			return float64(m.TrainImages) * *a.Labelling / 3600 * *a.Labour / a.Months, false
		}
	}
	return l
}

// localTraining took as long as was measured, on the machine that is paid for by the hour.
func localTraining(m compare.Measured, a Assumptions) Line {
	l := Line{What: Training, Once: true, Price: "machine", State: price.Yours}
	if a.Machine == nil {
		l.Needs, l.State = "machine_price", price.Unknown
		return l
	}
	l.month = func(float64) (float64, bool) { return m.Training / 3600 * *a.Machine / a.Months, false }
	return l
}

// cloudTraining is billed by the hour; how many it takes only a training there tells.
func cloudTraining(id string, b price.Book, a Assumptions) Line {
	p, _ := b.Find(id, a.Region)
	l := Line{What: Training, Once: true, Price: p.ID, State: p.State}
	switch {
	case p.State == price.Unknown:
		l.Needs = "price " + id
	case a.CloudHours == nil:
		l.Needs = "cloud_training_hours"
	default:
		l.month = func(float64) (float64, bool) {
			sum := p.Month(*a.CloudHours, false)
			return sum.USD / a.Months, sum.AtMost
		}
	}
	return l
}
