package server_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"trilobite/api/native"
	"trilobite/api/vision"
	"trilobite/server"
)

// TestSlowBodiesThroughTheAPIs: each API says in its own shape that a body came too
// slowly, or was one too many.
func TestSlowBodiesThroughTheAPIs(t *testing.T) {
	t.Parallel()
	limits := server.Limits{BodyStall: 300 * time.Millisecond}
	c := server.Config{
		Vision: visionAPI(vision.New(vision.Config{Analyzer: seer{}})),
		Native: server.API{Name: "native", Handler: native.New(native.Config{Analyzer: seer{}}), Error: native.WriteError},
		Limits: limits,
	}
	slow := start(t, c)
	c.Limits.Bodies = 10
	full := start(t, c)

	for _, tc := range []struct{ name, path, kind, slow, full string }{
		{"vision", "/v1/images:annotate", "application/json", "408 Request Timeout: {\n  \"error\": {\n    \"code\": 408,\n    \"message\": \"The request body arrived too slowly.\",\n    \"status\": \"DEADLINE_EXCEEDED\"", "429 Too Many Requests"},
		{"native JSON", "/api/v1/label", "application/json", `408 Request Timeout: {"type":"urn:trilobite:error:canceled"`, "429 Too Many Requests"},
		{"native form", "/api/v1/label", "multipart/form-data; boundary=b", `408 Request Timeout: {"type":"urn:trilobite:error:canceled"`, "429 Too Many Requests"},
		{"native bytes", "/api/v1/label", "image/png", `408 Request Timeout: {"type":"urn:trilobite:error:canceled"`, "429 Too Many Requests"},
	} {
		head := "POST " + tc.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + tc.kind + "\r\nContent-Length: 50\r\n\r\n"
		if got, _ := raw(t, slow, 0, false, head+`{"requests":`); !strings.Contains(got, tc.slow) {
			t.Errorf("%s, slow: got %q, want %q", tc.name, got, tc.slow)
		}
		if got, _ := raw(t, full, 0, false, head+`{"requests":[`+strings.Repeat(" ", 37)); !strings.Contains(got, tc.full) {
			t.Errorf("%s, full: got %q, want %q", tc.name, got, tc.full)
		}
	}

	for addr, want := range map[string]string{slow: "4", full: "8"} {
		var p http.Protocols
		p.SetUnencryptedHTTP2(true)
		h2 := &http.Client{Transport: &http.Transport{Protocols: &p}, Timeout: 5 * time.Second}
		pr, pw := io.Pipe()
		go func() { _, _ = pw.Write(append(binary.BigEndian.AppendUint32([]byte{0}, 100), make([]byte, 50)...)) }() // half of a message
		r, err := http.NewRequest(http.MethodPost, "http://"+addr+vision.Service+"BatchAnnotateImages", pr)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/grpc")
		resp, err := h2.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		_ = pw.Close()
		if got := resp.Trailer.Get("Grpc-Status") + resp.Header.Get("Grpc-Status"); got != want {
			t.Errorf("gRPC: got status %q, want %s", got, want)
		}
	}
}
