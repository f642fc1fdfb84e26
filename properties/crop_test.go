package properties

import (
	"math"
	"testing"

	"trilobite/imageio"
)

func TestCropHints(t *testing.T) {
	t.Parallel()
	m := paint(600, 200, disc(480, 100, 60))
	m.FullW, m.FullH = 1200, 400
	nan := float32(math.NaN())
	ratios := []float32{1, 0.5, 0, 2, 5, -1, nan, 1e6, 1e-6}
	hints := CropHints(m, ratios)
	if len(hints) != len(ratios) {
		t.Fatalf("%d hints for %d ratios", len(hints), len(ratios))
	}
	for i, h := range hints {
		b := h.Box
		want := float64(ratios[i])
		if !(want > 0) {
			want = 3
		}
		if got := float64((b.X2 - b.X1) / (b.Y2 - b.Y1)); want < 100 && want > 0.01 && math.Abs(got/want-1) > 0.01 {
			t.Errorf("ratio %v: box %v has %v", ratios[i], b, got)
		}
		if b.X1 < 0 || b.Y1 < 0 || b.X2 > 1200 || b.Y2 > 400 || b.Area() <= 0 {
			t.Errorf("ratio %v: box %v", ratios[i], b)
		}
		if h.Importance <= 0 || h.Importance > 1 || h.Confidence < 0 || h.Confidence > 1 {
			t.Errorf("ratio %v: importance %v, confidence %v", ratios[i], h.Importance, h.Confidence)
		}
	}
	square := hints[0]
	if b := square.Box; b.X1 > 840 || b.X2 < 1080 || square.Importance < 0.9 || square.Confidence < 0.5 {
		t.Errorf("square crop %+v does not hold the disc at 840 to 1080", square)
	}
	if wide, narrow := hints[3], hints[1]; wide.Importance < narrow.Importance {
		t.Errorf("a wide crop holds %v, a narrow one %v", wide.Importance, narrow.Importance)
	}
}

func TestCropHintsOfNothing(t *testing.T) {
	t.Parallel()
	m := paint(300, 200, solid([3]uint8{90, 90, 90}))
	h := CropHints(m, []float32{1})[0]
	if b := h.Box; b.X1 != 50 || b.X2 != 250 || b.Y1 != 0 || b.Y2 != 200 || h.Confidence != 0 || h.Importance != 0 {
		t.Errorf("got %+v, want the middle square with confidence 0", h)
	}
	if got := CropHints(m, nil); len(got) != 0 {
		t.Errorf("%d hints for no ratio", len(got))
	}
}

func TestTinyImages(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1, 1}, {1, 500}, {500, 1}, {2, 3}, {3000, 2}} {
		m := paint(size[0], size[1], texture)
		p := Analyze(m, 5)
		sums(t, "tiny", p.Colors)
		CropHints(m, []float32{1, 0, 16.0 / 9})
	}
}

func BenchmarkAnalyze(b *testing.B) {
	m := paint(640, 480, texture)
	b.Run("properties", func(b *testing.B) {
		for b.Loop() {
			Analyze(m, 10)
		}
	})
	b.Run("colours of a box", func(b *testing.B) {
		for b.Loop() {
			Colors(m, imageio.New(100, 100).Bounds(), 10)
		}
	})
	b.Run("crop hints", func(b *testing.B) {
		for b.Loop() {
			CropHints(m, []float32{1, 1.5, 0.8})
		}
	})
}
