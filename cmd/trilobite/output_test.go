package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trilobite"
	"trilobite/config"
	"trilobite/geom"
)

func TestPrinter(t *testing.T) {
	t.Parallel()
	dogs := &trilobite.Analysis{
		Width: 640, Height: 480,
		Labels: []trilobite.Label{
			{Name: "Dog", Score: 0.96875, Parents: []string{"Pet", "Animal"}, Instances: make([]trilobite.Instance, 2)},
			{Name: "Ball", Score: 0.5, Instances: make([]trilobite.Instance, 1)},
			{Name: "Grass & Sky", Score: 0.25},
		},
		Detections: []trilobite.Detection{
			{Name: "dog", Score: 0.96875, Box: geom.Box{X1: 1.5, Y1: 2, X2: 100.25, Y2: 200}},
			{Name: "sports ball", Score: 0.5, Box: geom.Box{X2: 10, Y2: 10}},
		},
	}
	boxes := *dogs
	boxes.Labels = nil
	failed := sighting{name: "b.jpg", err: &trilobite.Error{Op: "imageio.Decode", Code: trilobite.InvalidImage, Msg: "The bytes are no image.", Err: errors.New("magic")}}
	tests := []struct {
		name       string
		json, many bool
		seen       []sighting
		want       string
	}{
		{"labels", false, false, []sighting{{name: "a.jpg", analysis: dogs}}, `
LABEL        SCORE  SEEN     BELONGS TO
Dog          0.97   2 times  Pet, Animal
Ball         0.50   once     ` + `
Grass & Sky  0.25            ` + `
`},
		{"detections where no labels were asked for", false, false, []sighting{{name: "a.jpg", analysis: &boxes}}, `
OBJECT       SCORE  BOX (x1 y1 x2 y2)
dog          0.97   2 2 100 200
sports ball  0.50   0 0 10 10
`},
		{"several images: titles, and failures stand elsewhere", false, true, []sighting{{name: "a.jpg", analysis: &trilobite.Analysis{Width: 8, Height: 4}}, failed, {name: "c.jpg", analysis: &trilobite.Analysis{Width: 2, Height: 1}}}, `
a.jpg (8 × 4)
nothing above the minimum confidence

c.jpg (2 × 1)
nothing above the minimum confidence

`},
		{"a drawn copy", false, false, []sighting{{name: "a.jpg", analysis: &trilobite.Analysis{}, drawn: "out/a.jpg.png"}}, `
nothing above the minimum confidence
drawn: out/a.jpg.png
`},
		{"JSON Lines", true, true, []sighting{{name: "a.jpg", analysis: dogs, drawn: "out/a.jpg.png"}, failed}, `
{"file":"a.jpg","width":640,"height":480,"labels":[{"name":"Dog","score":0.96875},{"name":"Ball","score":0.5},{"name":"Grass & Sky","score":0.25}],"detections":[{"label":"dog","score":0.96875,"box":[1.5,2,100.25,200]},{"label":"sports ball","score":0.5,"box":[0,0,10,10]}],"annotated":"out/a.jpg.png"}
{"file":"b.jpg","labels":[],"detections":[],"error":"The bytes are no image."}
`},
		{"JSON of nothing has empty lists", true, false, []sighting{{name: "-", analysis: &trilobite.Analysis{Width: 1, Height: 1}}}, `
{"file":"-","width":1,"height":1,"labels":[],"detections":[]}
`},
		{"an error of drawing comes with the answer", true, false, []sighting{{name: "-", analysis: &trilobite.Analysis{Width: 1, Height: 1}, err: errors.New("disk full")}}, `
{"file":"-","width":1,"height":1,"labels":[],"detections":[],"error":"disk full"}
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			p := newPrinter(&out, tt.json, tt.many)
			for _, s := range tt.seen {
				if err := p.print(s); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want[1:], out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPrintConfig(t *testing.T) {
	t.Parallel()
	values := []config.Value{
		{Name: "addr", Value: "localhost:8080"},
		{Name: "models", Value: []string{"a", "b@2"}},
		{Name: "tls.cert", Value: ""},
		{Name: "tls.key", Value: "k: #1"},
		{Name: "limits.pixels", Value: int64(100)},
		{Name: "limits.wait", Value: time.Second.String()},
		{Name: "insecure", Value: false},
	}
	origin := config.Origin{
		"addr": "default", "models": "flag --models", "tls.cert": "default", "tls.key": "TRILOBITE_TLS_KEY",
		"limits.pixels": "default", "limits.wait": "file", "insecure": "default",
	}
	var out bytes.Buffer
	if err := printConfig(&out, values, origin); err != nil {
		t.Fatal(err)
	}
	want := `
addr: "localhost:8080"                             # default
models: [a, b@2]                                   # flag --models
tls:
  cert: ""                                         # default
  key: "k: #1"                                     # TRILOBITE_TLS_KEY
limits:
  pixels: 100                                      # default
  wait: 1s                                         # file
insecure: false                                    # default
`
	if diff := cmp.Diff(want[1:], out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMinConfidenceIsAFraction(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"-0.1", "1.5", "55"} {
		cmd := newRootCmd()
		cmd.SetArgs([]string{"detect", "--min-confidence=" + value, "none.jpg"})
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "between 0 and 1") {
			t.Errorf("--min-confidence=%s: %v, want an error that names the range", value, err)
		}
	}
}
