package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
)

// formats are PyTorch's memory formats.
var formats = []string{"contiguous_format", "channels_last"}

// compare measures every network on both sides in turn and prints a table. The ratio of
// times is the median of the rounds' own, for a machine's speed differs between rounds.
func compare(ctx context.Context, python string, networks []string, rounds, steps int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Println("| step | PyTorch, contiguous | channels_last | Trilobite | time | PyTorch's peak | Trilobite's | memory | session |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, name := range networks {
		runs := map[string][]measured{}
		var ratios []float64
		for range rounds {
			quickest := math.Inf(1)
			for _, format := range formats {
				m, err := run(ctx, python, "bench/step/peer.py", name, format, "--steps", strconv.Itoa(steps))
				if err != nil {
					return err
				}
				runs[format] = append(runs[format], m)
				quickest = min(quickest, m.Seconds)
			}
			m, err := run(ctx, self, "-network", name, "-steps", strconv.Itoa(steps))
			if err != nil {
				return err
			}
			runs["ours"] = append(runs["ours"], m)
			ratios = append(ratios, m.Seconds/quickest)
		}
		a, b, ours := middle(runs[formats[0]]), middle(runs[formats[1]]), middle(runs["ours"])
		best := a
		if b.Seconds < a.Seconds {
			best = b
		}
		fmt.Printf("| %s | %.3f s | %.3f s | %.3f s | %.2f (%.2f to %.2f) | %d MB | %d MB | %.2f | %.2f s, %d nodes |\n",
			name, a.Seconds, b.Seconds, ours.Seconds, median(ratios), slices.Min(ratios), slices.Max(ratios),
			best.Peak, ours.Peak, float64(ours.Peak)/float64(best.Peak), ours.Create, ours.Nodes)
	}
	return nil
}

// run starts a process and reads the line that it prints.
func run(ctx context.Context, name string, args ...string) (m measured, err error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // this program, or the interpreter that its user names
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return m, fmt.Errorf("%s %v: %w", name, args, err)
	}
	return m, json.Unmarshal(out, &m)
}

// middle is the run of the median time.
func middle(runs []measured) measured {
	slices.SortFunc(runs, func(a, b measured) int {
		if a.Seconds < b.Seconds {
			return -1
		}
		return 1
	})
	return runs[len(runs)/2]
}
