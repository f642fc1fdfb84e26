package pipeline

import (
	"math"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/tensor"
)

func TestSpecYAML(t *testing.T) {
	t.Parallel()
	const card = "width: 224\nheight: 224\nresize: centre-crop\ncrop: 0.875\nfilter: bicubic\nmean: [127]\nstd: [128]\n"
	var got Spec
	if err := yaml.Unmarshal([]byte(card), &got); err != nil {
		t.Fatal(err)
	}
	want := Spec{Width: 224, Height: 224, Resize: CentreCrop, Crop: 0.875, Filter: imageio.Bicubic, Mean: []float32{127}, Std: []float32{128}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	text, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var again Spec
	if err := yaml.Unmarshal(text, &again); err != nil || !cmp.Equal(want, again) {
		t.Errorf("written and read again: %v, %+v from\n%s", err, again, text)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Spec)
		want string // empty: valid
	}{
		{"the least that works", func(*Spec) {}, ""},
		{"no width", func(s *Spec) { s.Width = 0 }, "width is 0"},
		{"a gigantic input", func(s *Spec) { s.Height = 1 << 20 }, "height is 1048576"},
		{"a word of another language", func(s *Spec) { s.Resize = "stretch" }, `resize is "stretch"`},
		{"crop in percent", func(s *Spec) { s.Crop = 87.5 }, "crop is 87.5"},
		{"crop is not a number", func(s *Spec) { s.Crop = float32(math.NaN()) }, "crop is NaN"},
		{"fill is no level", func(s *Spec) { s.Fill = 256 }, "fill is 256"},
		{"align", func(s *Spec) { s.Align = "left" }, `align is "left"`},
		{"layout", func(s *Spec) { s.Layout = "chw" }, `layout is "chw"`},
		{"order", func(s *Spec) { s.Order = "rgba" }, `order is "rgba"`},
		{"two means", func(s *Spec) { s.Mean = []float32{1, 2} }, "mean has 2 values"},
		{"division by zero", func(s *Spec) { s.Std = []float32{1, 0, 1} }, "std is [1 0 1]"},
		{"an unknown filter", func(s *Spec) { s.Filter = 99 }, "99"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Spec{Width: 8, Height: 8}
			tt.edit(&s)
			err := s.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Validate: %v, want %q", err, tt.want)
			}
		})
	}
}

// picture returns an image of w×h pixels of one colour.
func picture(w, h int, r, g, b uint8) *imageio.Image {
	m := imageio.New(w, h)
	for i := 0; i < len(m.Pix); i += 3 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2] = r, g, b
	}
	return m
}

func TestApplyLayouts(t *testing.T) {
	t.Parallel()
	base := Spec{Width: 2, Height: 1, Mean: []float32{10, 20, 30}, Std: []float32{2}}
	img := picture(2, 1, 20, 40, 60) // normalised: 5, 10, 15
	tests := []struct {
		layout, order string
		shape         []int64
		want          []float32
	}{
		{NCHW, RGB, []int64{1, 3, 1, 2}, []float32{5, 5, 10, 10, 15, 15}},
		{NCHW, BGR, []int64{1, 3, 1, 2}, []float32{15, 15, 10, 10, 5, 5}},
		{NHWC, RGB, []int64{1, 1, 2, 3}, []float32{5, 10, 15, 5, 10, 15}},
		{NHWC, BGR, []int64{1, 1, 2, 3}, []float32{15, 10, 5, 15, 10, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.layout+" "+tt.order, func(t *testing.T) {
			t.Parallel()
			s := base
			s.Layout, s.Order = tt.layout, tt.order
			x, _, err := s.Apply(img)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, x.Raw()); diff != "" || !cmp.Equal(tt.shape, x.Shape) {
				t.Errorf("shape %v, want %v (-want +got):\n%s", x.Shape, tt.shape, diff)
			}
		})
	}
}

