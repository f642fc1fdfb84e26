package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"trilobite"
	"trilobite/dataset"
)

// Run measures every route of the configuration on the set's Test part. What an earlier
// run left in the folder is taken as it is: answers, trained models, speeds.
func Run(ctx context.Context, c Config) (*Result, error) {
	part := only(c.Set, dataset.Test)
	if err := check(&c, part); err != nil {
		return nil, err
	}
	if c.Rounds == 0 {
		c.Rounds = 1000
	}
	r := &Result{
		Started: c.clock(), Machine: ThisMachine(), Task: c.Task, MinScore: c.MinScore, Rounds: c.Rounds, Seed: c.Seed,
		Dataset: Data{Classes: c.Set.Classes, Train: len(c.Set.Part(dataset.Train)), Test: len(part.Images)},
	}
	judges := make([]judge, len(c.Routes))
	for i := range c.Routes {
		w := work{c: &c, r: &c.Routes[i], test: part}
		m, j, err := w.measure(ctx)
		if missing, ok := errors.AsType[*MissingError](err); ok {
			m, err = Measured{Missing: missing.Why}, nil
		}
		if err != nil {
			return nil, err
		}
		m.Name, m.Kind, m.Service, m.Recipe = w.r.Name, w.r.Kind, w.r.Service, w.r.Recipe
		if w.r.Remote != nil {
			m.Host, m.Region, m.Feature = w.r.Remote.Host, w.r.Remote.Region, w.r.Remote.Feature
		}
		r.Routes, judges[i] = append(r.Routes, m), j
	}
	for i := range judges {
		for k := i + 1; k < len(judges); k++ {
			if judges[i] != nil && judges[k] != nil {
				c.show(Progress{Route: c.Routes[i].Name, What: "compared with " + c.Routes[k].Name})
				t := test(judges[i], judges[k], c.Rounds, c.Seed)
				t.A, t.B = c.Routes[i].Name, c.Routes[k].Name
				r.Tests = append(r.Tests, t)
			}
		}
	}
	r.Ended = c.clock()
	return r, nil
}

// MissingError says why a route cannot be measured on this set, which is an answer too: a
// service that names no pixels, a network for another task.
type MissingError struct{ Why string }

// Error returns the reason.
func (m *MissingError) Error() string { return m.Why }

// check refuses what cannot be measured.
func check(c *Config, part *dataset.Set) error {
	invalid := func(format string, args ...any) error {
		return &trilobite.Error{Op: "compare.Run", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
	}
	labelled := func(img dataset.Image) bool {
		return map[Task]bool{Classify: len(img.Classes) > 0, Detect: len(img.Objects) > 0, Segment: true}[c.Task]
	}
	switch {
	case len(c.Routes) == 0:
		return invalid("There is no route to compare.")
	case len(part.Images) == 0:
		return invalid("There is no image to ask about: no test part, no validation part, and none held out.")
	case !slices.ContainsFunc(part.Images, labelled):
		return invalid("None of the %d images to ask about has a label, so no answer can be called right or wrong. Label them first; docs/datasets.md shows the formats.", len(part.Images))
	}
	for i, r := range c.Routes {
		if slices.ContainsFunc(c.Routes[:i], func(o Route) bool { return o.Name == r.Name }) {
			return invalid("Two routes are called %s.", r.Name)
		}
	}
	return nil
}

func (c *Config) clock() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Config) show(p Progress) {
	if c.Show != nil {
		c.Show(p)
	}
}

// only returns the images of a split.
func only(set *dataset.Set, split string) *dataset.Set {
	some := *set
	some.Images = nil
	for _, i := range set.Part(split) {
		some.Images = append(some.Images, set.Images[i])
	}
	return &some
}

// work is the measuring of one route.
type work struct {
	c     *Config
	r     *Route
	test  *dataset.Set
	quick bool // answers alone, no times: a point of a learning curve
}

// trained is what routes/NAME/trained.json says.
type trained struct {
	Digest  string  `json:"digest"` // of the images learned from
	Images  int     `json:"images"`
	Seconds float64 `json:"seconds"`
}

// speed is what routes/NAME/speed.json says.
type speed struct {
	Source     string  `json:"source"`
	Setup      float64 `json:"setup_seconds"`
	Throughput float64 `json:"images_per_second"`
	Clients    int     `json:"clients"`
	PeakMemory int64   `json:"peak_memory_bytes"`
}

func (w work) measure(ctx context.Context) (Measured, judge, error) {
	train := only(w.c.Set, dataset.Train)
	m, records, ask, err := w.answers(ctx, w.r, train)
	if err != nil {
		return m, nil, err
	}
	j, err := w.judge(&m, records, ask.Vocabulary())
	if err != nil {
		return m, nil, errors.Join(err, ask.Close())
	}
	if err := ask.Close(); err != nil {
		return m, nil, err
	}
	if w.r.Train != nil {
		m.Curve, err = w.curve(ctx, train)
		if len(m.Curve) > 0 {
			m.Curve = append(m.Curve, Point{1, m.TrainImages, m.Training, m.Main()})
		}
	}
	return m, j, err
}

