package compare

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"trilobite/dataset"
)

// work is the measuring of one route.
type work struct {
	c     *Config
	r     *Route
	test  *dataset.Set
	quick bool // answers alone, no times: a point of a learning curve
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
