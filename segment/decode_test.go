package segment

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/imageio"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// mappingTo returns the mapping of a spec for an image of w×h pixels.
func mappingTo(t *testing.T, spec pipeline.Spec, w, h int) (pipeline.Spec, pipeline.Mapping) {
	t.Helper()
	_, mapping, err := spec.Apply(imageio.New(w, h))
	if err != nil {
		t.Fatal(err)
	}
	return spec, mapping
}

// letters are names for n classes.
func letters(n int) []string { return strings.Split("abcdefgh"[:n], "") }

func TestDecodeGolden(t *testing.T) {
	t.Parallel()
	g, err := tensor.ReadNPZ("testdata/resize.npz")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for key, scores := range g {
		name, ok := strings.CutSuffix(key, "_scores")
		if !ok {
			continue
		}
		cases++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := tensor.Data[float32](scores)
			s := scores.Shape
			want, _ := tensor.Data[uint8](g[name+"_class"])
			sure, _ := tensor.Data[float32](g[name+"_confidence"])
			h, w := int(g[name+"_class"].Shape[0]), int(g[name+"_class"].Shape[1])
			spec, mapping := mappingTo(t, pipeline.Spec{Width: 32, Height: 64}, w, h) // the output is coarser than the input
			m, err := decode(tensor.Of(append([]int64{1}, s...), d), letters(int(s[0])), spec, mapping, true)
			if err != nil {
				t.Fatal(err)
			}
			alone, err := decode(tensor.Of(append([]int64{1}, s...), d), letters(int(s[0])), spec, mapping, false)
			if err != nil || alone.Confidence != nil || !slices.Equal(alone.Class, m.Class) {
				t.Errorf("without confidence: classes %v, %v", alone.Class, err)
			}
			if !slices.Equal(m.Class, want) {
				t.Errorf("classes %v, PyTorch's %v", m.Class, want)
			}
			for i, p := range m.Confidence {
				if math.Abs(float64(p)/255-float64(sure[i])) > 0.5/255+1e-5 {
					t.Fatalf("confidence of pixel %d is %v, PyTorch's %v", i, float64(p)/255, sure[i])
				}
			}
		})
	}
	if cases != 5 {
		t.Errorf("%d cases, want 5", cases)
	}
}

// TestDecodeLetterbox cuts the margin off: the output is 4×4, the image is its middle
// two rows.
func TestDecodeLetterbox(t *testing.T) {
	t.Parallel()
	spec, mapping := mappingTo(t, pipeline.Spec{Width: 8, Height: 8, Resize: pipeline.Letterbox}, 4, 2)
	indices := []int64{2, 2, 2, 2, 0, 0, 1, 1, 1, 1, 0, 0, 2, 2, 2, 2}
	m, err := decode(tensor.Of([]int64{1, 4, 4}, indices), letters(3), spec, mapping, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint8{0, 0, 1, 1, 1, 1, 0, 0}, m.Class); diff != "" {
		t.Errorf("mask (-want +got):\n%s", diff)
	}
}

func TestDecodeNaN(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	spec, mapping := mappingTo(t, pipeline.Spec{Width: 1, Height: 1}, 1, 1)
	tests := []struct {
		name   string
		scores []float32
		class  uint8
		sure   bool
	}{
		{"the first", []float32{nan, -5, -6}, 1, true},
		{"the last", []float32{4, -5, nan}, 0, true},
		{"all", []float32{nan, nan, nan}, 0, false},
	}
	for _, tt := range tests {
		m, err := decode(tensor.Of([]int64{1, 3, 1, 1}, tt.scores), letters(3), spec, mapping, true)
		if err != nil {
			t.Fatal(err)
		}
		if m.Class[0] != tt.class || (m.Confidence[0] > 127) != tt.sure {
			t.Errorf("%s is not a number: class %d, confidence %d", tt.name, m.Class[0], m.Confidence[0])
		}
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	m := &Mask{W: 4, H: 4, Labels: letters(2), Class: []uint8{
		1, 1, 1, 0,
		1, 0, 1, 0,
		1, 1, 1, 0,
		0, 0, 0, 0,
	}}
	regions := m.Regions(0)
	if len(regions) != 3 || regions[0].Pixels != 8 || len(regions[0].Holes) != 1 || regions[0].Holes[0].Area() != 1 {
		t.Errorf("regions %+v", regions)
	}
}

func BenchmarkDecode(b *testing.B) {
	spec := pipeline.Spec{Width: 384, Height: 288}
	_, mapping, err := spec.Apply(imageio.New(4000, 3000))
	if err != nil {
		b.Fatal(err)
	}
	d := make([]float32, 12*96*72)
	for i := range d {
		d[i] = float32(i*7919%1000) / 100
	}
	out := tensor.Of([]int64{1, 12, 72, 96}, d)
	labels := make([]string, 12)
	for b.Loop() {
		m, err := decode(out, labels, spec, mapping, true)
		if err != nil {
			b.Fatal(err)
		}
		m.Regions(1)
	}
}
