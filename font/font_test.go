package font

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/font/gofont/goregular"
)

// noto needs the font that `make deps` brings.
func noto(t *testing.T) *Font {
	t.Helper()
	data, err := os.ReadFile("../.deps/noto-sans-jp/noto-sans-jp-japanese-400-normal.woff")
	if err != nil {
		t.Fatalf("%v (run `make deps`)", err)
	}
	f, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOutline(t *testing.T) {
	t.Parallel()
	f := noto(t)
	for _, r := range "Aé寿司 、%–" {
		if !f.Has(r) {
			t.Errorf("the font has no %q", r)
		}
	}
	if a, ja := f.Advance('A'), f.Advance('寿'); ja != 1 || a <= 0.4 || a >= 0.8 {
		t.Errorf("advances of A and 寿 are %v and %v em", a, ja)
	}
	steps, err := f.Outline('寿')
	if err != nil || len(steps) < 20 || steps[0].Op != Move {
		t.Fatalf("%d steps, %v", len(steps), err)
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range steps {
		for _, p := range s.P[:s.N] {
			lo, hi = min(lo, p[1]), max(hi, p[1])
		}
	}
	if !(lo < -0.7 && hi > 0 && hi < 0.2) {
		t.Errorf("寿 reaches from %v to %v em; y points down", lo, hi)
	}
}

// TestSubset: a subset read back draws its characters as the font does, and no others.
func TestSubset(t *testing.T) {
	t.Parallel()
	goFont, err := Read(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		f    *Font
		text string
	}{"Japanese": {noto(t), "寿司とステーキ: 0.95 (39)"}, "composed glyphs": {goFont, "Åéñ a"}} {
		data, err := tt.f.Subset(tt.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(data) > 12<<10 {
			t.Errorf("%s: %d bytes for %d characters", name, len(data), len(tt.text))
		}
		got, err := Read(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, r := range tt.text {
			want, err := tt.f.Outline(r)
			if err != nil {
				t.Fatal(err)
			}
			have, err := got.Outline(r)
			if diff := cmp.Diff(want, have); diff != "" || err != nil {
				t.Errorf("%s, %q: %v (-font +subset):\n%s", name, r, err, diff)
			}
			if got.Advance(r) != tt.f.Advance(r) {
				t.Errorf("%s, %q: advance %v, want %v", name, r, got.Advance(r), tt.f.Advance(r))
			}
		}
		if got.Has('q') {
			t.Errorf("%s: the subset has a q", name)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing": "", "no font": "<!DOCTYPE html>", "a torn WOFF": "wOFF" + strings.Repeat("\x00", 20),
		"tables beyond the end": "\x00\x01\x00\x00\x00\x01" + strings.Repeat("\x00", 6) + "glyf\x00\x00\x00\x00\x00\x00\xff\x00\x00\x00\x00\x10",
	} {
		if _, err := Read([]byte(data)); err == nil {
			t.Errorf("%s is a font", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	g, err := Read(goregular.TTF)
	if err != nil {
		f.Fatal(err)
	}
	small, err := g.Subset("Åb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Add(assemble(map[string][]byte{"head": make([]byte, 54)}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		font, err := Read(data)
		if err != nil {
			return
		}
		_, _ = font.Outline('b')
		_, _ = font.Subset("Åb")
	})
}
