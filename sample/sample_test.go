package sample

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/augment"
	"trilobite/dataset"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// pictures writes a photo of 64×48 pixels and a mask in four quarters.
func pictures(t testing.TB) (photo, mask string) {
	t.Helper()
	dir := t.TempDir()
	photo, mask = filepath.Join(dir, "a.jpg"), filepath.Join(dir, "a.png")
	m, q := image.NewRGBA(image.Rect(0, 0, 64, 48)), image.NewGray(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			m.SetRGBA(x, y, color.RGBA{uint8(4 * x), uint8(5 * y), uint8(x * y), 255})
			q.Pix[y*64+x] = uint8(x/32 + 2*(y/24))
		}
	}
	write(t, photo, func(w io.Writer) error { return jpeg.Encode(w, m, nil) })
	write(t, mask, func(w io.Writer) error { return png.Encode(w, q) })
	return photo, mask
}

func write(t testing.TB, path string, encode func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func compile(t testing.TB, s pipeline.Spec) *pipeline.Transform {
	t.Helper()
	tr, err := pipeline.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func load(t *testing.T, set *dataset.Set, spec pipeline.Spec, o Options, epoch int) *Sample {
	t.Helper()
	l, err := New(set, compile(t, spec), o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Load(t.Context(), 0, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestServing holds training's preprocessing to serving's, bit for bit.
func TestServing(t *testing.T) {
	t.Parallel()
	photo, _ := pictures(t)
	set := &dataset.Set{Images: []dataset.Image{{File: photo, Classes: []int{1}}}}
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	busy := augment.Plan{HorizontalFlip: 1, Rotate: 10, Area: []float64{0.3, 0.5}, Brightness: 0.5}
	for _, spec := range []pipeline.Spec{
		{Width: 10, Height: 10, Resize: pipeline.CentreCrop, Crop: 0.875, Filter: imageio.Bicubic, Mean: []float32{127}, Std: []float32{128}}, // shrinks on load
		{Width: 40, Height: 40, Resize: pipeline.Letterbox, Filter: imageio.BilinearHalfPixel},
	} {
		pic, err := imageio.Decode(t.Context(), data, imageio.Options{MinSide: spec.MinSide()})
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := spec.Apply(pic)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]*Sample{
			"no augmentation":                 load(t, set, spec, Options{}, 3),
			"evaluation with an augmentation": load(t, set, spec, Options{Augment: busy}, -1),
		} {
			if !reflect.DeepEqual(want, s.X) {
				t.Errorf("%s, %s: not serving's tensor", spec.Resize, name)
			}
			if s.Class != 1 {
				t.Errorf("class %d", s.Class)
			}
		}
		if reflect.DeepEqual(want, load(t, set, spec, Options{Augment: busy}, 0).X) {
			t.Error("the augmentation does nothing")
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	photo, mask := pictures(t)
	set := &dataset.Set{Classes: make([]string, 4), Ignore: 255, Images: []dataset.Image{{File: photo, Mask: mask, W: 64, H: 48}}}
	tests := []struct {
		name string
		spec pipeline.Spec
		o    Options
		want []int64 // 4×4
	}{
		{"exact", pipeline.Spec{Width: 4, Height: 4}, Options{}, []int64{0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3}},
		{"of another size than the input", pipeline.Spec{Width: 32, Height: 16}, Options{MaskWidth: 4, MaskHeight: 4}, []int64{0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3}},
		{"letterbox's margin is ignored", pipeline.Spec{Width: 32, Height: 32, Resize: pipeline.Letterbox, Align: pipeline.Corner}, Options{MaskWidth: 4, MaskHeight: 4}, []int64{0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3, 255, 255, 255, 255}},
		{"mirrored", pipeline.Spec{Width: 4, Height: 4}, Options{Augment: augment.Plan{HorizontalFlip: 1}}, []int64{1, 1, 0, 0, 1, 1, 0, 0, 3, 3, 2, 2, 3, 3, 2, 2}},
		{"turned over", pipeline.Spec{Width: 4, Height: 4}, Options{Augment: augment.Plan{HorizontalFlip: 1, VerticalFlip: 1}}, []int64{3, 3, 2, 2, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.o.Task = Segment
			s := load(t, set, tt.spec, tt.o, 0)
			got, _ := tensor.Data[int64](s.Mask)
			if diff := cmp.Diff(tt.want, got); diff != "" || !cmp.Equal(s.Mask.Shape, []int64{4, 4}) {
				t.Errorf("shape %v, classes (-want +got):\n%s", s.Mask.Shape, diff)
			}
		})
	}
}

func TestDrawnMask(t *testing.T) {
	t.Parallel()
	photo, _ := pictures(t)
	right := geom.Polygon{{X: 32, Y: 0}, {X: 64, Y: 0}, {X: 64, Y: 48}, {X: 32, Y: 48}}
	set := &dataset.Set{Classes: []string{"background", "x"}, Ignore: -1, Images: []dataset.Image{{File: photo, W: 64, H: 48, Objects: []dataset.Object{{Class: 1, Polygons: []geom.Polygon{right}}}}}}
	s := load(t, set, pipeline.Spec{Width: 4, Height: 1}, Options{Task: Segment}, 0)
	if got, _ := tensor.Data[int64](s.Mask); !cmp.Equal(got, []int64{0, 0, 1, 1}) {
		t.Errorf("classes %v", got)
	}
}

func TestBoxes(t *testing.T) {
	t.Parallel()
	photo, _ := pictures(t)
	set := &dataset.Set{Images: []dataset.Image{{File: photo, W: 64, H: 48, Objects: []dataset.Object{
		{Class: 2, Box: geom.Rect{X: 0, Y: 0, W: 16, H: 12}},
		{Class: 3, Box: geom.Rect{X: 0, Y: 0, W: 64, H: 48}, Crowd: true},
	}}}}
	tests := []struct {
		name string
		plan augment.Plan
		want []float32
	}{
		{"as it is", augment.Plan{}, []float32{0, 0, 8, 8}},
		{"mirrored", augment.Plan{HorizontalFlip: 1}, []float32{24, 0, 32, 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := load(t, set, pipeline.Spec{Width: 32, Height: 32}, Options{Task: Detect, Augment: tt.plan}, 0)
			boxes, _ := tensor.Data[float32](s.Boxes)
			classes, _ := tensor.Data[int64](s.Classes)
			if !cmp.Equal(boxes, tt.want) || !cmp.Equal(classes, []int64{2}) || !cmp.Equal(s.Boxes.Shape, []int64{1, 4}) {
				t.Errorf("boxes %v of shape %v, classes %v; want %v", boxes, s.Boxes.Shape, classes, tt.want)
			}
		})
	}
	empty := &dataset.Set{Images: []dataset.Image{{File: photo, W: 64, H: 48}}}
	if s := load(t, empty, pipeline.Spec{Width: 32, Height: 32}, Options{Task: Detect}, 0); !cmp.Equal(s.Boxes.Shape, []int64{0, 4}) {
		t.Errorf("no objects: shape %v", s.Boxes.Shape)
	}
}

// TestConcurrent loads the same samples from many goroutines and in order.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	photo, mask := pictures(t)
	set := &dataset.Set{Classes: make([]string, 4), Ignore: 255, Images: []dataset.Image{{File: photo, Mask: mask}, {File: photo, Mask: mask}}}
	l, err := New(set, compile(t, pipeline.Spec{Width: 24, Height: 24}), Options{Task: Segment, Seed: 4, Augment: augment.Plan{HorizontalFlip: 0.5, Rotate: 30, Scale: []float64{0.5, 2}, Hue: 0.1}})
	if err != nil {
		t.Fatal(err)
	}
	const epochs = 8
	var got [2 * epochs]*Sample
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = l.Load(t.Context(), i%2, i/2) })
	}
	wg.Wait()
	for i, s := range got {
		want, err := l.Load(t.Context(), i%2, i/2)
		if err != nil || !reflect.DeepEqual(want, s) {
			t.Errorf("sample %d differs when loaded alone, error %v", i, err)
		}
	}
	if reflect.DeepEqual(got[0].X, got[2].X) {
		t.Error("two epochs see the same picture")
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	photo, mask := pictures(t)
	tests := []struct {
		name string
		img  dataset.Image
		task Task
		want string
	}{
		{"no such file", dataset.Image{File: "nowhere.jpg"}, Classify, "nowhere.jpg: open"},
		{"no class", dataset.Image{File: photo}, Classify, "a.jpg: the picture has no class"},
		{"unknown classes", dataset.Image{File: photo, Mask: mask}, Segment, "a.jpg: mask "},
		{"no mask", dataset.Image{File: photo}, Segment, "a mask of 0×0 pixels"},
		{"outlines for another size", dataset.Image{File: photo, W: 48, H: 64}, Segment, "the mask has 48×64 pixels, its picture 64×48"},
		{"boxes for another size", dataset.Image{File: photo, W: 48, H: 64}, Detect, "annotated as 48×64 pixels, it has 64×48"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := New(&dataset.Set{Classes: []string{"a"}, Ignore: -1, Images: []dataset.Image{tt.img}}, compile(t, pipeline.Spec{Width: 8, Height: 8}), Options{Task: tt.task})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Load(t.Context(), 0, 0); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := New(&dataset.Set{}, compile(t, pipeline.Spec{Width: 8, Height: 8}), Options{Augment: augment.Plan{Hue: 3}}); err == nil {
		t.Error("a wrong plan is no error")
	}
}

// TestSteps: a training sees what steps make of a picture, and masks and boxes go with it,
// before and after it is changed.
func TestSteps(t *testing.T) {
	t.Parallel()
	photo, mask := pictures(t)
	set := &dataset.Set{Classes: []string{"a", "b", "c", "d"}, Ignore: 255, Images: []dataset.Image{{
		File: photo, Mask: mask, W: 64, H: 48, Objects: []dataset.Object{
			{Class: 1, Box: geom.Rect{X: 36, Y: 4, W: 10, H: 8}}, {Class: 2, Box: geom.Rect{X: 0, Y: 40, W: 3, H: 8}},
		},
	}}}
	spec, err := pipeline.Parse("f.yaml", []byte("resize: letterbox\nsteps:\n  - crop: {box: [8, 0, 56, 36]}\n  - orient: {turn: 90}\n"),
		pipeline.Spec{Width: 48, Height: 48, Filter: imageio.Bilinear})
	if err != nil {
		t.Fatal(err)
	}
	s := load(t, set, spec, Options{Task: Segment}, -1)
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	img, err := imageio.Decode(t.Context(), data, imageio.Options{MinSide: spec.MinSide()})
	if err != nil {
		t.Fatal(err)
	}
	served, mapping, err := spec.Apply(img)
	if err != nil || !reflect.DeepEqual(served, s.X) || !reflect.DeepEqual(mapping, s.Mapping) {
		t.Errorf("serving's input or mapping differs from training's, %v", err)
	}
	// Turned clockwise, the 48×36 pixels are 36×48, with 6 columns of margin. The top right
	// of the input is the top left of the picture.
	got, _ := tensor.Data[int64](s.Mask)
	for _, p := range []struct {
		x, y int
		want int64
	}{{2, 20, 255}, {45, 20, 255}, {41, 0, 0}, {41, 47, 1}, {7, 0, 2}, {7, 47, 3}, {18, 23, 0}, {17, 23, 2}, {18, 24, 1}, {17, 24, 3}} {
		if k := got[p.y*48+p.x]; k != p.want {
			t.Errorf("mask at %d, %d is %d, want %d", p.x, p.y, k, p.want)
		}
	}
	boxes := load(t, set, spec, Options{Task: Detect}, -1)
	flat, _ := tensor.Data[float32](boxes.Boxes)
	if want := []float32{30, 28, 38, 38}; !reflect.DeepEqual(flat, want) { // x = 42 − y, y = x − 8
		t.Errorf("boxes %v, want %v: one is cropped away", flat, want)
	}
	// Mirrored after the steps: the picture's x axis lies along the input's y.
	flip := Options{Task: Segment, Augment: augment.Plan{HorizontalFlip: 1}}
	turned := load(t, set, spec, flip, 0)
	mirrored, _ := tensor.Data[int64](turned.Mask)
	for y := range 48 {
		for x := range 48 {
			if mirrored[y*48+x] != got[y*48+47-x] {
				t.Fatalf("mirrored mask at %d, %d is %d, want %d", x, y, mirrored[y*48+x], got[y*48+47-x])
			}
		}
	}
	flip.Task = Detect
	flat, _ = tensor.Data[float32](load(t, set, spec, flip, 0).Boxes)
	if want := []float32{10, 28, 18, 38}; !reflect.DeepEqual(flat, want) {
		t.Errorf("mirrored boxes %v, want %v", flat, want)
	}
}
