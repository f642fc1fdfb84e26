package vision_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"trilobite"
	"trilobite/api/vision"
	"trilobite/geom"
)

// analyzer answers by the bytes it is given: "bike" is a picture, the other words
// are what can go wrong.
type analyzer struct {
	seen func(image []byte, p trilobite.AnalyzeParams)
}

func (a analyzer) Analyze(ctx context.Context, image []byte, p trilobite.AnalyzeParams) (*trilobite.Analysis, error) {
	if a.seen != nil {
		a.seen(image, p)
	}
	switch string(image) {
	case "bike":
		return bike(), nil
	case "slow bike":
		select {
		case <-time.After(100 * time.Millisecond):
			return bike(), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "wait":
		<-ctx.Done()
		return nil, ctx.Err()
	case "full":
		return nil, &trilobite.Error{Code: trilobite.Throttled, Msg: "Too many images at once."}
	case "huge":
		return nil, &trilobite.Error{Code: trilobite.ImageTooLarge, Msg: "The image has too many pixels."}
	case "bug":
		panic("secret of the analyser")
	case "disk":
		return nil, context.DeadlineExceeded
	case "nothing":
		return &trilobite.Analysis{Width: 10, Height: 10, Properties: &trilobite.Properties{}}, nil
	}
	return nil, &trilobite.Error{Code: trilobite.InvalidImage, Msg: "The bytes are no image."}
}

// bike is seen in a picture of 400×200 pixels.
func bike() *trilobite.Analysis {
	return &trilobite.Analysis{
		Width: 400, Height: 200, Orientation: 1,
		Labels: []trilobite.Label{
			{Name: "Vehicle", Score: 0.75},
			{Name: "Bicycle", Score: 0.9375, Parents: []string{"Vehicle"}},
			{Name: "Street Art", Score: 0.5},
		},
		Detections: []trilobite.Detection{
			{Name: "person", Score: 0.5, Box: geom.Box{X1: -3, Y1: 0, X2: 500, Y2: 200}},
			{Name: "bicycle", Score: 0.875, Box: geom.Box{X1: 100, Y1: 50, X2: 300, Y2: 150}},
		},
		Properties: &trilobite.Properties{Region: trilobite.Region{Colors: []trilobite.Color{
			{R: 10, G: 20, B: 30, Score: 0.25, Fraction: 0.5},
			{R: 200, G: 0, B: 255, Score: 0.5, Fraction: 0.25},
		}}},
		CropHints: []trilobite.CropHint{{Box: geom.Box{X1: 0, Y1: 0, X2: 200, Y2: 200}, Confidence: 0.5, Importance: 0.75}},
	}
}

// buckets hold one object, which account 111122223333 may see.
type buckets struct{}

func (buckets) Read(_ context.Context, account, bucket, key, version string, _ int64) ([]byte, error) {
	switch {
	case account != "111122223333":
		return nil, &trilobite.Error{Code: trilobite.Forbidden, Msg: "not yours"}
	case bucket != "photos" || key != "a/bike.jpg" || version != "":
		return nil, &trilobite.Error{Code: trilobite.Unreachable, Msg: "no such object"}
	}
	return []byte("bike"), nil
}

// pages are URLs that answer, fail or are off the list.
type pages struct{}

func (pages) Fetch(_ context.Context, url string, _ int64) ([]byte, error) {
	switch url {
	case "https://example.com/bike.jpg":
		return []byte("bike"), nil
	case "https://example.com/down.jpg":
		return nil, &trilobite.Error{Code: trilobite.Unreachable, Msg: "down"}
	}
	return nil, &trilobite.Error{Code: trilobite.Forbidden, Msg: "off the list"}
}

func handler(a vision.Analyzer) *vision.Handler {
	return vision.New(vision.Config{
		Analyzer: a,
		Objects:  buckets{},
		Fetcher:  pages{},
		Account:  func(context.Context) string { return "111122223333" },
		Log:      slog.New(slog.DiscardHandler),
	})
}

// listen serves h over plaintext HTTP/1 and HTTP/2 and returns host:port.
func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	s := &http.Server{Handler: h, Protocols: &p}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
