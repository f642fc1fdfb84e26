package properties

import (
	"math"
	"testing"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
)

// paint returns a w×h image whose pixels are f's.
func paint(w, h int, f func(x, y int) [3]uint8) *imageio.Image {
	m := imageio.New(w, h)
	for y := range h {
		for x := range w {
			c := f(x, y)
			copy(m.Pix[(y*w+x)*3:], c[:])
		}
	}
	return m
}

func solid(c [3]uint8) func(x, y int) [3]uint8 { return func(int, int) [3]uint8 { return c } }

// disc is a red disc on blue-grey, its centre at cx, cy.
func disc(cx, cy, r float64) func(x, y int) [3]uint8 {
	return func(x, y int) [3]uint8 {
		if math.Hypot(float64(x)-cx, float64(y)-cy) < r {
			return [3]uint8{200, 30, 30}
		}
		return [3]uint8{100, 110, 125}
	}
}

// texture is a picture with detail of many sizes.
func texture(x, y int) [3]uint8 {
	v := 128 + 60*math.Sin(float64(x)/3) + 40*math.Sin(float64(x*y)/500)
	if (x/16+y/16)%2 == 0 {
		v -= 25
	}
	return [3]uint8{uint8(v), uint8(255 - v), uint8(128 + v/4)}
}

// blur halves a picture n times and enlarges it again.
func blur(t *testing.T, m *imageio.Image, n int) *imageio.Image {
	t.Helper()
	small, err := m.Resize(m.W>>n, m.H>>n, imageio.Area)
	if err == nil {
		small, err = small.Resize(m.W, m.H, imageio.Bicubic)
	}
	if err != nil {
		t.Fatal(err)
	}
	return small
}

// scaled multiplies the distance of every value from a centre.
func scaled(m *imageio.Image, by, centre float64) *imageio.Image {
	return paint(m.W, m.H, func(x, y int) (c [3]uint8) {
		r, g, b := m.At(x, y)
		for i, v := range []uint8{r, g, b} {
			c[i] = uint8(centre + by*(float64(v)-centre))
		}
		return c
	})
}

func TestQualityOrder(t *testing.T) {
	t.Parallel()
	m := paint(300, 200, texture)
	q := Analyze(m, 0).Quality
	previous := q.Sharpness
	for n := 1; n <= 3; n++ {
		s := Analyze(blur(t, m, n), 0).Quality.Sharpness
		if s >= previous {
			t.Errorf("blurred by %d: sharpness %.1f, not below %.1f", 1<<n, s, previous)
		}
		previous = s
	}
	if d := Analyze(scaled(m, 0.6, 0), 0).Quality; d.Brightness >= q.Brightness {
		t.Errorf("darker: brightness %.1f, not below %.1f", d.Brightness, q.Brightness)
	}
	if d := Analyze(scaled(m, 0.5, 128), 0).Quality; d.Contrast >= q.Contrast || math.Abs(float64(d.Brightness-q.Brightness)) > 5 {
		t.Errorf("flatter: contrast %.1f, brightness %.1f; were %.1f, %.1f", d.Contrast, d.Brightness, q.Contrast, q.Brightness)
	}
}

func TestQualityEnds(t *testing.T) {
	t.Parallel()
	half := func(x, _ int) [3]uint8 {
		if x < 50 {
			return [3]uint8{}
		}
		return [3]uint8{255, 255, 255}
	}
	tests := []struct {
		name                          string
		f                             func(x, y int) [3]uint8
		brightness, contrast, atLeast float32 // atLeast: of sharpness
	}{
		{"black", solid([3]uint8{}), 0, 0, 0},
		{"white", solid([3]uint8{255, 255, 255}), 100, 0, 0},
		{"black beside white", half, 50, 100, 80},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := Analyze(paint(100, 80, tt.f), 0).Quality
			if math.Abs(float64(q.Brightness-tt.brightness)) > 0.01 || math.Abs(float64(q.Contrast-tt.contrast)) > 0.11 || q.Sharpness < tt.atLeast {
				t.Errorf("got %+v, want brightness %v, contrast %v, sharpness of at least %v", q, tt.brightness, tt.contrast, tt.atLeast)
			}
			if tt.contrast == 0 && q.Sharpness != 0 {
				t.Errorf("flat, but sharpness is %v", q.Sharpness)
			}
		})
	}
}

