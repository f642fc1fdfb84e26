package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"trilobite"
	"trilobite/server"
	"trilobite/telemetry"
)

// lines is a log for tests to read while others write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// echo answers with its body, or with what reading it failed with.
func echo(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, trilobite.Message(err), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "got %d bytes", len(data))
}

// start serves c on a loopback port until the test ends, and returns its address.
func start(t *testing.T, c server.Config) string {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.New(c).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return l.Addr().String()
}

func get(t *testing.T, s *server.Server, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, http.NoBody)
	r.Host = "localhost:8080"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func named(name string) server.API {
	return server.API{Name: name, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{Native: named("native"), Only: map[string]server.API{"GET /ping": named("ping")}, Log: slog.New(slog.DiscardHandler)})
	for path, want := range map[string]int{"/ping": 200, "/healthz": 404, "/metrics": 404, "/api/v1/models": 404} {
		if w := get(t, s, "GET", path); w.Code != want || strings.Contains(w.Body.String(), "Rekognition") {
			t.Errorf("%s: %d %s, want %d and no word of other APIs", path, w.Code, w.Body, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{
		Rekognition: named("rekognition"), Vision: named("vision"), Native: named("native"), Inference: named("inference"), SageMaker: named("sagemaker"),
		Metrics: telemetry.New().Handler(), Log: slog.New(slog.DiscardHandler),
	})
	for _, tc := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"POST", "/", 200, "rekognition"},
		{"POST", "/v1/images:annotate", 200, "vision"},
		{"POST", "/google.cloud.vision.v1.ImageAnnotator/BatchAnnotateImages", 200, "vision"},
		{"GET", "/api/v1/openapi.json", 200, "native"},
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/readyz", 200, "ready\n"},
		{"GET", "/metrics", 200, "go_goroutines"},
		{"GET", "/", 404, "POST /v1/images:annotate"},
		{"POST", "/elsewhere", 404, `"not_found"`},
		{"POST", "/endpoints/road/invocations", 200, "sagemaker"},
		{"GET", "/v2", 200, "inference"},
		{"GET", "/v2/models/x/ready", 200, "inference"},
		{"POST", "/inference.GRPCInferenceService/ModelInfer", 200, "inference"},
		{"GET", "/v2/health/live", 200, "ok\n"},
		{"GET", "/v2/health/ready", 200, "ready\n"},
		{"GET", "/v3/x", 404, `"not_found"`},
	} {
		w := get(t, s, tc.method, tc.path)
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
			t.Errorf("%s %s: got %d %.200s, want %d with %q", tc.method, tc.path, w.Code, w.Body, tc.status, tc.body)
		}
		if tc.status == 404 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: no JSON: %s", tc.method, tc.path, w.Body)
		}
	}
	w := get(t, s, "POST", "/grpc.health.v1.Health/Check", "Content-Type", "application/grpc")
	if got := w.Header().Get(http.TrailerPrefix+"Grpc-Status") + w.Header().Get("Grpc-Status"); w.Code != 200 || got != "12" {
		t.Errorf("another gRPC service: got %d, status %q, want 200 and 12", w.Code, got)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{Log: slog.New(slog.DiscardHandler), Ready: func(context.Context) error {
		return &trilobite.Error{Code: trilobite.NotReady, Msg: "The model is loading."}
	}})
	if w := get(t, s, "GET", "/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), "loading") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := get(t, s, "GET", "/healthz"); w.Code != 200 {
		t.Errorf("health: got %d", w.Code)
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	open := server.New(server.Config{Native: named("native"), Open: true, Hosts: []string{"vision.example"}, Log: slog.New(slog.DiscardHandler)})
	closed := server.New(server.Config{Native: named("native"), Log: slog.New(slog.DiscardHandler)})
	for _, tc := range []struct {
		name   string
		header []string
		want   int
	}{
		{"localhost", []string{"Host", "localhost"}, 200},
		{"with port", []string{"Host", "localhost:9999"}, 200},
		{"capitals and a dot", []string{"Host", "LOCALHOST.:80"}, 200},
		{"IPv4", []string{"Host", "127.0.0.1:8080"}, 200},
		{"IPv6", []string{"Host", "[::1]:8080"}, 200},
		{"IPv6 without port", []string{"Host", "[::1]"}, 200},
		{"configured", []string{"Host", "vision.example:8080"}, 200},
		{"rebound name", []string{"Host", "evil.example:8080"}, 403},
		{"subdomain of localhost", []string{"Host", "localhost.evil.example"}, 403},
		{"another address", []string{"Host", "10.0.0.1"}, 403},
		{"none", []string{"Host", ""}, 403},
		{"own page", []string{"Origin", "http://localhost:8080"}, 200},
		{"foreign page", []string{"Origin", "https://evil.example"}, 403},
		{"sandboxed page", []string{"Origin", "null"}, 403},
		{"looks like ours", []string{"Origin", "https://localhost.evil.example"}, 403},
	} {
		if w := get(t, open, "GET", "/api/v1/models", tc.header...); w.Code != tc.want {
			t.Errorf("%s: got %d %s, want %d", tc.name, w.Code, w.Body, tc.want)
		}
		if w := get(t, closed, "GET", "/api/v1/models", tc.header...); w.Code != 200 {
			t.Errorf("%s, keys asked for: got %d, want 200", tc.name, w.Code)
		}
	}
	if w := get(t, open, "GET", "/api/v1/models", "Origin", "http://localhost:1"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS is open")
	}
}

