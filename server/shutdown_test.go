package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	client "cloud.google.com/go/vision/v2/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"trilobite"
	"trilobite/api/vision"
	"trilobite/server"
)

// holding is an analyser that waits to be released.
type holding struct {
	seer

	entered, release chan struct{}
}

func (h holding) Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	close(h.entered)
	select {
	case <-h.release:
		return h.seer.Analyze(ctx, image, p)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestShutdownFinishesGRPCCalls(t *testing.T) {
	t.Parallel()
	h := holding{entered: make(chan struct{}), release: make(chan struct{})}
	s := server.New(server.Config{Vision: visionAPI(vision.New(vision.Config{Analyzer: h})), Log: slog.New(slog.DiscardHandler)})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	c, err := client.NewImageAnnotatorClient(t.Context(), option.WithEndpoint(l.Addr().String()), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answered := make(chan error, 1)
	go func() { answered <- label(t, c) }()
	<-h.entered
	cancel()
	select {
	case err := <-done:
		t.Fatalf("the server ended before its call did: %v", err)
	case err := <-answered:
		t.Fatalf("the call ended before it was released: %v", err)
	default:
	}
	close(h.release)
	if err := <-answered; err != nil {
		t.Errorf("the accepted call: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestShutdownTellsKeptConnections(t *testing.T) {
	t.Parallel()
	s := server.New(server.Config{
		Native: server.API{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })},
		Log:    slog.New(slog.DiscardHandler), Limits: server.Limits{Parting: time.Second},
	})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	const clients = 8
	told := make(chan error, clients)
	for range clients {
		go func() { told <- callUntilTold("http://" + l.Addr().String() + "/api/v1/x") }()
	}
	time.Sleep(50 * time.Millisecond)
	cancel()
	for range clients {
		if err := <-told; err != nil {
			t.Errorf("a connection ended without a word: %v", err)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

// callUntilTold calls again and again on one connection, until an answer says that it
// ends.
func callUntilTold(url string) error {
	client := http.Client{Transport: &http.Transport{}}
	for {
		resp, err := client.Post(url, "text/plain", strings.NewReader("x"))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil || resp.Close {
			return err
		}
	}
}