func TestLetterbox(t *testing.T) {
	t.Parallel()
	img := picture(4, 2, 200, 200, 200)
	tests := []struct {
		align, layout string
		want          []float32 // the red plane of 4×4
	}{
		{Centre, NCHW, []float32{7, 7, 7, 7, 200, 200, 200, 200, 200, 200, 200, 200, 7, 7, 7, 7}},
		{Corner, NCHW, []float32{200, 200, 200, 200, 200, 200, 200, 200, 7, 7, 7, 7, 7, 7, 7, 7}},
		{Corner, NHWC, []float32{200, 200, 200, 200, 200, 200, 200, 200, 7, 7, 7, 7, 7, 7, 7, 7}},
	}
	for _, tt := range tests {
		t.Run(tt.align+" "+tt.layout, func(t *testing.T) {
			t.Parallel()
			tr, err := Compile(Spec{Width: 4, Height: 4, Resize: Letterbox, Fill: 7, Align: tt.align, Layout: tt.layout})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time into a recycled tensor
				x, _, err := tr.Apply(img)
				if err != nil {
					t.Fatal(err)
				}
				d, _ := tensor.Data[float32](x)
				got := d[:16]
				if tt.layout == NHWC {
					got = make([]float32, 16)
					for i := range got {
						got[i] = d[3*i]
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("red (-want +got):\n%s", diff)
				}
				tr.Recycle(x)
			}
		})
	}
}

func TestToImage(t *testing.T) {
	t.Parallel()
	whole := geom.Box{X1: 0, Y1: 0, X2: 100, Y2: 100}
	tests := []struct {
		name   string
		spec   Spec
		w, h   int // decoded
		fw, fh int // full
		box    geom.Box
		want   geom.Box
	}{
		{"exact", Spec{Width: 100, Height: 100}, 200, 50, 200, 50, whole, geom.Box{X2: 200, Y2: 50}},
		{"exact, shrunk on load", Spec{Width: 100, Height: 100}, 200, 50, 801, 200, geom.Box{X1: 50, Y1: 50, X2: 100, Y2: 100}, geom.Box{X1: 400.5, Y1: 100, X2: 801, Y2: 200}},
		{"letterbox, centred", Spec{Width: 100, Height: 100, Resize: Letterbox}, 200, 100, 200, 100, whole, geom.Box{X2: 200, Y2: 100}},
		{"letterbox, the image's own part", Spec{Width: 100, Height: 100, Resize: Letterbox}, 200, 100, 200, 100, geom.Box{X1: 0, Y1: 25, X2: 50, Y2: 50}, geom.Box{X2: 100, Y2: 50}},
		{"letterbox, corner", Spec{Width: 100, Height: 100, Resize: Letterbox, Align: Corner}, 200, 100, 200, 100, geom.Box{X1: 0, Y1: 25, X2: 50, Y2: 50}, geom.Box{Y1: 50, X2: 100, Y2: 100}},
		{"centre crop of a wide image", Spec{Width: 100, Height: 100, Resize: CentreCrop}, 400, 200, 400, 200, whole, geom.Box{X1: 100, X2: 300, Y2: 200}},
		{"centre crop of a part", Spec{Width: 100, Height: 100, Resize: CentreCrop, Crop: 0.5}, 200, 200, 200, 200, whole, geom.Box{X1: 50, Y1: 50, X2: 150, Y2: 150}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			img := imageio.New(tt.w, tt.h)
			img.FullW, img.FullH = tt.fw, tt.fh
			_, m, err := tt.spec.Apply(img)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, m.ToImage(tt.box), cmpopts.EquateApprox(0, 1e-3)); diff != "" {
				t.Errorf("ToImage (-want +got):\n%s", diff)
			}
			centre := func(b geom.Box) (x, y float64) { return float64(b.X1+b.X2) / 2, float64(b.Y1+b.Y2) / 2 }
			x, y := m.FromImage(centre(tt.want))
			wantX, wantY := centre(tt.box)
			if math.Abs(x-wantX) > 1e-3 || math.Abs(y-wantY) > 1e-3 {
				t.Errorf("FromImage: the middle goes to %v, %v, want %v, %v", x, y, wantX, wantY)
			}
		})
	}
}

