package cost

import (
	"math"
	"slices"
)

// Even is a volume from which on one route is cheaper than another.
type Even struct {
	Images  float64 `json:"images"` // a month
	Cheaper string  `json:"cheaper"`
	Than    string  `json:"than"`
	Without []What  `json:"without,omitempty"` // unknown of either, and left out
}

// The range of volumes that break-even points are looked for in, and how finely.
const (
	leastVolume = 1
	mostVolume  = 1e9
	volumeSteps = 1800 // 200 for each factor of ten
)

// BreakEven returns the volumes at which the cheaper of two routes changes, in order.
// Machines come one at a time, so there may be several; two that lie within half a percent
// of each other may be missed. A route whose running costs are unknown is
// compared with none: what remains of it would look cheap. Nor is one cheaper whose further nodes
// are unknown: it might take many.
func BreakEven(a, b Route) []Even {
	for _, r := range []Route{a, b} {
		if s := r.Month(1); s.Empty() || !s.runs() {
			return nil
		}
	}
	difference := func(images float64) float64 { return a.Month(images).USD - b.Month(images).USD }
	var out []Even
	last, lastSign := 0.0, 0.0
	for i := range volumeSteps + 1 {
		at := math.Round(leastVolume * math.Pow(mostVolume/leastVolume, float64(i)/volumeSteps))
		sign := signOf(difference(at))
		if sign == 0 || at == last {
			continue
		}
		if lastSign != 0 && sign != lastSign {
			e := Even{Images: crossing(difference, last, at, lastSign), Cheaper: a.Name, Than: b.Name}
			if sign > 0 {
				e.Cheaper, e.Than = b.Name, a.Name
			}
			e.Without = union(a.Month(1).Without, b.Month(1).Without)
			if cheaper := map[string]Route{a.Name: a, b.Name: b}[e.Cheaper]; !slices.Contains(cheaper.Month(1).Without, MoreNodes) {
				out = append(out, e)
			}
		}
		last, lastSign = at, sign
	}
	return out
}

// crossing returns the first whole number of images above lo, up to hi, at which the
// difference has the other sign.
func crossing(difference func(float64) float64, lo, hi, sign float64) float64 {
	for hi-lo > 1 {
		mid := math.Floor((lo + hi) / 2)
		if signOf(difference(mid)) == -sign {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// signOf takes differences below a hundredth of a cent for none.
func signOf(x float64) float64 {
	switch {
	case x > 1e-4:
		return 1
	case x < -1e-4:
		return -1
	default:
		return 0
	}
}

func union(a, b []What) []What {
	var out []What
	seen := map[What]bool{}
	for _, list := range [][]What{a, b} {
		for _, w := range list {
			if !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return out
}