func TestCheckAddr(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		addr           string
		auth, insecure bool
		ok             bool
	}{
		{"127.0.0.1:8080", false, false, true},
		{"localhost:8080", false, false, true},
		{"[::1]:8080", false, false, true},
		{":8080", false, false, false},
		{"0.0.0.0:8080", false, false, false},
		{"[::]:8080", false, false, false},
		{"192.168.1.1:8080", false, false, false},
		{"example.com:8080", false, false, false},
		{":8080", true, false, true},
		{":8080", false, true, true},
		{"8080", true, true, false},
	} {
		if err := server.CheckAddr(tc.addr, tc.auth, tc.insecure); (err == nil) != tc.ok {
			t.Errorf("%+v: got %v", tc, err)
		}
	}
}

func TestPanicIsAnAnswerAndALogLine(t *testing.T) {
	t.Parallel()
	var log lines
	addr := start(t, server.Config{
		Native: server.API{Name: "native", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1/late" {
				_, _ = io.WriteString(w, "half")
				w.(http.Flusher).Flush()
			}
			panic("secret state")
		})},
		Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	resp, err := http.Get("http://" + addr + "/api/v1/early")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	id := resp.Header.Get("X-Request-Id")
	if resp.StatusCode != http.StatusInternalServerError || id == "" || strings.Contains(string(body), "secret") {
		t.Errorf("got %d, id %q, %s", resp.StatusCode, id, body)
	}
	if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "secret state") {
		t.Errorf("the log lacks the panic: %s", log.String())
	}
	resp, err = http.Get("http://" + addr + "/api/v1/late")
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks whole")
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	var log lines
	meter := telemetry.New()
	s := server.New(server.Config{
		Vision: server.API{
			Name:      "vision",
			Operation: func(*http.Request) string { return "BatchAnnotateImages" },
			Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }),
			Auth: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accountKey{}, "111122223333")))
				})
			},
		},
		Account: func(ctx context.Context) string { s, _ := ctx.Value(accountKey{}).(string); return s },
		Meter:   meter,
		Log:     slog.New(slog.NewJSONHandler(&log, nil)),
	})
	w := get(t, s, "POST", "/v1/images:annotate?key=abc.topsecret", "X-Request-Id", "mine-1", "Authorization", "Bearer abc.topsecret")
	if got := w.Header().Get("X-Request-Id"); got != "mine-1" {
		t.Errorf("got id %q, want the client's", got)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
		t.Fatalf("%v in %s", err, log.String())
	}
	for k, want := range map[string]any{
		"request": "mine-1", "api": "vision", "op": "BatchAnnotateImages", "status": 429.0, "code": "429",
		"account": "111122223333", "path": "/v1/images:annotate", "method": "POST",
	} {
		if line[k] != want {
			t.Errorf("%s: got %v, want %v", k, line[k], want)
		}
	}
	if strings.Contains(log.String(), "topsecret") {
		t.Errorf("the log has a key: %s", log.String())
	}
	m := httptest.NewRecorder()
	meter.Handler().ServeHTTP(m, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if want := `trilobite_requests_total{api="vision",code="429",operation="BatchAnnotateImages"} 1`; !strings.Contains(m.Body.String(), want) {
		t.Errorf("metrics lack %s", want)
	}
	if got := get(t, s, "POST", "/v1/x", "X-Request-Id", "evil\nline").Header().Get("X-Request-Id"); strings.Contains(got, "evil") {
		t.Errorf("got id %q, want a new one", got)
	}
}

