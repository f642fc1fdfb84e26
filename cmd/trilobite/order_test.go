package main

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// numbered returns n sources whose names are their numbers.
func numbered(n int) []source {
	all := make([]source, n)
	for i := range all {
		all[i].name = strconv.Itoa(i)
	}
	return all
}

// TestInOrder runs in a bubble, where sleeping takes no time and is exact.
func TestInOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		n     int
		sleep func(i int) time.Duration
		want  time.Duration // all ten
	}{
		{"one at a time", 1, func(int) time.Duration { return time.Second }, 10 * time.Second},
		{"five at a time", 5, func(int) time.Duration { return time.Second }, 2 * time.Second},
		{"more places than images", 100, func(i int) time.Duration { return time.Duration(i+1) * time.Second }, 10 * time.Second},
		{"the first is the slowest", 10, func(i int) time.Duration { return time.Duration(10-i) * time.Second }, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var now, peak atomic.Int32
				do := func(s source) sighting {
					if n := now.Add(1); n > peak.Load() {
						peak.Store(n)
					}
					i, err := strconv.Atoi(s.name)
					if err != nil {
						t.Error(err)
					}
					time.Sleep(tt.sleep(i))
					now.Add(-1)
					return sighting{name: s.name}
				}
				begin := time.Now()
				var got []string
				for s := range inOrder(t.Context(), numbered(10), tt.n, do) {
					got = append(got, s.name)
				}
				if want := "0 1 2 3 4 5 6 7 8 9"; strings.Join(got, " ") != want {
					t.Errorf("got %v, want %s", got, want)
				}
				if p := peak.Load(); int(p) > tt.n {
					t.Errorf("%d at a time, want at most %d", p, tt.n)
				}
				if d := time.Since(begin); d != tt.want {
					t.Errorf("took %s, want %s", d, tt.want)
				}
			})
		})
	}
}

func TestInOrderEndsEarly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		stop func(cancel context.CancelFunc) bool // after the third answer: false leaves the loop
		most int32                                // images begun
	}{
		{"when the reader leaves", func(context.CancelFunc) bool { return false }, 5},
		{"when the context ends", func(cancel context.CancelFunc) bool { cancel(); return true }, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var begun, done atomic.Int32
				seen := 0
				for range inOrder(ctx, numbered(100), 2, func(source) sighting {
					begun.Add(1)
					time.Sleep(time.Second)
					done.Add(1)
					return sighting{}
				}) {
					if seen++; seen == 3 && !tt.stop(cancel) {
						break
					}
				}
				if b, d := begun.Load(), done.Load(); b > tt.most || b != d {
					t.Errorf("%d images begun and %d done, want at most %d and all of them done", b, d, tt.most)
				}
			})
		})
	}
}
