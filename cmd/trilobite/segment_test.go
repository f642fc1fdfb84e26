package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/geom"
	"trilobite/onnx"
	"trilobite/pipeline"
	"trilobite/tensor"
	"trilobite/zoo"
)

// colourModel installs a model that tells red, green and blue from what is none, four
// pixels at a time, and returns the home it is in.
func colourModel(t *testing.T) string {
	t.Helper()
	b := onnx.NewBuilder("colours")
	x := b.Input("image", tensor.Float32, onnx.Shape{1, 3, 32, 64})
	w := b.Const("w", tensor.Of([]int64{4, 3, 1, 1}, []float32{
		0, 0, 0,
		2, -1, -1,
		-1, 2, -1,
		-1, -1, 2,
	}))
	bias := b.Const("b", tensor.Vector[float32](40, 0, 0, 0))
	b.Output("logits", b.Conv(x, w, bias, onnx.ConvAttrs{Strides: []int64{2, 2}}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	labels := zoo.Labels{}
	for _, name := range []string{"background", "red", "green", "blue & <more>"} {
		labels.Classes = append(labels.Classes, zoo.Class{Name: name})
	}
	home := t.TempDir()
	card := zoo.Card{Name: "colours", Task: zoo.Segment, Licence: "none", Pipeline: pipeline.Spec{Width: 64, Height: 32}, Decoder: zoo.Decoder{Name: "mask"}}
	if _, err := zoo.NewStore(home).Put(card, g, labels); err != nil {
		t.Fatal(err)
	}
	return home
}

// stripes writes a picture of 160×80 pixels: red, grey, blue.
func stripes(t *testing.T, path string) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 160, 80))
	for x := range 160 {
		for y := range 80 {
			img.Set(x, y, []color.RGBA{{200, 20, 20, 255}, {90, 90, 90, 255}, {20, 20, 220, 255}}[min(x/60, 2)])
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, bad bytes.Buffer
	cmd := newRootCmd()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&bad)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), bad.String(), err
}

func TestSegmentCommand(t *testing.T) {
	t.Parallel()
	home, dir := colourModel(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	stripes(t, in("flag.png"))
	if err := os.WriteFile(in("broken.jpg"), []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := command(t, "--home", home, "segment", in("flag.png"), in("broken.jpg"), "--model", "colours", "--json",
		"--masks", in("m"), "--overlays", in("o"), "--confidence", in("c"))
	if err == nil || !strings.Contains(err.Error(), "1 of 2 images failed") {
		t.Errorf("error %v, want one of two images", err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	var first, second maskLine
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil {
		t.Fatal(err)
	}
	if second.Error == "" || second.Mask != "" || second.File != in("broken.jpg") {
		t.Errorf("the broken image: %+v", second)
	}
	if first.Width != 160 || first.Height != 80 || len(first.Classes) != 3 || first.Classes[2].Name != "blue & <more>" {
		t.Fatalf("answer %+v", first)
	}
	pixels := 0
	for _, c := range first.Classes {
		pixels += c.Pixels
		if len(c.Polygons) != 1 || c.Polygons[0].Area != c.Pixels || len(c.Polygons[0].Outer) != 4 {
			t.Errorf("class %s: polygons %+v", c.Name, c.Polygons)
		}
		if r, err := geom.ParseRLE(c.RLE.Size[1], c.RLE.Size[0], c.RLE.Counts); err != nil || r.Area() != c.Pixels || r.W != 160 {
			t.Errorf("class %s: run lengths %+v of %d pixels, %v; want %d", c.Name, c.RLE, r.Area(), err, c.Pixels)
		}
	}
	if pixels != 160*80 {
		t.Errorf("classes cover %d pixels of %d", pixels, 160*80)
	}
	for name, at := range map[string]string{first.Mask: in("m/flag.png"), first.Overlay: in("o/flag.png"), first.Confidence: in("c/flag.png")} {
		data, err := os.ReadFile(at)
		if err != nil || name != at {
			t.Fatalf("%s at %s: %v", name, at, err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Dx() != 160 || img.Bounds().Dy() != 80 {
			t.Fatalf("%s: %v, %v; want the image's size", at, img.Bounds(), err)
		}
		if at == in("m/flag.png") {
			p, ok := img.(*image.Paletted)
			if !ok || p.ColorIndexAt(10, 40) != 1 || p.ColorIndexAt(85, 40) != 0 || p.ColorIndexAt(150, 40) != 3 {
				t.Errorf("mask %T is not red, background, blue", img)
			}
		}
	}
}

func TestSegmentRefuses(t *testing.T) {
	t.Parallel()
	home, dir := colourModel(t), t.TempDir()
	photo := filepath.Join(dir, "flag.png")
	stripes(t, photo)
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no model", []string{photo}, "model"},
		{"a model that is not there", []string{photo, "--model", "roads"}, "roads"},
		{"two folders that are one", []string{photo, "--model", "colours", "--masks", dir + "/a", "--overlays", dir + "/./a"}, "--masks and --overlays"},
		{"the image itself", []string{photo, "--model", "colours", "--masks", dir}, "would overwrite"},
		{"a negative tolerance", []string{photo, "--model", "colours", "--tolerance", "-1"}, "--tolerance is -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := command(t, append([]string{"--home", home, "segment"}, tt.args...)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSegmentTable(t *testing.T) {
	t.Parallel()
	home, dir := colourModel(t), t.TempDir()
	photo := filepath.Join(dir, "flag.png")
	stripes(t, photo)
	out, _, err := command(t, "--home", home, "segment", "--model", "colours", photo)
	if err != nil || !strings.HasPrefix(out, "CLASS ") || !strings.Contains(out, "red ") || strings.Contains(out, "green") {
		t.Errorf("%v:\n%s", err, out)
	}
}