type accountKey struct{}

func TestShutdownFinishesWhatItAccepted(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	s := server.New(server.Config{
		Native: server.API{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-release
			if r.Context().Err() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = io.WriteString(w, "whole answer")
		})},
		Log:    slog.New(slog.DiscardHandler),
		Limits: server.Limits{Lame: 200 * time.Millisecond},
	})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	base := "http://" + l.Addr().String()
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get(base + "/api/v1/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- fmt.Sprint(resp.StatusCode, " ", string(body))
	}()
	<-entered
	cancel()
	time.Sleep(50 * time.Millisecond)
	resp, err := http.Get(base + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readyz while draining: got %d, want 503", resp.StatusCode)
	}
	time.Sleep(300 * time.Millisecond)
	if c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		_ = c.Close()
		t.Error("still listening after the lame time")
	}
	close(release)
	if got := <-answer; got != "200 whole answer" {
		t.Errorf("got %q", got)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestShutdownGivesUp(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := server.New(server.Config{
		Native: server.API{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(entered); <-r.Context().Done() })},
		Log:    slog.New(slog.DiscardHandler), Limits: server.Limits{Drain: 50 * time.Millisecond},
	})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	go func() {
		if resp, err := http.Get("http://" + l.Addr().String() + "/api/v1/x"); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-entered
	cancel()
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline", err)
	}
}

// raw writes text to the address in pieces and returns the answer's status line and
// body, and how long it took.
func raw(t *testing.T, addr string, pause time.Duration, halfClose bool, pieces ...string) (string, time.Duration) {
	t.Helper()
	begin := time.Now()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, p := range pieces {
			if _, err := io.WriteString(c, p); err != nil {
				return
			}
			time.Sleep(pause)
		}
		if halfClose {
			_ = c.(*net.TCPConn).CloseWrite()
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err.Error(), time.Since(begin)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.Status + ": " + string(body), time.Since(begin)
}

func TestHostileSockets(t *testing.T) {
	t.Parallel()
	addr := start(t, server.Config{
		Native: server.API{Name: "native", Handler: http.HandlerFunc(echo)},
		Limits: server.Limits{
			HeaderTime: 300 * time.Millisecond, BodyStall: 300 * time.Millisecond,
			BodyGrace: 500 * time.Millisecond, BodyRate: 1000, BodyBytes: 1000,
		},
	})
	head := "POST /api/v1/x HTTP/1.1\r\nHost: localhost\r\n"
	drip := []string{head + "Content-Length: 500\r\n\r\n"}
	for range 100 {
		drip = append(drip, "x")
	}
	for _, tc := range []struct {
		name      string
		pause     time.Duration
		halfClose bool
		pieces    []string
		want      string
		within    time.Duration
	}{
		{"whole", 0, false, []string{head + "Content-Length: 4\r\n\r\nbody"}, "200 OK: got 4 bytes", time.Second},
		{"body in slow pieces", 50 * time.Millisecond, false, []string{head + "Content-Length: 4\r\n\r\n", "b", "o", "dy"}, "200 OK: got 4 bytes", 2 * time.Second},
		{"body never comes", 0, false, []string{head + "Content-Length: 4\r\n\r\n"}, "408 Request Timeout: The request body arrived too slowly.", 2 * time.Second},
		{"body drips", 50 * time.Millisecond, false, drip, "408 Request Timeout: The request body arrived too slowly.", 2 * time.Second},
		{"chunk never ends", 0, false, []string{head + "Transfer-Encoding: chunked\r\n\r\n5\r\nab"}, "408 Request Timeout", 2 * time.Second},
		{"half-closed within the body", 0, true, []string{head + "Content-Length: 40\r\n\r\nbody"}, "400 Bad Request", time.Second},
		{"half-closed after the request", 0, true, []string{head + "Content-Length: 4\r\n\r\nbody"}, "200 OK: got 4 bytes", time.Second},
		{"body too large", 0, false, []string{head + "Content-Length: 2000\r\n\r\n" + strings.Repeat("x", 2000)}, "400 Bad Request", time.Second},
		{"header too large", 0, false, []string{head + "X: " + strings.Repeat("x", 80<<10) + "\r\n\r\n"}, "431 Request Header Fields Too Large", time.Second},
		{"no HTTP", 0, false, []string{"hello\r\n\r\n"}, "400 Bad Request", time.Second},
		{"two lengths", 0, false, []string{head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody"}, "400 Bad Request", time.Second},
		{"no Host", 0, false, []string{"POST /api/v1/x HTTP/1.1\r\n\r\n"}, "400 Bad Request", time.Second},
		{"header never ends", 0, false, []string{head + "X: y"}, "EOF", 2 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, d := raw(t, addr, tc.pause, tc.halfClose, tc.pieces...)
			if !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if d > tc.within {
				t.Errorf("took %s", d)
			}
		})
	}
}

func TestSlowBodyOverHTTP2(t *testing.T) {
	t.Parallel()
	addr := start(t, server.Config{
		Native: server.API{Name: "native", Handler: http.HandlerFunc(echo)},
		Limits: server.Limits{BodyStall: 200 * time.Millisecond},
	})
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	c := &http.Client{Transport: &http.Transport{Protocols: &p}, Timeout: 5 * time.Second}
	pr, pw := io.Pipe()
	defer pw.Close()
	go func() { _, _ = pw.Write([]byte("part")) }()
	resp, err := c.Post("http://"+addr+"/api/v1/x", "text/plain", pr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("got HTTP/%d %s, want HTTP/2 408", resp.ProtoMajor, resp.Status)
	}
}

func TestConnectionOutlivesASlowHandler(t *testing.T) {
	t.Parallel()
	addr := start(t, server.Config{
		Native: server.API{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-time.After(400 * time.Millisecond):
			case <-r.Context().Done():
				w.WriteHeader(http.StatusInternalServerError)
			}
		})},
		Limits: server.Limits{BodyStall: 100 * time.Millisecond, BodyGrace: 100 * time.Millisecond},
	})
	for range 2 {
		resp, err := http.Post("http://"+addr+"/api/v1/x", "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("got %s: the body's deadline outlived the body", resp.Status)
		}
	}
}

