// Ortloop measures how many images per second a model gives in the barest possible
// loop over ONNX Runtime on this machine's cores: no HTTP, no decoding, no queue, the
// same zeros in and the same buffers out. It is the ceiling that the server is
// compared with, and the ground for the settings in package ort.
//
// Every variant runs for -time in turn, -rounds times over, and the median of its rounds
// is printed with the best. Beside images per second stands the processor time of an
// image: neighbours on the machine take turns away, which the first figure shows and the
// second hardly does.
//
//	go run ./bench/ortloop -model MODEL.onnx
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	ortgo "github.com/yalue/onnxruntime_go"
	"golang.org/x/sync/errgroup"

	"trilobite/ort"
)

// variant is a way to run the model. Zero fields are ONNX Runtime's defaults.
type variant struct {
	name    string
	runs    int // side by side
	threads int // of each run, all of one session
	batch   int64
	entries map[string]string // session configuration
	noArena bool
	pattern bool // memory pattern off
	idle    bool // a second session with all threads, run once now and then
	clients int  // of package ort's pool, instead of a bare loop
}

func variants(cores int) []variant {
	off := map[string]string{"session.intra_op.allow_spinning": "0"}
	stop := map[string]string{"session.force_spinning_stop": "1"}
	short := func(us int) map[string]string {
		return map[string]string{"session.force_spinning_stop": "1", "session.intra_op.spin_duration_us": strconv.Itoa(us)}
	}
	denormal := map[string]string{"session.intra_op.allow_spinning": "0", "session.set_denormal_as_zero": "1"}
	return []variant{
		{name: "wide, spinning", runs: 1, threads: cores},
		{name: "wide, spinning stops with the run", runs: 1, threads: cores, entries: stop},
		{name: "wide, spinning 20 µs at most", runs: 1, threads: cores, entries: short(20)},
		{name: "wide, spinning 100 µs at most", runs: 1, threads: cores, entries: short(100)},
		{name: "wide, spinning 500 µs at most", runs: 1, threads: cores, entries: short(500)},
		{name: "wide, no spinning", runs: 1, threads: cores, entries: off},
		{name: "narrow", runs: cores, threads: 1, entries: off},
		{name: "narrow, one run", runs: 1, threads: 1, entries: off},
		{name: "narrow, twice as many runs", runs: 2 * cores, threads: 1, entries: off},
		{name: "narrow, denormals are zero", runs: cores, threads: 1, entries: denormal},
		{name: "narrow, no arena", runs: cores, threads: 1, entries: off, noArena: true},
		{name: "narrow, no memory pattern", runs: cores, threads: 1, entries: off, pattern: true},
		{name: "narrow, batches of 4", runs: cores, threads: 1, batch: 4, entries: off},
		{name: "wide, batches of 4", runs: 1, threads: cores, batch: 4, entries: off},
		{name: "wide, several runs of one session", runs: cores, threads: cores, entries: off},
		{name: "pool, one client", clients: 1},
		{name: "pool, as many clients as cores", clients: cores},
		{name: "pool, 8 clients", clients: 8},
		{name: "narrow, beside a wide session that spins", runs: cores, threads: 1, entries: off, idle: true},
	}
}

func main() {
	path := flag.String("model", "", "the ONNX file; its inputs may be open in the first dimension only")
	each := flag.Duration("time", 2*time.Second, "of one measurement")
	rounds := flag.Int("rounds", 3, "measurements of each variant")
	cores := flag.Int("cores", runtime.GOMAXPROCS(0), "threads in all")
	only := flag.String("only", "", "variants whose name this regular expression matches")
	flag.Parse()
	log.SetFlags(0)
	chosen, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	rt, err := ort.Open("")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ONNX Runtime %s, %s, %d cores\n", rt.Version(), filepath.Base(*path), *cores)
	m, err := describe(*path)
	if err != nil {
		log.Fatal(err)
	}
	rates, times := map[string][]float64{}, map[string][]float64{}
	for range *rounds {
		for _, v := range variants(*cores) {
			if !chosen.MatchString(v.name) {
				continue
			}
			run := m.measure
			if v.clients > 0 {
				run = m.pool
			}
			rate, cpu, err := run(v, *cores, *each)
			if err != nil {
				log.Printf("%s: %v", v.name, err)
				continue
			}
			rates[v.name] = append(rates[v.name], rate)
			times[v.name] = append(times[v.name], cpu)
		}
	}
	for _, v := range variants(*cores) {
		if r, c := rates[v.name], times[v.name]; len(r) > 0 {
			slices.Sort(r)
			slices.Sort(c)
			fmt.Printf("%-45s %6.1f images/s (best %6.1f), %6.2f ms of processor an image (best %6.2f)\n",
				v.name, r[len(r)/2], r[len(r)-1], c[len(c)/2], c[0])
		}
	}
	fmt.Printf("largest resident size: %d MB\n", resident())
}

