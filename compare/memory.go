package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"

	"trilobite/dataset"
)

// PeakMemory is the most resident memory, bytes, of this process while it opens one route
// and asks it about the set's Test part, Parallel images at a time; 0 where nobody counts. It
// is for a process that does nothing else: what other routes left behind would count as well,
// and what they gave back would be used again. A route that learns must have been trained.
func PeakMemory(ctx context.Context, c Config, route string) (most int64, err error) {
	at := slices.IndexFunc(c.Routes, func(r Route) bool { return r.Name == route })
	if at < 0 {
		return 0, fmt.Errorf("there is no route %q", route)
	}
	r, dir := &c.Routes[at], ""
	if r.Train != nil {
		dir = folder(c.Dir).route(r.Name)
	}
	resetPeak()
	ask, err := r.Open(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ask.Close()) }()
	k := newCollector(&c, r, ask, "")
	_, err = k.throughput(ctx, only(c.Set, dataset.Test).Images, max(1, c.Parallel))
	return procBytes("/proc/self/status", "VmHWM:"), err
}

// resetPeak gives memory back and lets Linux count the peak of this process anew
// (proc(5), clear_refs). Elsewhere nothing happens.
func resetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200)
}
