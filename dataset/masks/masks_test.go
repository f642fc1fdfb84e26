package masks

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// grey is a PNG of 8-bit values, one string per row, a digit per pixel; 'W' is 255.
func grey(rows ...string) string {
	m := image.NewGray(image.Rect(0, 0, len(rows[0]), len(rows)))
	for y, row := range rows {
		for x, c := range row {
			m.Pix[y*m.Stride+x] = uint8(c - '0')
			if c == 'W' {
				m.Pix[y*m.Stride+x] = 255
			}
		}
	}
	return encode(m)
}

func encode(m image.Image) string {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.String()
}

// colours is a PNG of letters: r, g, b, k and w.
func colours(row string) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, len(row), 1))
	for x, c := range row {
		m.SetNRGBA(x, 0, map[rune]color.NRGBA{'r': {255, 0, 0, 255}, 'g': {0, 255, 0, 255}, 'b': {0, 0, 255, 255}, 'k': {0, 0, 0, 255}, 'w': {255, 255, 255, 255}}[c])
	}
	return m
}

func jpg(w, h int) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		panic(err)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	t.Parallel()
	p, m := jpg(4, 1), grey("0120")
	const table = "0 sky\n1 road\n2 void\n"
	tests := []struct {
		name    string
		files   map[string]string
		images  []string // split image mask
		classes []string
		dropped []string
	}{
		{"beside each other", map[string]string{"images/a.jpg": p, "masks/a.png": m, "classes.txt": table},
			[]string{" images/a.jpg masks/a.png"}, []string{"sky", "road"}, nil},
		{"below splits", map[string]string{"val/images/a.jpg": p, "val/masks/a.png": m, "train/images/b.jpg": p, "train/masks/b.png": m, "classes.txt": table},
			[]string{"train train/images/b.jpg train/masks/b.png", "val val/images/a.jpg val/masks/a.png"}, []string{"sky", "road"}, nil},
		{"splits inside", map[string]string{"images/val/a.jpg": p, "masks/val/a.png": m, "images/train/b.jpg": p, "masks/train/b.png": m, "classes.txt": table},
			[]string{"train images/train/b.jpg masks/train/b.png", "val images/val/a.jpg masks/val/a.png"}, []string{"sky", "road"}, nil},
		{"with a prefix, without a table", map[string]string{"resized_images/a.jpg": p, "resized_masks/a.png": grey("0W00"), "via.json": "{}"},
			[]string{" resized_images/a.jpg resized_masks/a.png"}, []string{"background", "foreground"}, nil},
		{"names of masks with a word more", map[string]string{"images/a.jpg": p, "masks/a_mask.png": m, "images/b_L.jpg": p, "masks/b_L.png": m, "classes.txt": table},
			[]string{" images/a.jpg masks/a_mask.png", " images/b_L.jpg masks/b_L.png"}, []string{"sky", "road"}, nil},
		{"missing and strange files", map[string]string{
			"images/a.jpg": p, "masks/a.png": m, "classes.txt": table,
			"images/b.jpg": p, "masks/c.png": m, "images/d.jpg": p, "masks/d.png": grey("01", "12"), "images/e.jpg": p, "masks/e.png": "nothing", "images/f.jpg": p, "masks/f.jpg": p,
			"images/g.jpg": "", "masks/g.png": m, "masks/a.bmp": m},
			[]string{" images/a.jpg masks/a.bmp"}, []string{"sky", "road"}, []string{
				"masks/a.png: a.bmp is a mask of the same picture",
				"masks/c.png: there is no picture of that name in images",
				"images/b.jpg: there is no mask of that name in masks",
				"masks/d.png: the mask has 2×2 pixels, its picture 4×1",
				"masks/e.png: The image is text; send JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF.",
				"masks/f.jpg: a JPEG mask: its compression changes pixels' numbers; save masks as PNG",
				"masks/g.png: picture g.jpg: The image is empty.",
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := treetest.New(t, tt.files)
			s, err := Read(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			var images []string
			for _, i := range s.Images {
				images = append(images, i.Split+" "+strings.TrimPrefix(i.File, dir+"/")+" "+strings.TrimPrefix(i.Mask, dir+"/"))
				if i.W != 4 || i.H != 1 {
					t.Errorf("%s has %d×%d pixels", i.File, i.W, i.H)
				}
			}
			if diff := cmp.Diff([][]string{tt.images, tt.classes, tt.dropped}, [][]string{images, s.Classes, treetest.Dropped(s, dir)}); diff != "" {
				t.Errorf("images, classes, dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	p := jpg(4, 1)
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no such folders", map[string]string{"images/a.jpg": p}, "no images/ beside masks/"},
		{"two pairs", map[string]string{"images/a.jpg": p, "masks/": "", "small_images/": "", "small_masks/": ""}, "several pairs"},
		{"no pair at all", map[string]string{"images/a.jpg": p, "masks/": ""}, "no picture with a mask: "},
		{"a broken table", map[string]string{"images/a.jpg": p, "masks/a.png": grey("0120"), "classes.txt": "0 a\n0 b"}, "classes.txt: line 2: value 0"},
		{"colours without a table", map[string]string{"images/a.jpg": p, "masks/a.png": encode(colours("rgbk"))}, "no file says which class"},
		{"one value", map[string]string{"images/a.jpg": p, "masks/a.png": grey("0000")}, "nothing to tell apart"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Read(treetest.New(t, tt.files), ""); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestParseTable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       dataset.Set
		err        string
	}{
		{"values", "0 sky\r\n\n# a remark\n2\tstop sign\n11 Unlabelled", dataset.Set{Classes: []string{"sky", "stop sign"}, Values: map[int]int{0: 0, 2: 1, 11: 255}, Ignore: 255}, ""},
		{"ignored in the middle", "0 void\n1 sky", dataset.Set{Classes: []string{"sky"}, Values: map[int]int{0: 255, 1: 0}, Ignore: 255}, ""},
		{"names alone", "\ufeffsky\nroad", dataset.Set{Classes: []string{"sky", "road"}, Values: map[int]int{0: 0, 1: 1}, Ignore: -1}, ""},
		{"colours first", "64 128 64\tAnimal\n0 0 0 Void", dataset.Set{Classes: []string{"Animal"}, Colors: map[[3]uint8]int{{64, 128, 64}: 0, {0, 0, 0}: 255}, Ignore: 255}, ""},
		{"class_dict.csv", "name,r,g,b\nAnimal,64,128,64\nRoad,1,2,3", dataset.Set{Classes: []string{"Animal", "Road"}, Colors: map[[3]uint8]int{{64, 128, 64}: 0, {1, 2, 3}: 1}, Ignore: -1}, ""},
		{"CVAT's labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::", dataset.Set{Classes: []string{"background", "cat"}, Colors: map[[3]uint8]int{{0, 0, 0}: 0, {128, 0, 0}: 1}, Ignore: -1}, ""},
		{"hexadecimal colours", "0 sky #0000fF\n1 road #010203", dataset.Set{Classes: []string{"sky", "road"}, Colors: map[[3]uint8]int{{0, 0, 255}: 0, {1, 2, 3}: 1}, Ignore: -1}, ""},
		{"nothing", "\n", dataset.Set{}, "names no classes"},
		{"a value twice", "0 a\n1 b\n0 c", dataset.Set{}, "line 3: value 0 is another class's, line 1"},
		{"a colour twice", "1 1 1 a\n1 1 1 b", dataset.Set{}, "line 2: colour 1 1 1"},
		{"value out of range", "256 a", dataset.Set{}, "line 1: value 256"},
		{"half with numbers", "0 a\nb", dataset.Set{}, "line 2: either every class has a number"},
		{"half with colours", "1 1 1 a\nb", dataset.Set{}, "line 2: either every class has a colour"},
		{"no colour", "0 a #00zz00", dataset.Set{}, `line 1: "#00zz00" is no colour`},
		{"nothing but ignored", "0 void", dataset.Set{}, "0 classes"},
		{"too many", strings.Repeat("a\n", 300), dataset.Set{}, "line 257: more than 256"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got dataset.Set
			err := ParseTable(strings.NewReader(tt.text), &got)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got error %v, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	palette := image.NewPaletted(image.Rect(0, 0, 4, 1), color.Palette{color.Black, color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}})
	copy(palette.Pix, []uint8{0, 1, 2, 1})
	deep := image.NewGray16(image.Rect(0, 0, 2, 1))
	deep.Pix = []uint8{0, 1, 0, 0}
	tooDeep := image.NewGray16(image.Rect(0, 0, 2, 1))
	tooDeep.Pix = []uint8{0, 1, 1, 0}
	two := []string{"a", "b"}
	camvid := dataset.Set{Classes: two, Values: map[int]int{0: 0, 1: 1, 2: 255}, Ignore: 255}
	byColor := dataset.Set{Classes: two, Colors: map[[3]uint8]int{{255, 0, 0}: 0, {0, 255, 0}: 1, {0, 0, 0}: 255}, Ignore: 255}
	tests := []struct {
		name string
		file string
		set  dataset.Set
		want []uint8
		err  string
	}{
		{"numbers", grey("0110"), dataset.Set{Classes: two, Ignore: -1}, []uint8{0, 1, 1, 0}, ""},
		{"an ignored number", grey("0120"), camvid, []uint8{0, 1, 255, 0}, ""},
		{"black and white", grey("0W"), dataset.Set{Classes: two, Values: map[int]int{0: 0, 255: 1}, Ignore: -1}, []uint8{0, 1}, ""},
		{"255 as ignored", grey("0W"), dataset.Set{Classes: two, Ignore: 255}, []uint8{0, 255}, ""},
		{"a palette's places", encode(palette), camvid, []uint8{0, 1, 255, 1}, ""},
		{"a palette's colours", encode(palette), byColor, []uint8{255, 0, 1, 0}, ""},
		{"16 bits", encode(deep), dataset.Set{Classes: two, Ignore: -1}, []uint8{1, 0}, ""},
		{"colours", encode(colours("rgk")), byColor, []uint8{0, 1, 255}, ""},
		{"a grey colour picture has numbers", encode(colours("kwk")), dataset.Set{Classes: two, Values: map[int]int{0: 0, 255: 1}, Ignore: -1}, []uint8{0, 1, 0}, ""},
		{"numbers where colours are due", grey("0W"), dataset.Set{Classes: two, Colors: map[[3]uint8]int{{0, 0, 0}: 0, {255, 255, 255}: 1}}, []uint8{0, 1}, ""},
		{"unknown number", grey("01", "13"), dataset.Set{Classes: two, Ignore: -1}, nil, "value 3 at 1, 1 is no class"},
		{"unknown number of 16 bits", encode(tooDeep), dataset.Set{Classes: two, Ignore: -1}, nil, "value 256 at 1, 0 is no class"},
		{"unknown colour", encode(colours("rb")), byColor, nil, "colour 0 0 255 at 1, 0 is no class"},
		{"colours without a table", encode(colours("kr")), dataset.Set{Classes: two}, nil, "colour 255 0 0 at 1, 0 is no class"},
		{"cut short", grey("0110")[:60], camvid, nil, "EOF"},
		{"no picture", "hello", camvid, nil, "The image is text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode([]byte(tt.file), &tt.set)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got error %v, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, m.Pix); diff != "" {
				t.Errorf("classes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDecodeFewBits has a grey PNG of one bit a pixel, which Go's encoder does not write:
// 8×1 pixels, 10110000, by Pillow 13.
func TestDecodeFewBits(t *testing.T) {
	t.Parallel()
	const file = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x08\x00\x00\x00\x01\x01\x00\x00\x00\x00" + oneBit
	m, err := Decode([]byte(file), &dataset.Set{Classes: []string{"a", "b"}, Ignore: -1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint8{1, 0, 1, 1, 0, 0, 0, 0}, m.Pix); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}

// oneBit is the rest of that file, from the header's checksum on.
const oneBit = "\xcb\x7b\xd2\xee\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\xd8\x00\x00\x00\xb2\x00\xb1\x55\x0a\xe8\x2a\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82"

func TestScan(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{"images/a.jpg": jpg(4, 1), "masks/a.png": grey("0120"), "images/b.jpg": jpg(4, 1), "masks/b.png": grey("0130"), "classes.txt": "0 a\n1 b\n2 void"})
	s, err := Read(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	pixels, err := Scan(t.Context(), s, 1, func() { steps++ })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{2, 1}, pixels); diff != "" || steps != 2 || len(s.Images) != 1 {
		t.Errorf("%d steps, images %v, pixels (-want +got):\n%s", steps, s.Images, diff)
	}
	if diff := cmp.Diff([]string{"masks/b.png: value 3 at 2, 0 is no class"}, treetest.Dropped(s, dir)); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	square := func(x1, y1, x2, y2 float64) []geom.Polygon {
		return []geom.Polygon{{{X: x1, Y: y1}, {X: x2, Y: y1}, {X: x2, Y: y2}, {X: x1, Y: y2}}}
	}
	s := &dataset.Set{Classes: []string{"cat", "dog"}, Ignore: -1, Images: []dataset.Image{
		{File: "a", W: 5, H: 2, Objects: []dataset.Object{
			{Class: 1, Area: 1, Polygons: square(1, 0, 2, 1)},
			{Class: 0, Area: 6, Polygons: square(0, 0, 3, 2)},
			{Class: 0, Area: 1, Crowd: true, RLE: &geom.RLE{W: 5, H: 2, Runs: []uint32{9, 1}}},
		}},
		{File: "b", W: 5, H: 2, Objects: []dataset.Object{{Class: 1, Area: 1}}},
		{File: "c"},
	}}
	out, err := Outlined(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"background", "cat", "dog"}, out.Classes); diff != "" || out.Ignore != 255 || len(out.Images) != 1 {
		t.Fatalf("ignore %d, images %v, classes (-want +got):\n%s", out.Ignore, out.Images, diff)
	}
	if diff := cmp.Diff([]string{"b: object 1, a dog, has no outline", "c: its size is not known"}, treetest.Dropped(out, "")); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	m, err := Draw(&out.Images[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint8{1, 2, 1, 0, 0, 1, 1, 1, 0, 255}, m.Pix); diff != "" {
		t.Errorf("mask (-want +got):\n%s", diff)
	}
	if s.Images[0].Objects[0].Class != 1 || s.Ignore != -1 {
		t.Error("the set itself was changed")
	}
	if _, err := Draw(&dataset.Image{File: "x", W: 1 << 30, H: 1 << 30}); err == nil {
		t.Error("a mask of 2⁶⁰ pixels is no error")
	}
}

func TestFindLeavesOtherFolders(t *testing.T) {
	t.Parallel()
	parts, err := Find(filepath.Dir(treetest.New(t, map[string]string{"x": ""})))
	if err != nil || len(parts) != 0 {
		t.Errorf("found %v, error %v", parts, err)
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add("0 sky\n1 void\n")
	f.Add("64 128 64 Animal\n0 0 0 Void")
	f.Fuzz(func(t *testing.T, text string) {
		var s dataset.Set
		if ParseTable(strings.NewReader(text), &s) != nil {
			return
		}
		for _, c := range s.Values {
			if c != s.Ignore && (c < 0 || c >= len(s.Classes)) {
				t.Errorf("class %d of %d", c, len(s.Classes))
			}
		}
		for _, c := range s.Colors {
			if c != s.Ignore && (c < 0 || c >= len(s.Classes)) {
				t.Errorf("class %d of %d", c, len(s.Classes))
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(grey("0120")))
	f.Add([]byte(encode(colours("rgbk"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data, &dataset.Set{Classes: []string{"a", "b", "c"}, Ignore: 255})
		if err != nil {
			return
		}
		if len(m.Pix) != m.W*m.H {
			t.Errorf("%d values for %d×%d", len(m.Pix), m.W, m.H)
		}
		for _, v := range m.Pix {
			if v > 2 && v != 255 {
				t.Fatalf("class %d", v)
			}
		}
	})
}
