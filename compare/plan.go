package compare

import (
	"context"
	"errors"
	"os"

	"trilobite/dataset"
)

// Planned is what a run would ask of a remote route.
type Planned struct {
	Route   string `json:"route"`
	Host    string `json:"host"`
	Images  int    `json:"images"`
	Kept    int    `json:"kept"`     // of them are answered already
	PerCall *Money `json:"per_call"` // null: unknown
	Bytes   int64  `json:"bytes"`    // that would leave this machine
}

// Cost is the most that the calls may cost; false where nobody knows.
func (p Planned) Cost() (Money, bool) {
	if p.PerCall == nil {
		return 0, p.Images == p.Kept
	}
	return Money(p.Images-p.Kept) * *p.PerCall, true
}

// Plan says what a run would ask of its remote routes. It makes no call.
func Plan(ctx context.Context, c Config) ([]Planned, error) {
	var out []Planned
	images := only(c.Set, dataset.Test).Images
	for i := range c.Routes {
		r := &c.Routes[i]
		if r.Remote == nil {
			continue
		}
		ask, err := r.Open(ctx, "")
		if _, missing := errors.AsType[*MissingError](err); missing {
			continue
		} else if err != nil {
			return nil, err
		}
		p := Planned{Route: r.Name, Host: r.Remote.Host, Images: len(images), PerCall: r.Remote.PerCall}
		k := newCollector(&c, r, ask, "")
		for _, img := range images {
			data, err := os.ReadFile(img.File)
			if err != nil {
				return nil, errors.Join(err, ask.Close())
			}
			kept, err := folder(c.Dir).load(k.dir, digest(data))
			if err != nil {
				return nil, errors.Join(err, ask.Close())
			}
			if kept != nil {
				p.Kept++
			} else {
				p.Bytes += int64(len(data))
			}
		}
		if err := ask.Close(); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
