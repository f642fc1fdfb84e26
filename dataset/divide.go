package dataset

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Divide returns the set with every picture in train, val or test, drawn by the seed: val
// and test get their shares, 0 to 1, of the pictures and of each class, and the pictures
// of a group come to the same side. groups may name a picture once; those that none
// names are groups of one. Pictures that fixed names keep their split.
//
// It is iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the
// Stratification of Multi-Label Data", ECML PKDD 2011) of groups: the rarest class is dealt
// out first, each group to the side that lacks most of it.
func (s *Set) Divide(val, test float64, seed uint64, groups [][]int, fixed func(img *Image) bool) *Set {
	out := *s
	out.Images = slices.Clone(s.Images)
	d := newDivision(&out, [3]float64{1 - val - test, val, test}, seed, groups, fixed)
	d.deal()
	return &out
}

// division is a dealing out under way. Pictures without any class have one of their own.
type division struct {
	set    *Set
	units  []unit
	wanted [3][]float64 // by side and class: pictures that are still lacking; the last is of all
}

// unit is what must stay together.
type unit struct {
	images  []int
	classes map[int]int // pictures by class
	side    int         // -1: not dealt yet
}

func newDivision(s *Set, shares [3]float64, seed uint64, groups [][]int, fixed func(img *Image) bool) *division {
	d := &division{set: s}
	taken := make([]bool, len(s.Images))
	add := func(images []int) {
		u := unit{classes: map[int]int{}, side: -1}
		for _, i := range images {
			if taken[i] {
				continue
			}
			taken[i] = true
			u.images = append(u.images, i)
			for c := range s.shown(i) {
				u.classes[c]++
			}
			if fixed != nil && fixed(&s.Images[i]) {
				u.side = max(0, slices.Index(Splits(), s.Images[i].Split))
			}
		}
		if len(u.images) > 0 {
			d.units = append(d.units, u)
		}
	}
	for _, g := range groups {
		add(g)
	}
	for i := range s.Images {
		add([]int{i})
	}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // reproducible draws, no secrets
	r.Shuffle(len(d.units), func(i, j int) { d.units[i], d.units[j] = d.units[j], d.units[i] })
	totals := make([]float64, len(s.Classes)+2)
	for _, u := range d.units {
		for c, n := range u.classes {
			totals[c] += float64(n)
		}
		totals[len(totals)-1] += float64(len(u.images))
	}
	for side, share := range shares {
		d.wanted[side] = make([]float64, len(totals))
		for c, n := range totals {
			if d.wanted[side][c] = share * n; share == 0 {
				d.wanted[side][c] = math.Inf(-1)
			}
		}
	}
	for i := range d.units {
		if u := &d.units[i]; u.side >= 0 {
			d.put(u, u.side)
		}
	}
	return d
}

// shown returns the classes of a picture and its objects; the number after the last where
// it has none.
func (s *Set) shown(i int) map[int]bool {
	classes := map[int]bool{}
	for _, c := range s.Images[i].Classes {
		classes[c] = true
	}
	for _, o := range s.Images[i].Objects {
		classes[o.Class] = true
	}
	if len(classes) == 0 {
		classes[len(s.Classes)] = true
	}
	return classes
}

// deal puts every unit on a side, those of the rarest class first.
func (d *division) deal() {
	byClass := make([][]int, len(d.set.Classes)+1)
	for i, u := range d.units {
		for c := range u.classes {
			byClass[c] = append(byClass[c], i)
		}
	}
	order := make([]int, len(byClass))
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(byClass[a]), len(byClass[b])) })
	for _, c := range order {
		// Large groups first: small ones can even out what those make uneven.
		slices.SortStableFunc(byClass[c], func(a, b int) int { return len(d.units[b].images) - len(d.units[a].images) })
		for _, i := range byClass[c] {
			if u := &d.units[i]; u.side < 0 {
				d.put(u, d.needy(c))
			}
		}
	}
}

// needy returns the side that lacks most of a class, and of several the one that lacks
// most pictures. A side of share 0 lacks none.
func (d *division) needy(c int) int {
	best := 0
	for side := 1; side < len(d.wanted); side++ {
		a, b := d.wanted[side], d.wanted[best]
		if order := cmp.Or(cmp.Compare(a[c], b[c]), cmp.Compare(a[len(a)-1], b[len(b)-1])); order > 0 {
			best = side
		}
	}
	return best
}

func (d *division) put(u *unit, side int) {
	u.side = side
	for _, i := range u.images {
		d.set.Images[i].Split = Splits()[side]
	}
	for c, n := range u.classes {
		d.wanted[side][c] -= float64(n)
	}
	d.wanted[side][len(d.wanted[side])-1] -= float64(len(u.images))
}
