// Command load sends DetectLabels requests from several clients at once and prints the
// throughput and the latencies as one JSON line.
//
//	go run ./bench/load -url http://localhost:8080 -clients 8 -seconds 20 photo.jpg ...
//
// Each client has one request under way at a time and takes the photos in turn. The
// body is Rekognition's, {"Image": {"Bytes": base64}}, which the peer understands too.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
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
	r := run(context.Background(), strings.TrimPrefix(*url, "http://"), bodies, *clients, *count, time.Duration(*warm*1e9), time.Duration(*seconds*1e9))
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

// run sends requests over one connection per client, already written out: what the
// clients cost, the servers on the same cores lose.
func run(ctx context.Context, host string, bodies [][]byte, clients int, count int64, warm, length time.Duration) result {
	requests := make([][]byte, len(bodies))
	for i, b := range bodies {
		requests[i] = fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nX-Amz-Target: RekognitionService.DetectLabels\r\nContent-Length: %d\r\n\r\n%s", host, len(b), b)
	}
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
			conn := &client{host: host}
			defer conn.close()
			for i := c; ; i++ {
				start := time.Now()
				if start.After(end) || count > 0 && sent.Load() >= count {
					return
				}
				if err := conn.ask(ctx, requests[i%len(requests)]); err != nil {
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

// client is a kept connection.
type client struct {
	host string
	conn net.Conn
	in   *bufio.Reader
}

// ask sends one request; anything but a 200 is an error and ends the connection.
func (c *client) ask(ctx context.Context, request []byte) (err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.conn == nil {
		if c.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", c.host); err != nil {
			return err
		}
		c.in = bufio.NewReader(c.conn)
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.in, nil)
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

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close() // what matters was read or has failed already
		c.conn = nil
	}
}
