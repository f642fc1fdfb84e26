package compare

import (
	"math"
	"slices"

	"trilobite/metric"
)

// judge computes the figures of a route on any choice of images, some perhaps several
// times: what bootstrap and permutation need.
type judge interface {
	names() []string // the main figure first
	figures(images []int) []float64
	images() int
	// hits says of each image whether it is right, where the main figure is a share of
	// images; nil where it is not.
	hits() []bool
	// mixed is the main figure where the images that swap names are judged by other's
	// answers instead.
	mixed(other judge, swap []bool) float64
}

// sheet is a judge over rows, one an image.
type sheet[T any] struct {
	title  []string
	rows   []T
	reckon func(rows []T) []float64
	right  func(row T) bool // nil: no share of images
}

func (s sheet[T]) names() []string { return s.title }
func (s sheet[T]) images() int     { return len(s.rows) }

func (s sheet[T]) figures(images []int) []float64 {
	rows := make([]T, len(images))
	for i, at := range images {
		rows[i] = s.rows[at]
	}
	return s.reckon(rows)
}

func (s sheet[T]) hits() []bool {
	if s.right == nil {
		return nil
	}
	out := make([]bool, len(s.rows))
	for i, r := range s.rows {
		out[i] = s.right(r)
	}
	return out
}

func (s sheet[T]) mixed(other judge, swap []bool) float64 {
	rows := slices.Clone(s.rows)
	theirs := other.(sheet[T]).rows //nolint:forcetypeassert // judges of one task are alike; another is a bug
	for i, swapped := range swap {
		if swapped {
			rows[i] = theirs[i]
		}
	}
	return s.reckon(rows)[0]
}

// every returns 0 to n−1.
func every(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// judge matches labels and computes all figures.
func (w work) judge(m *Measured, records []*record, vocabulary []Label) (judge, error) {
	w.c.show(Progress{Route: w.r.Name, What: "judged"})
	s, names, images := newSorted(w.c.Match), w.c.Set.Classes, w.test.Images
	for _, r := range records {
		for _, l := range r.Answer.Labels {
			if l.Score >= w.c.MinScore {
				s.class(l, 1)
			}
		}
	}
	known := s.known(vocabulary)
	for k, is := range known {
		if !is && names[k] != "" {
			m.Unmatched = append(m.Unmatched, names[k])
		}
	}
	var all, some judge
	switch w.c.Task {
	case Classify:
		rows := classRows(images, records, s, w.c.MinScore)
		single := !slices.ContainsFunc(rows, func(r imageRow) bool { return len(r.truth) != 1 })
		if single {
			all, some = oneClass(rows, len(names), nil), oneClass(rows, len(names), known)
		} else {
			all, some = manyClasses(rows, len(names), w.c.MinScore, nil), manyClasses(rows, len(names), w.c.MinScore, known)
		}
		m.Classes = classFigures(names, rows, w.c.MinScore, single, known)
	case Detect:
		all, some = boxes(images, records, s, w.c.MinScore, nil), boxes(images, records, s, w.c.MinScore, known)
		m.Classes = boxFigures(names, images, records, s, w.c.MinScore, known)
	case Segment:
		rows, err := pixelRows(w.test, records, vocabulary, s)
		if err != nil {
			return nil, err
		}
		all, some = pixels(rows, nil), pixels(rows, known)
		m.Classes = pixelFigures(names, rows, known)
	}
	m.Matches, m.Strangers = s.lists()
	m.Figures = measure(all, w.c.Rounds, w.c.Seed)
	if len(m.Unmatched) > 0 && slices.Contains(known, true) {
		m.Known = measure(some, w.c.Rounds, w.c.Seed)
	}
	return all, nil
}

// measure returns a judge's figures with their intervals.
func measure(j judge, rounds int, seed uint64) []Figure {
	n := j.images()
	if n == 0 {
		return nil
	}
	values := j.figures(every(n))
	low, high := bootstrap(j, len(values), rounds, seed)
	out := make([]Figure, len(values))
	for i, v := range values {
		out[i] = Figure{Name: j.names()[i], Value: Number(v)}
		if low[i] < high[i] { // where every choice of images gives the same, a bootstrap knows nothing
			out[i].Interval = &metric.Interval{Low: low[i], High: high[i]}
		}
	}
	if hits := j.hits(); hits != nil && (values[0] == 0 || values[0] == 1) {
		in := metric.Share(int(math.Round(values[0]*float64(n))), n)
		out[0].Interval, out[0].Exact = &in, true
	}
	return out
}

// bootstrap draws once for all figures.
func bootstrap(j judge, figures, rounds int, seed uint64) (low, high []float64) {
	low, high = make([]float64, figures), make([]float64, figures)
	drawn := make([][]float64, 0, rounds)
	_ = metric.Bootstrap(j.images(), rounds, seed, func(images []int) float64 {
		drawn = append(drawn, j.figures(images))
		return 0
	})
	for f := range figures {
		column := make([]float64, len(drawn))
		for r := range drawn {
			column[r] = drawn[r][f]
		}
		low[f], high[f] = quantile(column, 0.025), quantile(column, 0.975)
	}
	return low, high
}

// test compares the main figures of two judges over the same images.
func test(a, b judge, rounds int, seed uint64) Test {
	n := a.images()
	t := Test{Figure: a.names()[0], Difference: a.figures(every(n))[0] - b.figures(every(n))[0]}
	t.Interval = metric.Bootstrap(n, rounds, seed, func(images []int) float64 { return a.figures(images)[0] - b.figures(images)[0] })
	if ha, hb := a.hits(), b.hits(); ha != nil {
		var onlyA, onlyB int
		for i := range ha {
			switch {
			case ha[i] && !hb[i]:
				onlyA++
			case hb[i] && !ha[i]:
				onlyB++
			}
		}
		t.P, t.Method = metric.McNemar(onlyA, onlyB), "McNemar"
		if onlyA+onlyB == 0 { // a bootstrap of no difference says that there can be none
			most := metric.Share(0, n).High // of images on which they differ
			t.Interval, t.Exact = metric.Interval{Low: -most, High: most}, true
		}
		return t
	}
	t.Method = "permutation"
	t.P = metric.Permutation(n, rounds, seed, func(swap []bool) float64 { return a.mixed(b, swap) - b.mixed(a, swap) })
	return t
}

// quantile is metric's, of numbers in any order.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return metric.Quantile(sorted, q)
}
