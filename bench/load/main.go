// Command load sends DetectLabels requests from several clients at once and prints the
// throughput and the latencies as one JSON line.
//
//	go run ./bench/load -url http://localhost:8080 -clients 8 -seconds 20 photo.jpg ...
//
// Each client has one request under way at a time and takes the photos in turn. The
// body is Rekognition's, {"Image": {"Bytes": base64}}, which the peer understands too.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// result is what is printed; times in milliseconds.
type result struct {
	Requests int     `json:"requests"`
	Failed   int64   `json:"failed"`
	PerS     float64 `json:"per_s"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
}

func main() {
	url := flag.String("url", "http://localhost:8080", "the server")
	clients := flag.Int("clients", 8, "clients at once")
	seconds := flag.Float64("seconds", 20, "how long, after the warm-up")
	warm := flag.Float64("warm", 3, "seconds that do not count")
	count := flag.Int64("count", 0, "stop after this many requests instead")
	flag.Parse()
	bodies, err := read(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	r := run(context.Background(), *url, bodies, *clients, *count, time.Duration(*warm*1e9), time.Duration(*seconds*1e9))
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

func read(photos []string) ([][]byte, error) {
	var bodies [][]byte
	for _, p := range photos {
		data, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, fmt.Appendf(nil, `{"Image":{"Bytes":%q}}`, base64.StdEncoding.EncodeToString(data)))
	}
	if len(bodies) == 0 {
		return nil, errors.New("no photos")
	}
	return bodies, nil
}

func run(ctx context.Context, url string, bodies [][]byte, clients int, count int64, warm, length time.Duration) result {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	begin := time.Now().Add(warm)
	end := begin.Add(length)
	if count > 0 {
		end = begin.Add(24 * time.Hour)
	}
	var sent, failed atomic.Int64
	times := make([][]float64, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; ; i++ {
				start := time.Now()
				if start.After(end) || count > 0 && sent.Load() >= count {
					return
				}
				if err := ask(ctx, client, url, bodies[i%len(bodies)]); err != nil {
					failed.Add(1)
				}
				if start.After(begin) {
					sent.Add(1)
					times[c] = append(times[c], float64(time.Since(start))/1e6)
				}
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin).Seconds()
	all := slices.Concat(times...)
	slices.Sort(all)
	r := result{Requests: len(all), Failed: failed.Load()}
	if len(all) > 0 {
		r.PerS = float64(len(all)) / elapsed
		r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	}
	return r
}

// ask sends one request; anything but a 200 is an error.
func ask(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Target", "RekognitionService.DetectLabels")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}
