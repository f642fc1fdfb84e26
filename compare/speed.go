package compare

import (
	"bufio"
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"trilobite"
	"trilobite/dataset"
)

// Throughput is measured over at most so many images and this time.
const (
	mostTimed = 200
	longTimed = 10 * time.Second
)

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

// throughput asks clients images at a time, over and over, and returns images a second.
// Answers are thrown away; they are known.
func (k *collector) throughput(ctx context.Context, images []dataset.Image, clients int) (float64, error) {
	k.c.show(Progress{Route: k.r.Name, What: "timed"})
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(clients)
	start, n := time.Now(), 0
	for n < mostTimed && (time.Since(start) < longTimed/2 || n < len(images)) && time.Since(start) < longTimed {
		img := images[n%len(images)]
		g.Go(func() error { return k.silently(gctx, img) })
		n++
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// silently asks without keeping the answer. An image that is refused is no error here.
func (k *collector) silently(ctx context.Context, img dataset.Image) error {
	data, err := os.ReadFile(img.File)
	if err != nil {
		return err
	}
	_, err = k.ask.Ask(ctx, data)
	switch trilobite.CodeOf(err) {
	case trilobite.InvalidImage, trilobite.ImageTooLarge, trilobite.Unsupported:
		return nil
	default:
		return err
	}
}

// procBytes reads a line "NAME  N kB" of a file below /proc; 0 where there is none.
func procBytes(path, name string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}

// ThisMachine says what routes of this machine run on.
func ThisMachine() Machine {
	m := Machine{OS: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.GOMAXPROCS(0), Memory: procBytes("/proc/meminfo", "MemTotal:")}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}
