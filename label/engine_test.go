package label

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"trilobite"
	"trilobite/ort"
	"trilobite/serving"
	"trilobite/zoo"
)

// engine loads the default models from the packages that `make deps` brings.
var engine = sync.OnceValues(func() (*Engine, error) {
	home, err := os.MkdirTemp("", "trilobite-label-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	store := zoo.NewStore(home)
	models := []string{"coco-ssd", "efficientnet-lite0"}
	for _, name := range models {
		if _, _, err := (zoo.Puller{Store: store, Packages: "../.deps", Log: io.Discard}).Pull(context.Background(), name, false); err != nil {
			return nil, err
		}
	}
	rt, err := ort.Open("")
	if err != nil {
		return nil, err
	}
	return Open(context.Background(), serving.New(serving.Config{Runtime: rt, Store: store, Images: 256 << 20}), models)
})

func open(t *testing.T) *Engine {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatalf("%v (run `make deps`)", err)
	}
	return e
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../.deps/samples", name))
	if err != nil {
		t.Fatalf("%v (run `make deps`)", err)
	}
	return data
}

func names(labels []trilobite.Label) []string {
	all := make([]string, len(labels))
	for i, l := range labels {
		all[i] = l.Name
	}
	return all
}

func TestAnalyzeSeesThePicture(t *testing.T) {
	t.Parallel()
	e := open(t)
	tests := []struct {
		photo   string
		want    []string // labels, among others
		boxed   string   // one that has an instance
		missing string   // one that is not there
	}{
		{"motorcycle_left.png", []string{"Motorcycle", "Vehicle", "Transportation"}, "Motorcycle", "Cat"},
		{"coffee.png", []string{"Cup", "Coffee", "Beverage"}, "Cup", "Person"},
		{"chelsea.png", []string{"Cat", "Pet", "Animal"}, "Cat", "Vehicle"},
		{"astronaut.png", []string{"Person"}, "Person", "Cat"},
	}
	for _, tt := range tests {
		t.Run(tt.photo, func(t *testing.T) {
			t.Parallel()
			a, err := e.Analyze(t.Context(), sample(t, tt.photo), trilobite.AnalyzeParams{Labels: true, MinScore: 0.5})
			if err != nil {
				t.Fatal(err)
			}
			got := names(a.Labels)
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("labels %v lack %s", got, w)
				}
			}
			if slices.Contains(got, tt.missing) {
				t.Errorf("labels %v hold %s", got, tt.missing)
			}
			i := slices.Index(got, tt.boxed)
			if i < 0 || len(a.Labels[i].Instances) == 0 {
				t.Fatalf("%s has no instance", tt.boxed)
			}
			b := a.Labels[i].Instances[0].Box
			if b.X1 < 0 || b.Y1 < 0 || b.X2 > float32(a.Width) || b.Y2 > float32(a.Height) || b.Area() < 0.1*float32(a.Width*a.Height) {
				t.Errorf("box %v of %s is outside or too small for %d×%d", b, tt.boxed, a.Width, a.Height)
			}
		})
	}
}

func TestAnalyzeParams(t *testing.T) {
	t.Parallel()
	e := open(t)
	photo := sample(t, "motorcycle_left.png")
	tests := []struct {
		name string
		p    trilobite.AnalyzeParams
		ok   func(a *trilobite.Analysis) bool
	}{
		{"objects alone run no classifier", trilobite.AnalyzeParams{Objects: true, MinScore: 0.5}, func(a *trilobite.Analysis) bool {
			return len(a.Detections) > 0 && len(a.Labels) == 0 && len(a.Classifications) == 0
		}},
		{"properties alone run no model", trilobite.AnalyzeParams{Properties: true, MaxColors: 3}, func(a *trilobite.Analysis) bool {
			return a.Properties != nil && len(a.Properties.Colors) > 0 && len(a.Detections) == 0
		}},
		{"at most one label", trilobite.AnalyzeParams{Labels: true, MinScore: 0.5, MaxLabels: 1}, func(a *trilobite.Analysis) bool {
			return len(a.Labels) == 1
		}},
		{"instances get colours with properties", trilobite.AnalyzeParams{Labels: true, Properties: true, MaxColors: 2, MinScore: 0.9}, func(a *trilobite.Analysis) bool {
			return slices.ContainsFunc(a.Labels, func(l trilobite.Label) bool {
				return len(l.Instances) > 0 && len(l.Instances[0].Colors) > 0
			})
		}},
		{"one crop hint per ratio", trilobite.AnalyzeParams{CropRatios: []float32{1, 1.5}}, func(a *trilobite.Analysis) bool {
			return len(a.CropHints) == 2
		}},
		{"the named model alone", trilobite.AnalyzeParams{Labels: true, Models: []string{"efficientnet-lite0"}}, func(a *trilobite.Analysis) bool {
			return len(a.Detections) == 0 && len(a.Classifications) == 1000
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := e.Analyze(t.Context(), photo, tt.p)
			if err != nil || !tt.ok(a) {
				t.Errorf("Analyze(%+v) = %+v, %v", tt.p, a, err)
			}
		})
	}
}

func TestAnalyzeErrors(t *testing.T) {
	t.Parallel()
	e := open(t)
	photo := sample(t, "coffee.png")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name  string
		ctx   context.Context
		image []byte
		p     trilobite.AnalyzeParams
		want  trilobite.Code
	}{
		{"no image", t.Context(), nil, trilobite.AnalyzeParams{Labels: true}, trilobite.InvalidImage},
		{"a text", t.Context(), []byte("hello"), trilobite.AnalyzeParams{Labels: true}, trilobite.InvalidImage},
		{"half a picture", t.Context(), photo[:len(photo)/2], trilobite.AnalyzeParams{Labels: true}, trilobite.InvalidImage},
		{"a model that is not loaded", t.Context(), photo, trilobite.AnalyzeParams{Labels: true, Models: []string{"sushi"}}, trilobite.NotFound},
		{"the caller gave up", ended, photo, trilobite.AnalyzeParams{Labels: true}, trilobite.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := e.Analyze(tt.ctx, tt.image, tt.p); trilobite.CodeOf(err) != tt.want {
				t.Errorf("Analyze = %v, want code %s", err, tt.want)
			}
		})
	}
}
