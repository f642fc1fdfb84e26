// Command serving measures how a model of the store is served: masks per second over HTTP
// beside the bare runtime, and memory over many loads and unloads.
//
//	go run ./bench/serving -home HOME -model road photo.jpg ...
//
// The bare runtime decodes the same photos (shrunk on load, as the server does), makes
// the same tensor and runs the same graph, one thread a core on all cores, and leaves the
// answer as it is: no interpolation to the photo's size, no PNG, no HTTP. Both take turns;
// medians are printed, with the processor time of each image, which neighbours on the
// machine change less.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"
)

func main() {
	home := flag.String("home", "", "data folder with the model")
	model := flag.String("model", "", "a segmentation model of its store")
	binary := flag.String("binary", "bin/trilobite", "the server's program")
	each := flag.Duration("time", 10*time.Second, "of one measurement")
	rounds := flag.Int("rounds", 3, "measurements of each")
	clients := flag.Int("clients", 8, "of the server at once")
	loads := flag.Int("loads", 1000, "loads and unloads")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*home, *model, *binary, *each, *rounds, *clients, *loads, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(home, model, binary string, each time.Duration, rounds, clients, loads int, files []string) error {
	photos := make([][]byte, len(files))
	for i, name := range files {
		var err error
		if photos[i], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	ctx := context.Background()
	s, err := start(ctx, binary, home)
	if err != nil {
		return err
	}
	defer s.stop()
	if len(photos) > 0 {
		b, err := openBare(home, model)
		if err != nil {
			return err
		}
		defer b.close()
		var bare, served []speed
		for range rounds {
			r, err := b.measure(ctx, photos, each)
			if err != nil {
				return err
			}
			bare = append(bare, r)
			if r, err = s.measure(ctx, model, photos, clients, each); err != nil {
				return err
			}
			served = append(served, r)
		}
		report("bare runtime, decode and inference", bare)
		report(fmt.Sprintf("native API, PNG mask, %d clients", clients), served)
		fmt.Printf("served / bare: %.2f by throughput, %.2f by processor time of the server\n",
			median(served, rate)/median(bare, rate), median(bare, cpu)/median(served, cpu))
	}
	return s.cycle(ctx, model, loads)
}

// speed is images per second, and milliseconds of processor time an image.
type speed struct{ rate, cpu float64 }

func rate(s speed) float64 { return s.rate }
func cpu(s speed) float64  { return s.cpu }

func median(all []speed, of func(speed) float64) float64 {
	var v []float64
	for _, s := range all {
		v = append(v, of(s))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func report(name string, all []speed) {
	fmt.Printf("%-40s %6.1f images/s, %6.1f ms of processor an image\n", name, median(all, rate), median(all, cpu))
}
