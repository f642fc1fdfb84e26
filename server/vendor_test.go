package server_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"trilobite"
	"trilobite/api/rekognition"
	"trilobite/auth"
	"trilobite/server"
)

// analyzeFunc is an Analyzer made of a function.
type analyzeFunc func(context.Context) (*trilobite.Analysis, error)

func (f analyzeFunc) Analyze(ctx context.Context, _ []byte, _ trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	return f(ctx)
}

func rekognitionAPI(a rekognition.Analyzer) server.API {
	return server.API{
		Name: "rekognition", Operation: rekognition.Operation, Error: rekognition.WriteError,
		Handler: rekognition.New(rekognition.Config{Analyzer: a, Auth: auth.Off(), Log: slog.New(slog.DiscardHandler)}),
	}
}

// detectLabels is a whole call with a picture of 640×480 as far as its header says.
func detectLabels(host string) string {
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x80\x00\x00\x01\xe0"
	return call(host, `{"Image":{"Bytes":"`+base64.StdEncoding.EncodeToString([]byte(png))+`"}}`, 0)
}

// call is a DetectLabels request whose Content-Length promises more bytes than come.
func call(host, body string, more int) string {
	r, err := http.NewRequest(http.MethodPost, "http://"+host, strings.NewReader(body+strings.Repeat(" ", more)))
	if err != nil {
		panic(err)
	}
	r.Header.Set("X-Amz-Target", "RekognitionService.DetectLabels")
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		panic(err)
	}
	return b.String()[:b.Len()-more]
}

// exchange sends text, closes its side where told to, and reads one answer.
func exchange(t *testing.T, addr, text string, halfClose bool) (*http.Response, string) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if halfClose {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestRekognitionErrors: what the server itself refuses looks as Rekognition's own, and
// its request id is the one in the log.
func TestRekognitionErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		limits    server.Limits
		text      string
		halfClose bool
		status    int
		exception string
	}{
		{"a host that is not ours", server.Limits{}, detectLabels("evil.example"), false, 400, "AccessDeniedException"},
		{"a panic", server.Limits{}, detectLabels("localhost"), false, 500, "InternalServerError"},
		{"a body that comes too slowly", server.Limits{BodyStall: 200 * time.Millisecond}, call("localhost", `{"Image"`, 50), false, 408, "RequestTimeoutException"},
		{"a body that is cut short", server.Limits{}, call("localhost", `{"Image"`, 50), true, 400, "SerializationException"},
		{"one body too many", server.Limits{Bodies: 10}, call("localhost", `{"Image":{}}`, 0), false, 400, "ThrottlingException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log lines
			addr := start(t, server.Config{
				Rekognition: rekognitionAPI(analyzeFunc(func(context.Context) (*trilobite.Analysis, error) { panic("for the test") })),
				Open:        true, Limits: tt.limits, Log: slog.New(slog.NewJSONHandler(&log, nil)),
			})
			resp, text := exchange(t, addr, tt.text, tt.halfClose)
			var body struct {
				Type                  string `json:"__type"` //nolint:tagliatelle // AWS's name
				Code, Logref, Message string
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				t.Fatalf("no JSON: %s", text)
			}
			if resp.StatusCode != tt.status || body.Type != tt.exception || body.Code != tt.exception || body.Message == "" {
				t.Errorf("got %s %s, want %d %s", resp.Status, text, tt.status, tt.exception)
			}
			if h := resp.Header; h.Get("X-Amzn-Errortype") != tt.exception || h.Get("Content-Type") != "application/x-amz-json-1.1" {
				t.Errorf("headers %v", h)
			}
			id := resp.Header.Get("X-Amzn-Requestid")
			for !strings.Contains(log.String(), `"msg":"request"`) { // written after the answer
				time.Sleep(time.Millisecond)
			}
			if id == "" || id != body.Logref || id != resp.Header.Get("X-Request-Id") || !strings.Contains(log.String(), `"request":"`+id+`"`) {
				t.Errorf("request id %q, Logref %q, X-Request-Id %q; log:\n%s", id, body.Logref, resp.Header.Get("X-Request-Id"), log.String())
			}
		})
	}
}

// TestHalfClosed: a client that has sent its request and closes its side gets its
// answer; the request of one that has gone ends, though not at once.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context) (*trilobite.Analysis, error) {
		select {
		case <-time.After(300 * time.Millisecond):
			return &trilobite.Analysis{Width: 640, Height: 480, Version: "1"}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	addr := start(t, server.Config{Rekognition: rekognitionAPI(analyzeFunc(slow))})
	if resp, body := exchange(t, addr, detectLabels("localhost"), true); resp.StatusCode != http.StatusOK {
		t.Errorf("half-closed: got %s %s", resp.Status, body)
	}

	ended := make(chan time.Duration, 1)
	gone := func(ctx context.Context) (*trilobite.Analysis, error) {
		begin := time.Now()
		<-ctx.Done()
		ended <- time.Since(begin)
		return nil, ctx.Err()
	}
	addr = start(t, server.Config{Rekognition: rekognitionAPI(analyzeFunc(gone)), Limits: server.Limits{Gone: 300 * time.Millisecond}})
	if resp, body := exchange(t, addr, detectLabels("localhost"), true); resp.StatusCode != http.StatusInternalServerError || !strings.Contains(body, "ThrottlingException") {
		t.Errorf("given up: got %s %s", resp.Status, body)
	}
	if d := <-ended; d < 200*time.Millisecond {
		t.Errorf("given up after %s, want 300 ms", d)
	}
}
