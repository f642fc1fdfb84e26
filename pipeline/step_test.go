package pipeline

import (
	"math"
	"strings"
	"testing"

	goccy "github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/tensor"
)

var base = Spec{Width: 40, Height: 40, Filter: imageio.BilinearHalfPixel}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"unknown step", "steps:\n  - greyscale\n  - shrpen: {amount: 1}\n", `f.yaml: line 3: unknown step "shrpen"; did you mean "sharpen"?`},
		{"unknown parameter", "steps:\n  - sharpen:\n      amuont: 1\n", `line 3: unknown parameter "amuont"; did you mean "amount"?`},
		{"unknown field", "step: []\n", `line 1: unknown field "step"; did you mean "steps"?`},
		{"the input's size", "width: 3\n", `line 1: unknown field "width"`},
		{"zero size", "steps:\n  - resize: {width: 0, height: 9}\n", "line 2: resize: the size is 0×9"},
		{"empty box", "steps:\n\n  - crop: {box: [5, 5, 5, 9]}\n", "line 3: crop: box [5 5 5 9] has no size"},
		{"box outside", "steps:\n  - crop: {box: [-1, 0, 5, 9]}\n", "line 2: crop: box"},
		{"not a number", "steps:\n  - gamma: .nan\n", "line 2: gamma: gamma is NaN"},
		{"an even window", "steps:\n  - denoise: {median: 4}\n", "line 2: denoise: median's window"},
		{"another type", "steps:\n  - brightness: much\n", "line 2"},
		{"no name", "steps:\n  -\n", "line 2"},
		{"two names", "steps:\n  - {gamma: 1, contrast: 1}\n", "line 2: a step has one name"},
		{"a list", "- gamma\n", "line 1"},
		{"a wrong field", "steps: []\nstd: [0]\n", "line 2: preprocessing: std is [0]"},
		{"a text for a number", "steps:\n  - greyscale\n  - sharpen: {sigma: much}\n", "line 3: wrong type: `much`, want a number"},
		{"a number for a list", "steps:\n  - crop: {centre: 5}\n", "line 2: wrong type: `5`, want a list of whole numbers"},
		{"a tab on the first line", "\tsteps: []", "f.yaml: line 1: yaml: found character"},
		{"steps twice", "steps: []\nmean: [1]\nsteps: [greyscale]\n", "line 3: steps is there twice, first in line 1"},
		{"a parameter twice", "steps:\n  - sharpen:\n      sigma: 1\n      sigma: 2\n", "line 4: sigma is there twice"},
		{"an enormous size", "steps:\n  - resize: {width: 16385, height: 2}\n", "line 2: resize: the size is 16385×2"},
		{"enormous together", "steps:\n  - resize: {width: 16384, height: 16384}\n", "line 2: resize: the size is 16384×16384"},
		{"more steps than allowed", "steps: [" + strings.Repeat("greyscale, ", 65) + "]\n", "line 1: steps are a list of 64 at most"},
		{"tiles and a window", "steps:\n  - clahe: {tiles: 4, window: 9}\n", "line 2: clahe: it takes either tiles or window"},
		{"a step after tile", "steps:\n  - tile: {width: 64, height: 64, overlap: 8}\n  - greyscale\n", "line 2: tile is the last step; here greyscale comes after it"},
		{"tiles that are all overlap", "steps:\n  - tile: {width: 64, height: 64, overlap: 33}\n", "line 2: tile: overlap is 33; it is 0 to 32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("f.yaml", []byte(tt.text), base); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, want %s", err, tt.want)
			}
		})
	}
}

// TestWritten reads every kind of step, writes it and reads it again.
func TestWritten(t *testing.T) {
	t.Parallel()
	const text = "steps:\n  - orient: {turn: 90, flip: vertical}\n  - crop: {box: [1, 2, 30, 40]}\n  - crop: {centre: [9, 8]}\n  - trim\n" +
		"  - resize: {mode: letterbox, width: 7, height: 9, fill: 0, filter: bicubic}\n  - brightness: 0.1\n  - contrast: 2\n  - gamma: 0.5\n  - saturation: 0\n" +
		"  - white-balance: grey-world\n  - equalise\n  - clahe: {slope: 0}\n  - clahe: {window: 9}\n  - greyscale\n  - denoise: {median: 3}\n  - denoise: {gaussian: 1.5}\n" +
		"  - sharpen: {amount: 0}\n  - tile: {width: 64, height: 64, overlap: 0}\n"
	want, err := Parse("f.yaml", []byte(text), base)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Steps) < len(kinds) {
		t.Errorf("%d steps for %d kinds", len(want.Steps), len(kinds))
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"cards": goccy.Marshal, "runs": yaml.Marshal} {
		data, err := marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Spec
		if err := yaml.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, data)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Step{}, "Line"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", name, diff, data)
		}
	}
}

func TestMinSide(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 80, "steps: [greyscale, {resize: {mode: fit, width: 300, height: 200}}, {crop: {centre: [100, 100]}}]": 600,
		"steps: [{crop: {centre: [300, 200]}}, {resize: {width: 300, height: 200}}]": 0, "steps: [sharpen]": 0, "steps: [{orient: {turn: 90}}]": 80,
	} {
		s, err := Parse("f.yaml", []byte(text), base)
		if err != nil || s.MinSide() != want {
			t.Errorf("%q: MinSide = %d, %v; want %d", text, s.MinSide(), err, want)
		}
	}
}

func TestCropOutside(t *testing.T) {
	t.Parallel()
	s, err := Parse("f.yaml", []byte("steps:\n  - crop: {box: [0, 0, 100, 10]}\n"), base)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Apply(imageio.New(99, 50))
	if trilobite.CodeOf(err) != trilobite.Invalid || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("Apply = %v, want Invalid with the line", err)
	}
}