// model is the file with its inputs and outputs.
type model struct {
	path    string
	in, out []ortgo.InputOutputInfo
}

func describe(path string) (*model, error) {
	in, out, err := ortgo.GetInputOutputInfo(path)
	return &model{path, in, out}, err
}

// measure returns a variant's images per second and its milliseconds of processor time
// per image.
func (m *model) measure(v variant, cores int, each time.Duration) (rate, cpu float64, err error) {
	v.batch = max(v.batch, 1)
	s, err := m.open(v)
	if err != nil {
		return 0, 0, err
	}
	defer s.Destroy()
	stop := make(chan struct{})
	var others sync.WaitGroup
	if v.idle {
		if err := m.disturb(cores, stop, &others); err != nil {
			return 0, 0, err
		}
	}
	var images atomic.Int64
	g := new(errgroup.Group)
	start, before := time.Now(), processor()
	end := start.Add(each)
	for range v.runs {
		g.Go(func() error {
			in, err := zeros(m.in, v.batch)
			if err != nil {
				return err
			}
			out, err := zeros(m.out, v.batch)
			if err != nil {
				return err
			}
			for time.Now().Before(end) {
				if err := s.Run(in, out); err != nil {
					return err
				}
				images.Add(v.batch)
			}
			return nil
		})
	}
	err = g.Wait()
	took, used := time.Since(start), processor()-before
	close(stop)
	others.Wait()
	n := float64(images.Load())
	return n / took.Seconds(), used.Seconds() * 1000 / n, err
}

// disturb runs a wide session with ONNX Runtime's default spinning once every 50 ms:
// what is lost beyond those runs' own share is the spinning's.
func (m *model) disturb(cores int, stop <-chan struct{}, done *sync.WaitGroup) error {
	s, err := m.open(variant{threads: cores})
	if err != nil {
		return err
	}
	in, err := zeros(m.in, 1)
	if err != nil {
		return err
	}
	out, err := zeros(m.out, 1)
	if err != nil {
		return err
	}
	done.Go(func() {
		defer s.Destroy()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if err := s.Run(in, out); err != nil {
					log.Print(err)
				}
			}
		}
	})
	return nil
}

func (m *model) open(v variant) (*ortgo.DynamicAdvancedSession, error) {
	o, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	if err := errors.Join(
		o.SetIntraOpNumThreads(v.threads),
		o.SetCpuMemArena(!v.noArena),
		o.SetMemPattern(!v.pattern),
	); err != nil {
		return nil, err
	}
	for key, value := range v.entries {
		if err := o.AddSessionConfigEntry(key, value); err != nil {
			return nil, err
		}
	}
	return ortgo.NewDynamicAdvancedSession(m.path, names(m.in), names(m.out), o)
}

func zeros(infos []ortgo.InputOutputInfo, batch int64) ([]ortgo.Value, error) {
	var values []ortgo.Value
	for _, i := range infos {
		shape := i.Dimensions.Clone()
		if shape[0] < 0 {
			shape[0] = batch
		}
		v, err := ortgo.NewEmptyTensor[float32](shape)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", i.Name, err)
		}
		values = append(values, v)
	}
	return values, nil
}

func names(infos []ortgo.InputOutputInfo) []string {
	var out []string
	for _, i := range infos {
		out = append(out, i.Name)
	}
	return out
}

// processor returns the time the process has had on any core, user and system.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns the process's largest resident size in MB, 0 where unknown.
func resident() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss >> 20 // bytes there, kilobytes elsewhere
	}
	return u.Maxrss >> 10
}