// answers trains a route where it is to be, opens it, times it and collects its answers.
// The Asker is the caller's to close.
func (w work) answers(ctx context.Context, r *Route, train *dataset.Set) (m Measured, records []*record, ask Asker, err error) {
	dir, on := "", ""
	if r.Train != nil {
		dir = folder(w.c.Dir).route(r.Name)
		t, err := w.learn(ctx, r, train, dir)
		if err != nil {
			return m, nil, nil, err
		}
		m.Training, m.TrainImages, on = t.Seconds, t.Images, t.Digest
	}
	w.c.show(Progress{Route: r.Name, What: "opened"})
	start := time.Now()
	ask, err = r.Open(ctx, dir)
	if err != nil {
		return m, nil, nil, err
	}
	k := newCollector(w.c, r, ask, on)
	s := speed{Source: k.from, Setup: time.Since(start).Seconds()}
	if r.Remote == nil && !w.quick { // the first call of a model is none like the others
		if err := k.warm(ctx, w.test.Images[0]); err != nil {
			return m, nil, nil, errors.Join(err, ask.Close())
		}
	}
	start = time.Now()
	if records, err = k.all(ctx, w.test.Images); err != nil {
		return m, nil, nil, errors.Join(err, ask.Close())
	}
	if n := k.calls.Load(); r.Remote != nil && n > 0 {
		s.Throughput, s.Clients = float64(n)/time.Since(start).Seconds(), max(1, r.Remote.Clients)
	}
	if !w.quick {
		err = w.times(ctx, k, &s)
	}
	if err != nil {
		return m, nil, nil, errors.Join(err, ask.Close())
	}
	m.Source = ask.Source()
	m.Setup, m.Throughput, m.Clients, m.PeakMemory = s.Setup, s.Throughput, s.Clients, s.PeakMemory
	m.tally(records, r.Remote != nil)
	return m, records, ask, nil
}

// learn trains a route unless it has been, on the same images.
func (w work) learn(ctx context.Context, r *Route, train *dataset.Set, dir string) (trained, error) {
	if len(train.Images) == 0 {
		return trained{}, &MissingError{"There are no images to train on: the data set has no training part."}
	}
	path := filepath.Join(dir, "trained.json")
	sum, err := train.Digest()
	if err != nil {
		return trained{}, err
	}
	var t trained
	if there, err := readJSON(path, &t); err != nil {
		return t, err
	} else if there && t.Digest == sum {
		return t, nil
	}
	w.c.show(Progress{Route: r.Name, What: fmt.Sprintf("trained on %d images", len(train.Images))})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return t, err
	}
	start := time.Now()
	if err := r.Train(ctx, train, dir); err != nil {
		return t, fmt.Errorf("training route %s: %w", r.Name, err)
	}
	t = trained{sum, len(train.Images), time.Since(start).Seconds()}
	return t, writeJSON(path, t)
}

// times measures throughput and memory, unless an earlier run has: images that are
// already answered tell nothing.
func (w work) times(ctx context.Context, k *collector, s *speed) error {
	path := filepath.Join(folder(w.c.Dir).route(k.r.Name), "speed.json")
	var kept speed
	there, err := readJSON(path, &kept)
	if err != nil {
		return err
	}
	if there && kept.Source == s.Source && (k.r.Remote == nil || s.Throughput == 0) {
		*s = kept
		return nil
	}
	if k.r.Remote == nil {
		s.Clients = max(1, w.c.Parallel)
		if s.Throughput, err = k.throughput(ctx, w.test.Images, s.Clients); err != nil {
			return err
		}
		if w.c.Memory != nil {
			w.c.show(Progress{Route: k.r.Name, What: "weighed"})
			if s.PeakMemory, err = w.c.Memory(ctx, k.r.Name); err != nil {
				return err
			}
		}
	}
	return writeJSON(path, s)
}

// tally sums the records up.
func (m *Measured) tally(records []*record, remote bool) {
	var seconds []float64
	for _, r := range records {
		if r.Failed != "" {
			m.Failures = append(m.Failures, r.Image+": "+r.Failed)
			continue
		}
		m.Calls++
		seconds = append(seconds, r.Seconds)
		if remote {
			m.Sent += int64(r.Bytes)
		}
	}
	m.Latency = latency(seconds)
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

// curve trains the route on parts of the training images.
func (w work) curve(ctx context.Context, train *dataset.Set) ([]Point, error) {
	var out []Point
	for _, part := range w.c.Curve {
		if part >= 1 {
			continue
		}
		some := Subset(train, part, w.c.Seed)
		r := *w.r
		r.Name = fmt.Sprintf("%s-%g", w.r.Name, 100*part)
		v := work{w.c, &r, w.test, true}
		m, records, ask, err := v.answers(ctx, &r, some)
		if err != nil {
			return nil, err
		}
		_, err = v.judge(&m, records, ask.Vocabulary())
		if err := errors.Join(err, ask.Close()); err != nil {
			return nil, err
		}
		out = append(out, Point{part, m.TrainImages, m.Training, m.Main()})
	}
	return out, nil
}

// warmups is how many calls a model has before its time is taken.
const warmups = 2

func (k *collector) warm(ctx context.Context, img dataset.Image) error {
	for range warmups {
		if err := k.silently(ctx, img); err != nil {
			return err
		}
	}
	return nil
}

// Clients returns how many calls at a time keep this machine busy.
func Clients() int { return 2 * runtime.GOMAXPROCS(0) }