// TestWayBack puts a white block on black, runs the steps, finds it in the model's input
// and takes that box back to the image.
func TestWayBack(t *testing.T) {
	t.Parallel()
	block := geom.Box{X1: 60, Y1: 40, X2: 80, Y2: 70}
	img := imageio.New(200, 120)
	for y := 40; y < 70; y++ {
		for x := 60; x < 80; x++ {
			for c := range 3 {
				img.Pix[3*(y*200+x)+c] = 255
			}
		}
	}
	tests := []struct{ name, text string }{
		{"nothing", ""},
		{"turned 90", "steps:\n  - orient: {turn: 90}\n"},
		{"turned 180", "steps:\n  - orient: {turn: 180}\n"},
		{"turned 270 and mirrored", "steps:\n  - orient: {turn: 270, flip: horizontal}\n"},
		{"flipped", "steps:\n  - orient: {flip: vertical}\n"},
		{"box", "steps:\n  - crop: {box: [40, 20, 120, 100]}\n"},
		{"centre", "steps:\n  - crop: {centre: [120, 90]}\n"},
		{"fit", "steps:\n  - resize: {mode: fit, width: 100, height: 100}\n"},
		{"fill", "steps:\n  - resize: {mode: fill, width: 100, height: 100}\n"},
		{"letterbox", "steps:\n  - resize: {mode: letterbox, width: 100, height: 100, fill: 0}\n"},
		{"exact", "steps:\n  - resize: {width: 50, height: 90}\n"},
		{"all of them", "resize: letterbox\nsteps:\n  - crop: {box: [20, 10, 180, 110]}\n  - orient: {turn: 90}\n  - resize: {mode: letterbox, width: 150, height: 200, fill: 0}\n  - orient: {turn: 270, flip: vertical}\n  - crop: {centre: [190, 140]}\n  - orient: {turn: 90, flip: horizontal}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse("f.yaml", []byte(tt.text), base)
			if err != nil {
				t.Fatal(err)
			}
			x, m, err := s.Apply(img)
			if err != nil {
				t.Fatal(err)
			}
			data, _ := tensor.Data[float32](x)
			found := geom.Box{X1: 99, Y1: 99}
			for i, v := range data[:1600] {
				if v > 127 {
					px, py := float32(i%40), float32(i/40)
					found = geom.Box{X1: min(found.X1, px), Y1: min(found.Y1, py), X2: max(found.X2, px+1), Y2: max(found.Y2, py+1)}
				}
			}
			got := m.ToImage(found)
			for _, d := range []float32{got.X1 - block.X1, got.Y1 - block.Y1, got.X2 - block.X2, got.Y2 - block.Y2} {
				if math.Abs(float64(d)) > 3.5 { // a pixel of the input is 5 of the image, and rounds
					t.Fatalf("%v in the input is %v of the image, want %v", found, got, block)
				}
			}
			if w, h := m.Size(); w != 200 || h != 120 {
				t.Errorf("Size = %v×%v, want the image's", w, h)
			}
			ix, iy := m.FromImage(63, 52)
			if bx, by := m.Point(ix, iy); math.Abs(bx-63) > 1e-3 || math.Abs(by-52) > 1e-3 {
				t.Errorf("a point came back at %v, %v", bx, by)
			}
			// A plane of the turned image, white in the block, comes back upright.
			st := m.Straight()
			w, h := st.Size()
			plane := make([]uint8, int(w*h))
			for i := range plane {
				cx, cy := st.FromImage(float64(i%int(w))+0.5, float64(i/int(w))+0.5)
				if bx, by := m.Point(cx, cy); bx > 60 && bx < 80 && by > 40 && by < 70 {
					plane[i] = 255
				}
			}
			m.Upright(plane)
			for i, v := range plane {
				if v != img.Pix[3*i] {
					t.Fatalf("mask at %d, %d is %d, want %d", i%200, i/200, v, img.Pix[3*i])
				}
			}
		})
	}
}

func TestTrim(t *testing.T) {
	t.Parallel()
	img := imageio.New(100, 80)
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	for y := 20; y < 60; y++ {
		for x := 30; x < 90; x++ {
			img.Pix[3*(y*100+x)] = 0
		}
	}
	w, way, err := stepped(t, Step{Name: "trim", Op: &Trim{Threshold: 10}}).Steps(img)
	if err != nil || w.W != 60 || w.H != 40 || way.frame.dx != 30 || way.frame.dy != 20 {
		t.Errorf("%v, %v; want 60×40 from 30, 20", w, err)
	}
}

func TestLocalFilters(t *testing.T) {
	t.Parallel()
	img := imageio.New(21, 21)
	img.Pix[3*(10*21+10)] = 255 // one red pixel
	for name, tt := range map[string]struct {
		op   Op
		want uint8 // of its red
	}{
		"median drops it":              {&Denoise{Median: 3}, 0},
		"gaussian spreads it":          {&Denoise{Gaussian: 1}, 41}, // 255 / (2π)
		"an unsharp mask is cut there": {&Sharpen{Sigma: 1, Amount: 1}, 255},
	} {
		w, _, err := stepped(t, Step{Name: name, Op: tt.op}).Steps(img)
		if err != nil {
			t.Fatal(err)
		}
		if r, _, _ := w.At(10, 10); math.Abs(float64(r)-float64(tt.want)) > 1 {
			t.Errorf("%s: %d, want %d", name, r, tt.want)
		}
	}
	if img.Pix[3*(10*21+10)] != 255 {
		t.Error("a step wrote into its source")
	}
}