func TestCentreCropBox(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spec   Spec
		iw, ih int
		want   geom.Box
	}{
		{"the middle may lie between pixels", Spec{Width: 224, Height: 224, Crop: 0.875}, 333, 288, geom.Box{X1: 40.5, Y1: 18, X2: 292.5, Y2: 270}},
		{"sides are whole pixels", Spec{Width: 224, Height: 224, Crop: 0.875}, 250, 206, geom.Box{X1: 35, Y1: 13, X2: 215, Y2: 193}},
		{"240 of 272", Spec{Width: 240, Height: 240, Crop: 0.882353}, 272, 272, geom.Box{X1: 16, Y1: 16, X2: 256, Y2: 256}},
		{"no crop keeps the whole shorter side", Spec{Width: 224, Height: 224}, 300, 200, geom.Box{X1: 50, Y1: 0, X2: 250, Y2: 200}},
		{"the input's proportions", Spec{Width: 200, Height: 100}, 100, 100, geom.Box{X1: 0, Y1: 25, X2: 100, Y2: 75}},
		{"one pixel stays one", Spec{Width: 224, Height: 224, Crop: 0.875}, 1, 1, geom.Box{X1: 0, Y1: 0, X2: 1, Y2: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.spec.centreCrop(tt.iw, tt.ih), cmpopts.EquateApprox(0, 1e-3)); diff != "" {
				t.Errorf("centreCrop (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTensorFlow compares with TensorFlow 1's own resize (golden/cocossd.py). NCHW is
// computed in floating point; NHWC is rounded to 8 bits, and its weights to 11: half a
// level away and a little.
func TestTensorFlow(t *testing.T) {
	t.Parallel()
	arrays, err := tensor.ReadNPZ("testdata/tf_resize.npz")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		in, out, layout string
		within          float64 // levels
	}{
		{"small", "small_30x30", NCHW, 1e-4},
		{"large", "large_20x20", NCHW, 1e-4},
		{"small", "small_30x30", NHWC, 0.6},
		{"large", "large_20x20", NHWC, 0.6},
	}
	for _, tt := range tests {
		t.Run(tt.out+" "+tt.layout, func(t *testing.T) {
			t.Parallel()
			src, want := arrays[tt.in], arrays[tt.out]
			img := imageio.New(int(src.Shape[1]), int(src.Shape[0]))
			pix, _ := tensor.Data[uint8](src)
			copy(img.Pix, pix)
			h, w := int(want.Shape[0]), int(want.Shape[1])
			x, _, err := Spec{Width: w, Height: h, Filter: imageio.BilinearTF, Layout: tt.layout}.Apply(img)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := tensor.Data[float32](x)
			ref, _ := tensor.Data[float32](want)
			for i := range ref {
				at := i
				if tt.layout == NCHW {
					at = i%3*h*w + i/3
				}
				if d := math.Abs(float64(got[at] - ref[i])); d > tt.within {
					t.Fatalf("element %d is %v, TensorFlow's %v", i, got[at], ref[i])
				}
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	s := Spec{Width: 4, Height: 4}
	for name, img := range map[string]*imageio.Image{
		"no image":       nil,
		"no pixels":      {},
		"too few pixels": {Pix: make([]uint8, 5), W: 2, H: 2, FullW: 2, FullH: 2},
	} {
		if _, _, err := s.Apply(img); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestExtremeShapes keeps images of one pixel's width from breaking the arithmetic.
func TestExtremeShapes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{Exact, CentreCrop, Letterbox} {
		for _, size := range [][2]int{{1, 1}, {1, 5000}, {5000, 1}, {3, 2}} {
			s := Spec{Width: 32, Height: 24, Resize: mode, Filter: imageio.Bilinear, Crop: 0.875}
			if _, _, err := s.Apply(imageio.New(size[0], size[1])); err != nil {
				t.Errorf("%s of %v: %v", mode, size, err)
			}
		}
	}
}

// BenchmarkNormalise measures the tables alone: no resize is due.
func BenchmarkNormalise(b *testing.B) {
	t, err := Compile(Spec{Width: 300, Height: 300, Mean: []float32{127.5}, Std: []float32{127.5}})
	if err != nil {
		b.Fatal(err)
	}
	img := imageio.New(300, 300)
	b.ReportAllocs()
	for b.Loop() {
		x, _, err := t.Apply(img)
		if err != nil {
			b.Fatal(err)
		}
		t.Recycle(x)
	}
}

// BenchmarkApply adds the resize of a photo of 640×480.
func BenchmarkApply(b *testing.B) {
	t, err := Compile(Spec{Width: 300, Height: 300, Mean: []float32{127.5}, Std: []float32{127.5}, Filter: imageio.BilinearTF})
	if err != nil {
		b.Fatal(err)
	}
	img := imageio.New(640, 480)
	b.ReportAllocs()
	for b.Loop() {
		x, _, err := t.Apply(img)
		if err != nil {
			b.Fatal(err)
		}
		t.Recycle(x)
	}
}
