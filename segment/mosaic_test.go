package segment

import (
	"math"
	"math/rand/v2"
	"testing"

	"trilobite/imageio"
	"trilobite/onnx"
	"trilobite/ort/orttest"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// along are the tiles along one side of the image in TestBlend: size pixels each, step apart.
type along struct{ size, step, count int }

func (a along) length() int { return a.size + a.step*(a.count-1) }

// weight is what tile i counts at the middle of pixel x.
func (a along) weight(i, x int) float64 {
	at, overlap, w := float64(x-i*a.step)+0.5, float64(a.size-a.step), 1.0
	if i > 0 {
		w = min(w, at/overlap)
	}
	if i < a.count-1 {
		w = min(w, (float64(a.size)-at)/overlap)
	}
	return max(0, w)
}

// lerp is where x lies in an output half as fine, and the share of the second place.
func (a along) lerp(i, x int) (first, second int, t float64) {
	at := max(0, min(float64(a.size/2-1), (float64(x-i*a.step)+0.5)/2-0.5))
	first = int(at)
	return first, min(first+1, a.size/2-1), at - float64(first)
}

// TestBlend compares with weighted sums over every tile at every pixel. The model adds
// something else at each place of its input, so that tiles do not agree where they overlap.
func TestBlend(t *testing.T) {
	t.Parallel()
	across, down := along{48, 32, 3}, along{40, 32, 4}
	const classes, w, h = 3, 24, 20 // of the output
	rng := rand.New(rand.NewPCG(1, 2))
	bias := make([]float32, classes*w*h)
	for i := range bias {
		bias[i] = float32(rng.NormFloat64())
	}
	b := onnx.NewBuilder("places")
	pooled := b.Op("AveragePool", []*onnx.Value{b.Input("x", tensor.Float32, onnx.Shape{1, classes, 40, 48})},
		map[string]any{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}, 1)[0]
	b.Output("y", b.Add(pooled, b.Const("bias", tensor.Of([]int64{1, classes, h, w}, bias))))
	p, err := pipeline.Parse("f.yaml", []byte("steps:\n  - tile: {width: 48, height: 40, overlap: 8}\n"),
		pipeline.Spec{Width: 48, Height: 40, Filter: imageio.BilinearHalfPixel, Std: []float32{100}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(orttest.Build(t, b), Config{Pipeline: p, Decoder: "mask", Labels: letters(classes)})
	if err != nil {
		t.Fatal(err)
	}
	img := imageio.New(across.length(), down.length())
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.Uint32())
	}
	got, err := s.Segment(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	pool := func(c, x, y int) float64 { // of the image, at a place of the half as fine grid
		sum := 0.0
		for k := range 4 {
			sum += float64(img.Pix[3*((2*y+k/2)*img.W+2*x+k%2)+c]) / 4
		}
		return sum / 100
	}
	unsure := 0
	for i := range got.Class {
		x, y := i%img.W, i/img.W
		var scores [classes]float64
		for ty := range down.count {
			for tx := range across.count {
				weight := across.weight(tx, x) * down.weight(ty, y)
				if weight == 0 {
					continue
				}
				xa, xb, xt := across.lerp(tx, x)
				ya, yb, yt := down.lerp(ty, y)
				for c := range classes {
					at := func(px, py int) float64 {
						return pool(c, px+tx*across.step/2, py+ty*down.step/2) + float64(bias[c*w*h+py*w+px])
					}
					scores[c] += weight * ((at(xa, ya)*(1-xt)+at(xb, ya)*xt)*(1-yt) + (at(xa, yb)*(1-xt)+at(xb, yb)*xt)*yt)
				}
			}
		}
		best, second := 0, math.Inf(-1)
		for c := 1; c < classes; c++ {
			if scores[c] > scores[best] {
				second, best = scores[best], c
			} else {
				second = max(second, scores[c])
			}
		}
		if scores[best]-second < 1e-4 {
			unsure++
			continue
		}
		sum := 0.0
		for _, v := range scores {
			sum += math.Exp(v - scores[best])
		}
		if int(got.Class[i]) != best || math.Abs(float64(got.Confidence[i])-255/sum) > 0.51 {
			t.Fatalf("pixel %d, %d is class %d, %d sure; want %d, %.1f by %v", x, y, got.Class[i], got.Confidence[i], best, 255/sum, scores)
		}
	}
	if unsure > 10 {
		t.Errorf("%d pixels are not compared", unsure)
	}
	alone, err := s.Classes(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	if string(alone.Class) != string(got.Class) || alone.Confidence != nil {
		t.Error("without confidence the classes are others")
	}
}
