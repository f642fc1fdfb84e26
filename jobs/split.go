package jobs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"trilobite/custom"
)

// sample is what splitting needs of an image.
type sample struct {
	ref    string
	labels []string
}

// testShare is the part of a training set that becomes the test set.
const testShare = 0.2

// split picks a fifth of the images for testing, so that every label with two images or
// more has about a fifth of them there, one at least, and one for training. Which they
// are depends on the images' names alone. It reports whether at least half of the labels
// are in both parts, which training asks for.
func split(all []sample) (test []int, enough bool) {
	by := map[string][]int{}
	for i, s := range all {
		for _, l := range s.labels {
			by[l] = append(by[l], i)
		}
		if len(s.labels) == 0 {
			by[""] = append(by[""], i)
		}
	}
	labels := slices.SortedFunc(maps.Keys(by), func(a, b string) int { // rare labels choose first
		return cmp.Or(cmp.Compare(len(by[a]), len(by[b])), cmp.Compare(a, b))
	})
	chosen := map[int]bool{}
	left := map[string]int{} // images of a label that stay for training
	for _, l := range labels {
		left[l] = len(by[l])
	}
	spare := func(i int) bool {
		return !slices.ContainsFunc(all[i].labels, func(l string) bool { return left[l] <= 1 })
	}
	named, both := 0, 0
	for _, l := range labels {
		want := max(int(math.Round(testShare*float64(len(by[l])))), 1)
		order := slices.SortedFunc(slices.Values(by[l]), func(a, b int) int { return cmp.Compare(rank(all[a].ref), rank(all[b].ref)) })
		have := len(by[l]) - left[l]
		for _, i := range order {
			if have >= want {
				break
			}
			if chosen[i] || !spare(i) {
				continue
			}
			chosen[i] = true
			have++
			for _, m := range all[i].labels {
				left[m]--
			}
		}
		if l != "" {
			named++
			if have > 0 {
				both++
			}
		}
	}
	return slices.Sorted(maps.Keys(chosen)), named > 0 && both*2 >= named
}

// rank orders images by their names as if by lot.
func rank(ref string) uint64 {
	sum := sha256.Sum256([]byte(ref))
	return binary.BigEndian.Uint64(sum[:])
}

// distribute moves a fifth of a training set to the project's test set.
func (w *Worker) distribute(ctx context.Context, l custom.Lease) error {
	var all []sample
	var ids []int64
	for after := int64(0); ; {
		list, err := w.Store.EntriesByID(ctx, l.Subject, custom.EntryQuery{After: after, Limit: batch})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].ID
		for _, e := range list {
			s := sample{ref: e.SourceRef}
			for _, n := range e.Labels {
				s.labels = append(s.labels, n.Name)
			}
			all, ids = append(all, s), append(ids, e.ID)
		}
	}
	test, enough := split(all)
	if !enough {
		return w.Store.FinishDistribute(ctx, l, nil, TooFewForDistribute.Message(), time.Now())
	}
	moved := make([]int64, len(test))
	for i, n := range test {
		moved[i] = ids[n]
	}
	return w.Store.FinishDistribute(ctx, l, moved, "", time.Now())
}
