package augment

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"trilobite/dataset/masks"
	"trilobite/geom"
	"trilobite/imageio"
	"trilobite/tensor"
)

func golden(t testing.TB) map[string]*tensor.Tensor {
	t.Helper()
	arrays, err := tensor.ReadNPZ("testdata/augment.npz")
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

// bytes returns an array of levels.
func bytes(x *tensor.Tensor) []uint8 {
	d, _ := tensor.Data[uint8](x)
	return slices.Clone(d)
}

func floats(x *tensor.Tensor) []float32 {
	d, _ := tensor.Data[float32](x)
	return d
}

// TestColors compares with torchvision (golden/augment.py): the same level, or the next
// where float32 rounds the other way.
func TestColors(t *testing.T) {
	t.Parallel()
	arrays := golden(t)
	for name, kind := range map[string]int{"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue} {
		for i := range 10 {
			key := name + "_" + string(rune('0'+i))
			if arrays[key] == nil {
				if i == 0 {
					t.Fatalf("no %s in the reference", key)
				}
				break
			}
			pix := bytes(arrays["image"])
			factor, _ := tensor.Data[float64](arrays[key+"_factor"])
			recolor(pix, []adjustment{{kind, factor[0]}})
			off := 0
			for j, want := range bytes(arrays[key]) {
				d := int(pix[j]) - int(want)
				if d < -1 || d > 1 {
					t.Fatalf("%s: level %d is %d, torchvision's %d", key, j, pix[j], want)
				}
				if d != 0 {
					off++
				}
			}
			if off > len(pix)/200 {
				t.Errorf("%s: %d of %d levels differ by one", key, off, len(pix))
			}
		}
	}
}

// TestRotate compares with torchvision: bilinear inside the picture, the nearest pixel for
// masks and boxes around their corners.
func TestRotate(t *testing.T) {
	t.Parallel()
	arrays := golden(t)
	h, w := int(arrays["smooth"].Shape[0]), int(arrays["smooth"].Shape[1])
	img := imageio.New(w, h)
	copy(img.Pix, bytes(arrays["smooth"]))
	mask := &masks.Mask{W: w, H: h, Pix: bytes(arrays["mask"])}
	var boxes []geom.Box
	for b := range slices.Chunk(floats(arrays["boxes"]), 4) {
		boxes = append(boxes, geom.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]})
	}
	for _, key := range []string{"rotate_0", "rotate_1", "rotate_2"} {
		angle := float64(floats(arrays[key+"_angle"])[0])
		c := Change{W: w, H: h, fromW: w, fromH: h, Angle: angle * math.Pi / 180}
		got, want := c.Image(img), bytes(arrays[key])
		inside := 0
		for y := range h {
			for x := range w {
				u, v := c.Source((float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h))
				if px, py := u*float64(w), v*float64(h); px < 1 || py < 1 || px > float64(w)-1 || py > float64(h)-1 {
					continue // the border mixes in what lies outside, each in its way
				}
				inside++
				for k := range 3 {
					i := (y*w+x)*3 + k
					if d := int(got.Pix[i]) - int(want[i]); d < -2 || d > 2 {
						t.Fatalf("%s: channel %d at %d, %d is %d, torchvision's %d", key, k, x, y, got.Pix[i], want[i])
					}
				}
			}
		}
		if inside < w*h/3 {
			t.Errorf("%s: %d pixels were compared", key, inside)
		}
		off := 0
		for i, v := range bytes(arrays[key+"_mask"]) {
			if c.Mask(mask).Pix[i] != v {
				off++
			}
		}
		if off > 6 { // middles that fall on the line between two pixels
			t.Errorf("%s: %d of %d mask pixels differ from torchvision's", key, off, w*h)
		}
		turned, kept := c.Boxes(boxes, []int{0, 1, 2}, float64(w), float64(h))
		for i, k := range kept {
			b := floats(arrays[key+"_boxes"])[4*k : 4*k+4]
			for j, d := range []float32{turned[i].X1 - b[0], turned[i].Y1 - b[1], turned[i].X2 - b[2], turned[i].Y2 - b[3]} {
				if d < -0.01 || d > 0.01 {
					t.Errorf("%s: box %d is %v, torchvision's %v (side %d)", key, k, turned[i], b, j)
				}
			}
		}
		if len(kept) < 2 {
			t.Errorf("%s: boxes %v are left", key, kept)
		}
	}
}

// numbered is a picture whose pixels are their numbers, row by row.
func numbered(w, h int) *imageio.Image {
	m := imageio.New(w, h)
	for i := range w * h {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = uint8(i), uint8(i), uint8(i)
	}
	return m
}