func TestRequestTime(t *testing.T) {
	t.Parallel()
	addr := start(t, server.Config{
		Native: server.API{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			fmt.Fprint(w, r.Context().Err())
		})},
		Limits: server.Limits{Request: 50 * time.Millisecond},
	})
	resp, err := http.Get("http://" + addr + "/api/v1/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != context.DeadlineExceeded.Error() {
		t.Errorf("got %q", body)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	addr := start(t, server.Config{Limits: server.Limits{Connections: 2, Idle: time.Minute, HeaderTime: 300 * time.Millisecond}})
	var idle []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	begin := time.Now()
	resp, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if d := time.Since(begin); resp.StatusCode != http.StatusOK || d < 150*time.Millisecond {
		t.Errorf("got %s after %s; the third connection should wait until one of %d silent ones is cut", resp.Status, d, len(idle))
	}
}

func TestBodiesTogetherAreBounded(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	addr := start(t, server.Config{
		Native: server.API{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				http.Error(w, trilobite.Message(err), http.StatusTooManyRequests)
				return
			}
			if r.URL.Path == "/api/v1/hold" {
				close(arrived)
				<-release
			}
		})},
		Limits: server.Limits{Bodies: 1000},
	})
	post := func(path string, n int) int {
		resp, err := http.Post("http://"+addr+"/api/v1/"+path, "text/plain", strings.NewReader(strings.Repeat("x", n)))
		if err != nil {
			t.Error(err)
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	held := make(chan int, 1)
	go func() { held <- post("hold", 800) }()
	<-arrived
	if got := post("more", 300); got != 429 {
		t.Errorf("beside 800 of 1000 bytes: got %d, want 429", got)
	}
	if got := post("little", 100); got != 200 {
		t.Errorf("within the bound: got %d, want 200", got)
	}
	close(release)
	if got := <-held; got != 200 {
		t.Errorf("the first: got %d, want 200", got)
	}
	if got := post("again", 900); got != 200 {
		t.Errorf("after the first has gone: got %d, want 200", got)
	}
}
