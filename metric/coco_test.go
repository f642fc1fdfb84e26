package metric

import (
	"math"
	"slices"
	"strings"
	"testing"

	"trilobite/geom"
	"trilobite/tensor"
)

// rows returns a golden's matrix as rows.
func rows(t *testing.T, a *tensor.Tensor) [][]float64 {
	t.Helper()
	data, ok := tensor.Data[float64](a)
	if !ok || len(a.Shape) != 2 {
		t.Fatalf("golden is %v%v", a.DType, a.Shape)
	}
	return slices.Collect(slices.Chunk(data, int(a.Shape[1])))
}

// cocoScene is one of the goldens' scenes.
type cocoScene struct {
	truth       []Truth
	predictions []Prediction
}

// cocoScenes returns the goldens' scenes by name.
func cocoScenes(t *testing.T) map[string]cocoScene {
	t.Helper()
	golden, err := tensor.ReadNPZ("testdata/coco_ap.npz")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]cocoScene{}
	for key := range golden {
		name, ok := strings.CutSuffix(key, "_truth")
		if !ok {
			continue
		}
		var s cocoScene
		for _, r := range rows(t, golden[name+"_truth"]) {
			s.truth = append(s.truth, Truth{int(r[0]), int(r[1]), geom.Rect{X: r[2], Y: r[3], W: r[4], H: r[5]}, r[6], r[7] != 0})
		}
		for _, r := range rows(t, golden[name+"_pred"]) {
			s.predictions = append(s.predictions, Prediction{int(r[0]), int(r[1]), geom.Rect{X: r[2], Y: r[3], W: r[4], H: r[5]}, r[6]})
		}
		out[name] = s
	}
	return out
}

func TestCOCOBoxes(t *testing.T) {
	t.Parallel()
	golden, err := tensor.ReadNPZ("testdata/coco_ap.npz")
	if err != nil {
		t.Fatal(err)
	}
	scenes := cocoScenes(t)
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := COCOBoxes(s.truth, s.predictions)
			want, _ := tensor.Data[float64](golden[name+"_stats"])
			for i, g := range got.Stats() {
				if math.Abs(g-want[i]) > 1e-12 {
					t.Errorf("figure %d is %.15f, want %.15f", i, g, want[i])
				}
			}
			var at50 mean
			for c := range got.Curves50 {
				at50.add(got.AP50Of(c))
			}
			if math.Abs(at50.value()-want[1]) > 1e-12 {
				t.Errorf("the classes' AP50 have mean %v, AP50 is %v", at50.value(), want[1])
			}
			byClass, _ := tensor.Data[float64](golden[name+"_class"])
			for c, want := range byClass {
				if g, ok := got.ByClass[c]; ok != (want >= 0) || ok && math.Abs(g-want) > 1e-12 {
					t.Errorf("class %d: AP %v, want %v", c, g, want)
				}
			}
		})
	}
	if len(scenes) < 9 {
		t.Errorf("%d scenes, want 9", len(scenes))
	}
}

func TestCOCOBoxesNothing(t *testing.T) {
	t.Parallel()
	box := geom.Rect{W: 50, H: 50}
	tests := []struct {
		name  string
		truth []Truth
		pred  []Prediction
		want  float64 // AP
	}{
		{"nothing at all", nil, nil, -1},
		{"only predictions", nil, []Prediction{{Box: box, Score: 1}}, -1},
		{"nothing found", []Truth{{Box: box, Area: 2500}}, nil, 0},
		{"only a crowd", []Truth{{Box: box, Area: 2500, Crowd: true}}, []Prediction{{Box: box, Score: 1}}, -1},
		{"NaN scores rank last", []Truth{{Box: box, Area: 2500}}, []Prediction{{Box: geom.Rect{X: 90, W: 5, H: 5}, Score: math.NaN()}, {Box: box, Score: 0.1}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := COCOBoxes(tt.truth, tt.pred).AP; math.Abs(got-tt.want) > 1e-12 {
				t.Errorf("AP = %v, want %v", got, tt.want)
			}
		})
	}
}