func TestGeometry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change Change
		want   []uint8 // of a picture of 3×2: 0 1 2 / 3 4 5
		mask   []uint8 // 255 outside, of the same numbers
		box    []geom.Box
	}{
		{"nothing", Change{W: 3, H: 2}, []uint8{0, 1, 2, 3, 4, 5}, []uint8{0, 1, 2, 3, 4, 5}, []geom.Box{{X1: 0, Y1: 0, X2: 2, Y2: 1}}},
		{"left and right", Change{W: 3, H: 2, FlipX: true}, []uint8{2, 1, 0, 5, 4, 3}, []uint8{2, 1, 0, 5, 4, 3}, []geom.Box{{X1: 1, Y1: 0, X2: 3, Y2: 1}}},
		{"up and down", Change{W: 3, H: 2, FlipY: true}, []uint8{3, 4, 5, 0, 1, 2}, []uint8{3, 4, 5, 0, 1, 2}, []geom.Box{{X1: 0, Y1: 1, X2: 2, Y2: 2}}},
		{"a part", Change{X: 1, Y: 0, W: 2, H: 2}, []uint8{1, 2, 4, 5}, []uint8{1, 2, 4, 5}, []geom.Box{{X1: 0, Y1: 0, X2: 1, Y2: 1}}},
		{"a part, mirrored", Change{X: 1, Y: 0, W: 2, H: 2, FlipX: true}, []uint8{2, 1, 5, 4}, []uint8{2, 1, 5, 4}, []geom.Box{{X1: 1, Y1: 0, X2: 2, Y2: 1}}},
		{"without the box", Change{X: 2, Y: 0, W: 1, H: 2}, []uint8{2, 5}, []uint8{2, 5}, nil},
		{"a larger canvas", Change{X: -1, Y: 0, W: 4, H: 3}, []uint8{9, 0, 1, 2, 9, 3, 4, 5, 9, 9, 9, 9}, []uint8{255, 0, 1, 2, 255, 3, 4, 5, 255, 255, 255, 255}, []geom.Box{{X1: 1, Y1: 0, X2: 3, Y2: 1}}},
		{"a larger canvas, mirrored both ways", Change{X: -1, Y: 0, W: 4, H: 3, FlipX: true, FlipY: true}, []uint8{9, 9, 9, 9, 5, 4, 3, 9, 2, 1, 0, 9}, []uint8{255, 255, 255, 255, 5, 4, 3, 255, 2, 1, 0, 255}, []geom.Box{{X1: 1, Y1: 2, X2: 3, Y2: 3}}},
		{"upside down by a turn", Change{W: 3, H: 2, Angle: math.Pi}, []uint8{5, 4, 3, 2, 1, 0}, []uint8{5, 4, 3, 2, 1, 0}, []geom.Box{{X1: 1, Y1: 1, X2: 3, Y2: 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := tt.change
			c.fromW, c.fromH, c.fill, c.minBox = 3, 2, 9, 0.25
			img := numbered(3, 2)
			var got []uint8
			out := c.Image(img)
			for i := 0; i < len(out.Pix); i += 3 {
				got = append(got, out.Pix[i])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("picture (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.mask, c.Mask(&masks.Mask{W: 3, H: 2, Pix: []uint8{0, 1, 2, 3, 4, 5}}).Pix); diff != "" {
				t.Errorf("mask (-want +got):\n%s", diff)
			}
			boxes, _ := c.Boxes([]geom.Box{{X1: 0, Y1: 0, X2: 2, Y2: 1}}, []int{7}, 3, 2)
			for i := range boxes { // sines of π are not quite 0
				for _, v := range []*float32{&boxes[i].X1, &boxes[i].Y1, &boxes[i].X2, &boxes[i].Y2} {
					*v = float32(math.Round(float64(*v)*1000) / 1000)
				}
			}
			if diff := cmp.Diff(tt.box, boxes); diff != "" {
				t.Errorf("boxes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestShrunk has a picture that was shrunk on load: boxes stay in full pixels, and a mask
// at the full size goes with it.
func TestShrunk(t *testing.T) {
	t.Parallel()
	img := numbered(4, 2)
	img.FullW, img.FullH = 8, 4
	mask := &masks.Mask{W: 8, H: 4, Pix: make([]uint8, 32)}
	mask.Pix[0*8+7] = 1
	p := Plan{HorizontalFlip: 1}
	out, target, err := p.Apply(img, Target{Mask: mask, Boxes: []geom.Box{{X1: 6, Y1: 0, X2: 8, Y2: 2}}, Classes: []int{3}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if out.FullW != 8 || out.FullH != 4 || target.Mask.W != 8 || target.Mask.Pix[0] != 1 {
		t.Errorf("full size %d×%d, mask %v", out.FullW, out.FullH, target.Mask)
	}
	if diff := cmp.Diff([]geom.Box{{X1: 0, Y1: 0, X2: 2, Y2: 2}}, target.Boxes); diff != "" || target.Classes[0] != 3 {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

func everything() Plan {
	return Plan{HorizontalFlip: 0.5, VerticalFlip: 0.5, Scale: []float64{0.7, 1.5}, Rotate: 20, Brightness: 0.3, Contrast: 0.3, Saturation: 0.3, Hue: 0.1, Fill: 114}
}

func TestSeedDecides(t *testing.T) {
	t.Parallel()
	p, img := everything(), numbered(16, 12)
	a, _, _ := p.Apply(img, Target{}, Seed(1, 2, 3))
	b, _, _ := p.Apply(img, Target{}, Seed(1, 2, 3))
	if !cmp.Equal(a, b) {
		t.Error("the same seed makes different pictures")
	}
	if !cmp.Equal(img, numbered(16, 12)) {
		t.Error("the picture itself was changed")
	}
	seen := map[uint64]bool{}
	for epoch := range 50 {
		for index := range 50 {
			seen[Seed(1, epoch, index)] = true
		}
	}
	if len(seen) != 2500 {
		t.Errorf("%d seeds of 2500", len(seen))
	}
}

// TestDrawKeepsLimits draws many changes.
func TestDrawKeepsLimits(t *testing.T) {
	t.Parallel()
	flips, n := 0, 2000
	for i := range n {
		c := Plan{HorizontalFlip: 0.3, Area: []float64{0.2, 0.9}, Rotate: 10}.Draw(300, 200, Seed(9, 0, i))
		share := float64(c.W*c.H) / (300 * 200)
		ratio := float64(c.W) / float64(c.H)
		if c.X < 0 || c.Y < 0 || c.X+c.W > 300 || c.Y+c.H > 200 || share < 0.19 || share > 0.91 || ratio < 0.74 || ratio > 1.35 {
			t.Fatalf("part %d, %d %d×%d", c.X, c.Y, c.W, c.H)
		}
		if math.Abs(c.Angle) > 10*math.Pi/180 {
			t.Fatalf("angle %v", c.Angle)
		}
		if c.FlipX {
			flips++
		}
		s := Plan{Scale: []float64{0.5, 2}}.Draw(300, 200, Seed(9, 1, i))
		if s.W < 150 || s.W > 600 || s.X < 300-s.W && s.X < 0 || s.X > max(0, 300-s.W) {
			t.Fatalf("scaled part %d, %d %d×%d", s.X, s.Y, s.W, s.H)
		}
	}
	if share := float64(flips) / float64(n); share < 0.26 || share > 0.34 {
		t.Errorf("flipped %v of the pictures, want 0.3", share)
	}
	narrow := Plan{Area: []float64{1, 1}, Aspect: []float64{1, 1}}.Draw(300, 100, 1)
	if narrow.W != 100 || narrow.H != 100 || narrow.X != 100 {
		t.Errorf("no such part: %+v, want the square in the middle", narrow)
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	if c := (Plan{}).Draw(5, 4, 1); !(Plan{}).Nothing() || !c.identity() || len(c.color) > 0 {
		t.Errorf("the zero plan draws %+v", c)
	}
	if everything().Nothing() || (Plan{Hue: 0.1}).Nothing() {
		t.Error("a plan that does something says that it does nothing")
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Plan)
		want string // empty: valid
	}{
		{"everything", func(*Plan) {}, ""},
		{"a probability in percent", func(p *Plan) { p.HorizontalFlip = 50 }, "horizontal_flip is 50, want 0 to 1"},
		{"NaN", func(p *Plan) { p.Rotate = math.NaN() }, "rotate is NaN"},
		{"hue in degrees", func(p *Plan) { p.Hue = 18 }, "hue is 18, want 0 to 0.5"},
		{"one end of a range", func(p *Plan) { p.Scale = []float64{2} }, "scale is [2]"},
		{"the wrong way round", func(p *Plan) { p.Scale = []float64{2, 1} }, "scale is [2 1], want two numbers from 0.1 to 10, the lower first"},
		{"nothing is seen", func(p *Plan) { p.Scale, p.Area = nil, []float64{0, 1} }, "area is [0 1]"},
		{"both ways to see a part", func(p *Plan) { p.Area = []float64{0.5, 1} }, "scale and area"},
		{"aspect alone", func(p *Plan) { p.Scale, p.Aspect = nil, []float64{0.5, 1} }, "aspect needs area"},
		{"fill is no level", func(p *Plan) { p.Fill = 256 }, "fill is 256"},
		{"min_box", func(p *Plan) { p.MinBox = 2 }, "min_box is 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := everything()
			tt.edit(&p)
			err := p.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate: %v, want %q", err, tt.want)
			}
			if _, _, applied := p.Apply(numbered(4, 4), Target{}, 1); (applied == nil) != (err == nil) {
				t.Errorf("Apply: %v", applied)
			}
		})
	}
	if _, _, err := (Plan{}).Apply(&imageio.Image{W: 4, H: 4}, Target{}, 1); err == nil {
		t.Error("a picture without pixels is no error")
	}
}

func TestYAML(t *testing.T) {
	t.Parallel()
	want := everything()
	text, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Plan
	if err := yaml.Unmarshal(text, &got); err != nil || !cmp.Equal(want, got) {
		t.Errorf("written and read again: %v, %+v from\n%s", err, got, text)
	}
}

func BenchmarkImage(b *testing.B) {
	img := numbered(480, 360)
	for name, p := range map[string]Plan{
		"flip":  {HorizontalFlip: 1},
		"turn":  {Rotate: 10},
		"color": {Brightness: 0.3, Contrast: 0.3, Saturation: 0.3},
		"hue":   {Hue: 0.1},
	} {
		b.Run(name, func(b *testing.B) {
			c := p.Draw(480, 360, 7)
			for b.Loop() {
				c.Image(img)
			}
		})
	}
}
