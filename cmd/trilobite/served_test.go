package main

import (
	"bytes"
	"image"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"trilobite/api/native"
	"trilobite/config"
	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort"
	"trilobite/segment"
	"trilobite/serving"
	"trilobite/zoo"
)

// servedAsTrained compares, for each picture of a folder, the mask that the native API
// answers with the one that a training's own evaluation sees (evaluate.Segment, on the
// graph as reportSegmenter loads it): the same class in every pixel.
func servedAsTrained(t *testing.T, home, model, folder string) {
	t.Helper()
	rt, err := ort.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c := config.Config{Home: home}
	c.Limits.Memory, c.Limits.Pixels = 64<<20, 1<<20
	registry := serving.New(servingConfig(rt, c, nil))
	defer registry.Close()
	api := native.New(native.Config{Models: registry, Log: slog.New(slog.DiscardHandler)})
	trained := trainedSegmenter(t, rt, home, model)
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pictures in %s, %v", len(files), folder, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/api/v1/models/"+model+"/segment", bytes.NewReader(data))
		r.Header.Set("Content-Type", "image/jpeg")
		r.Header.Set("Accept", "image/png")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		served, err := png.Decode(w.Body)
		if err != nil {
			t.Fatalf("%s: %d, %v", file, w.Code, err)
		}
		pixels, err := imageio.Decode(t.Context(), data, imageio.Options{MinSide: trained.Spec().MinSide()})
		if err != nil {
			t.Fatal(err)
		}
		want, err := trained.Segment(t.Context(), pixels)
		if err != nil {
			t.Fatal(err)
		}
		if got := served.(*image.Paletted); !bytes.Equal(got.Pix, want.Class) || got.Rect.Dx() != want.W {
			t.Errorf("%s: the served mask is not the trained model's", file)
		}
	}
}

// trainedSegmenter loads a model as reportSegmenter does.
func trainedSegmenter(t *testing.T, rt *ort.Runtime, home, ref string) *segment.Segmenter {
	t.Helper()
	card, err := zoo.NewStore(home).Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := card.ReadLabels()
	if err != nil {
		t.Fatal(err)
	}
	g, err := onnx.Load(card.GraphFile())
	if err != nil {
		t.Fatal(err)
	}
	data, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	session, err := rt.LoadBytes(t.Context(), data, ort.Options{Name: reportModel})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	s, err := segment.New(session, segment.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: labels.Names()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
