package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// server is `trilobite serve` in a process of its own.
type server struct {
	process *exec.Cmd
	url     string
}

func start(ctx context.Context, binary, home string) (*server, error) {
	c := exec.CommandContext(ctx, binary, "serve", "--addr", "127.0.0.1:0", "--log-format", "json", "--models", "", "--home", home) //nolint:gosec // G204: a benchmark starts the program that it is told to
	log, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return &server{c, "http://" + line.Addr}, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not start: "+lines.Text()), c.Wait())
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// post sends a request and returns its answer.
func (s *server) post(ctx context.Context, path, kind, accept string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", accept)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %.200s", path, answer.Status, data)
	}
	return data, err
}

// measure asks for masks from several clients for a time.
func (s *server) measure(ctx context.Context, model string, photos [][]byte, clients int, each time.Duration) (speed, error) {
	var done atomic.Int64
	var g errgroup.Group
	begin, before := time.Now(), s.processor()
	for w := range clients {
		g.Go(func() error {
			for i := w; time.Since(begin) < each; i++ {
				if _, err := s.post(ctx, "/api/v1/models/"+model+"/segment", "image/jpeg", "image/png", photos[i%len(photos)]); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	n := float64(done.Load())
	return speed{n / time.Since(begin).Seconds(), (s.processor() - before).Seconds() * 1000 / n}, err
}

// cycle loads and unloads a model n times and tells the server's memory on the way.
func (s *server) cycle(ctx context.Context, model string, n int) error {
	begin := time.Now()
	for i := 1; i <= n; i++ {
		for _, verb := range []string{"load", "unload"} {
			if _, err := s.post(ctx, "/api/v1/models/"+model+"/"+verb, "application/json", "*/*", nil); err != nil {
				return err
			}
		}
		if i == 10 || i == n/10 || i == n/2 || i == n {
			fmt.Printf("%5d loads and unloads: %d MB resident, %.0f ms each\n", i, s.resident()>>20, float64(time.Since(begin).Milliseconds())/float64(i))
		}
	}
	return nil
}

// resident is the server's memory, bytes.
func (s *server) resident() int64 {
	pages := s.stat("statm")
	n, _ := strconv.ParseInt(pages[1], 10, 64)
	return n * int64(os.Getpagesize())
}

// processor is the server's time on processors: fields 14 and 15 of proc(5)'s stat, in
// hundredths of a second.
func (s *server) processor() time.Duration {
	f := s.stat("stat")
	user, _ := strconv.ParseInt(f[13], 10, 64)
	system, _ := strconv.ParseInt(f[14], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (s *server) stat(name string) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.process.Process.Pid, name))
	if err != nil {
		return make([]string, 52)
	}
	return append(strings.Fields(string(data)), make([]string, 52)...)
}
