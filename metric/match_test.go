package metric

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/geom"
)

func TestMatchBoxes(t *testing.T) {
	t.Parallel()
	at := func(x float64) geom.Rect { return geom.Rect{X: x, Y: 0, W: 10, H: 10} }
	tests := []struct {
		name  string
		truth []Truth
		found []Prediction
		want  []bool
	}{
		{"none", nil, nil, []bool{}},
		{"an object is found once", []Truth{{Box: at(0)}}, []Prediction{{Box: at(1)}, {Box: at(0)}}, []bool{true, false}},
		{"the closest that is left", []Truth{{Box: at(0)}, {Box: at(3)}}, []Prediction{{Box: at(2)}, {Box: at(0)}}, []bool{true, true}},
		{"another class", []Truth{{Class: 1, Box: at(0)}}, []Prediction{{Box: at(0)}}, []bool{false}},
		{"just enough overlap", []Truth{{Box: geom.Rect{W: 10, H: 10}}}, []Prediction{{Box: geom.Rect{W: 10, H: 5}}}, []bool{true}},
		{"too little overlap", []Truth{{Box: geom.Rect{W: 10, H: 10}}}, []Prediction{{Box: geom.Rect{W: 10, H: 4.9}}}, []bool{false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, MatchBoxes(tt.truth, tt.found, 0.5)); diff != "" {
				t.Errorf("MatchBoxes (-want +got):\n%s", diff)
			}
		})
	}
}
