package imageio

import (
	"image"
	"testing"

	"trilobite/geom"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	m := New(640, 480)
	for i := range m.Pix {
		m.Pix[i] = 90
	}
	m.FullW, m.FullH = 1280, 960 // boxes are given in these pixels
	got, err := m.Draw([]Mark{{Box: geom.Box{X1: 200, Y1: 400, X2: 600, Y2: 800}, Text: "Bicycle 97%", Class: 1}})
	if err != nil {
		t.Fatal(err)
	}
	c := ClassColor(1)
	at := func(x, y int) [3]uint8 { r, g, b := got.At(x, y); return [3]uint8{r, g, b} }
	if at(100, 300) != c || at(299, 399) != c || at(200, 200) != c {
		t.Errorf("box sides are %v, %v, %v, want %v", at(100, 300), at(299, 399), at(200, 200), c)
	}
	if grey := [3]uint8{90, 90, 90}; at(200, 300) != grey || at(98, 300) != grey || at(300, 300) != grey {
		t.Error("drawn outside the box's lines")
	}
	if at(100, 199) != c {
		t.Errorf("no plate above the box: %v", at(100, 199))
	}
	text := 0
	for y := 180; y < 200; y++ {
		for x := 100; x < 220; x++ {
			if at(x, y) == ink(c) {
				text++
			}
		}
	}
	if text < 100 {
		t.Errorf("%d pixels of text", text)
	}
	if r, _, _ := m.At(100, 300); r != 90 {
		t.Error("Draw changed its receiver")
	}
}

func TestDrawHostileMarks(t *testing.T) {
	t.Parallel()
	marks := []Mark{
		{Box: geom.Box{X1: -50, Y1: -50, X2: 500, Y2: 500}, Text: "outside on all sides, with a label longer than the image"},
		{Box: geom.Box{X1: 5, Y1: 5, X2: 5, Y2: 5}, Text: "empty"},
		{Box: geom.Box{X1: 9, Y1: 9, X2: 1, Y2: 1}, Text: "inverted"},
		{Box: geom.Box{X1: 1, Y1: 1, X2: 2, Y2: 2}, Text: "\x00\xff人", Class: -7},
	}
	for _, size := range [][2]int{{1, 1}, {7, 300}, {300, 7}, {60, 60}} {
		if _, err := New(size[0], size[1]).Draw(marks); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
}

func TestPlatesDoNotHideEachOther(t *testing.T) {
	t.Parallel()
	m := New(400, 400)
	size := image.Pt(80, 20)
	var taken []image.Rectangle
	for range 5 {
		r := m.place(image.Rect(100, 100, 300, 300), size, 2, taken)
		for _, o := range taken {
			if r.Overlaps(o) {
				t.Fatalf("plate %v hides %v", r, o)
			}
		}
		taken = append(taken, r)
	}
}