func TestSolidColourIsExact(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rgb             [3]uint8
		css, simplified string
	}{
		{[3]uint8{255, 0, 0}, "red", "red"},
		{[3]uint8{0, 0, 0}, "black", "black"},
		{[3]uint8{255, 255, 255}, "white", "white"},
		{[3]uint8{128, 128, 128}, "gray", "grey"},
		{[3]uint8{255, 165, 0}, "orange", "orange"},
		{[3]uint8{85, 107, 47}, "darkolivegreen", "green"},
		{[3]uint8{139, 69, 19}, "saddlebrown", "brown"},
		{[3]uint8{25, 25, 27}, "black", "black"},
		{[3]uint8{1, 2, 251}, "blue", "blue"},
	}
	for _, tt := range tests {
		t.Run(tt.css, func(t *testing.T) {
			t.Parallel()
			m := paint(40, 30, solid(tt.rgb))
			p := Analyze(m, 10)
			if len(p.Colors) != 1 {
				t.Fatalf("%d colours, want 1: %+v", len(p.Colors), p.Colors)
			}
			c := p.Colors[0]
			if [3]uint8{c.R, c.G, c.B} != tt.rgb || c.Fraction != 1 || c.Score != 1 || c.Simplified != tt.simplified {
				t.Errorf("got %+v, want %v, all of it, %s", c, tt.rgb, tt.simplified)
			}
			if c.CSS != tt.css {
				t.Errorf("CSS name %s, want %s", c.CSS, tt.css)
			}
			if p.Foreground != nil || p.Background != nil {
				t.Error("a solid picture has no foreground")
			}
		})
	}
}

// sums checks that fractions and scores each sum to 1 and fractions fall.
func sums(t *testing.T, name string, colors []trilobite.Color) {
	t.Helper()
	var fraction, score float32
	for i, c := range colors {
		fraction += c.Fraction
		score += c.Score
		if i > 0 && c.Fraction > colors[i-1].Fraction {
			t.Errorf("%s: colour %d is more frequent than the one before", name, i)
		}
	}
	if math.Abs(float64(fraction-1)) > 1e-4 || math.Abs(float64(score-1)) > 1e-4 {
		t.Errorf("%s: fractions sum to %v, scores to %v", name, fraction, score)
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	thirds := paint(90, 60, func(x, _ int) [3]uint8 {
		if x < 30 {
			return [3]uint8{0, 128, 0}
		}
		return [3]uint8{255, 215, 0}
	})
	got := Colors(thirds, thirds.Bounds(), 10)
	sums(t, "thirds", got)
	if len(got) != 2 || got[0].CSS != "gold" || got[1].CSS != "green" || math.Abs(float64(got[1].Fraction)-1.0/3) > 1e-6 {
		t.Errorf("got %+v, want two thirds gold, one green", got)
	}
	if got := Colors(thirds, geom.Box{X1: 0, Y1: 0, X2: 30, Y2: 60}, 10); len(got) != 1 || got[0].CSS != "green" {
		t.Errorf("left third: %+v, want green alone", got)
	}
	thirds.FullW, thirds.FullH = 900, 600 // shrunk on load: boxes are in the file's pixels
	if got := Colors(thirds, geom.Box{X1: 0, Y1: 0, X2: 300, Y2: 600}, 10); len(got) != 1 || got[0].CSS != "green" {
		t.Errorf("left third of the file: %+v, want green alone", got)
	}
	if got := Colors(thirds, geom.Box{X1: 5000, Y1: 0, X2: 6000, Y2: 10}, 10); got != nil {
		t.Errorf("outside: %+v, want none", got)
	}
	m := paint(200, 150, texture)
	for _, n := range []int{0, 1, 3, 20} {
		got := Colors(m, m.Bounds(), n)
		if len(got) > n {
			t.Errorf("%d colours, at most %d asked for", len(got), n)
		}
		if n > 0 {
			sums(t, "texture", got)
		}
	}
}

func TestRareColourStandsOut(t *testing.T) {
	t.Parallel()
	m := paint(200, 200, disc(100, 100, 30))
	c := Colors(m, m.Bounds(), 10)
	if len(c) != 2 || c[1].Simplified != "red" || c[1].Score <= c[1].Fraction {
		t.Errorf("got %+v, want red with a score above its fraction", c)
	}
}

func TestForeground(t *testing.T) {
	t.Parallel()
	p := Analyze(paint(300, 200, disc(150, 100, 50)), 10)
	if p.Foreground == nil || p.Background == nil {
		t.Fatal("the disc is no foreground")
	}
	sums(t, "foreground", p.Foreground.Colors)
	sums(t, "background", p.Background.Colors)
	if f := p.Foreground.Colors[0]; f.Simplified != "red" || f.Fraction < 0.8 {
		t.Errorf("foreground %+v, want mostly red", f)
	}
	if b := p.Background.Colors[0]; b.R != 100 || b.G != 110 || b.B != 125 || b.Fraction < 0.98 {
		t.Errorf("background %+v, want 100, 110, 125", b)
	}
}
