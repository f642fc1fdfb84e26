package export

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/dataset/open"
	"trilobite/geom"
)

const (
	width  = 20
	height = 10
)

// photo writes a PNG of 20×10 pixels and returns its path.
func photo(t testing.TB, dir, name string) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(7*i + len(name))
	}
	return writePNG(t, filepath.Join(dir, name), m)
}

func writePNG(t testing.TB, path string, m image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everything is a set that says all there is to say of labels and objects.
func everything(t testing.TB) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	pixels := make([]uint8, width*height)
	for _, at := range []int{2*width + 3, 2*width + 4, 3*width + 4, 7*width + 15, 7*width + 16} {
		pixels[at] = 1
	}
	rle := geom.EncodeRLE(pixels, width, height)
	triangle := geom.Polygon{{X: 1.25, Y: 1}, {X: 5.5, Y: 1}, {X: 5.5, Y: 4}}
	square := geom.Polygon{{X: 10, Y: 2}, {X: 14, Y: 2}, {X: 14, Y: 6}, {X: 10, Y: 6}}
	s := &dataset.Set{
		Ignore:  dataset.NoIgnore,
		Classes: []string{"zebra", "ant", "bee & wasp", "never seen", "a \"b\" c"},
		Images: []dataset.Image{
			{File: photo(t, dir, "one/a.png"), Split: dataset.Train, Classes: []int{0}},
			{File: photo(t, dir, "two/a.png"), Split: dataset.Val, Classes: []int{1, 4}},
			{File: photo(t, dir, "with space.png"), Split: dataset.Train, Objects: []dataset.Object{
				{Class: 2, Box: geom.Rect{X: 1.5, Y: 2.25, W: 6, H: 5}, Difficult: true, Truncated: true},
				{Class: 1, Box: geom.Rect{X: 0, Y: 0, W: 20, H: 10}, Occluded: true, Crowd: true},
			}},
			{File: photo(t, dir, "é.png"), Split: dataset.Test, Classes: []int{2}, Objects: []dataset.Object{
				{Class: 1, Polygons: []geom.Polygon{triangle}},
				{Class: 0, Polygons: []geom.Polygon{triangle, square}, Occluded: true},
				{Class: 4, RLE: &rle},
			}},
			{File: photo(t, dir, "own.png"), Objects: []dataset.Object{{Class: 0, Box: geom.Rect{X: 9, Y: 1, W: 8, H: 8}, Area: 5, Polygons: []geom.Polygon{square}}}},
			{File: photo(t, dir, "nothing.png"), Split: dataset.Test},
		},
	}
	for i := range s.Images {
		for k := range s.Images[i].Objects {
			o := &s.Images[i].Objects[k]
			switch {
			case o.RLE != nil:
				o.Box = o.RLE.Bounds()
			case o.Box.W == 0:
				o.Box = slices.Concat(o.Polygons...).Bounds()
			}
			if o.Area == 0 {
				o.Area = o.OwnArea()
			}
		}
	}
	return s
}

// painted is a set with a class, or none, for each pixel.
func painted(t testing.TB) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	s := &dataset.Set{
		Ignore: dataset.IgnoreValue, Classes: []string{"sky", masks.Background, "wet road"},
		Colors: map[[3]uint8]int{{1, 2, 3}: 0, {9, 9, 9}: 1, {200, 0, 0}: 2, {0, 0, 0}: dataset.IgnoreValue},
	}
	colors := [][3]uint8{{1, 2, 3}, {9, 9, 9}, {200, 0, 0}, {0, 0, 0}}
	for i, split := range []string{dataset.Train, dataset.Val} {
		m := image.NewNRGBA(image.Rect(0, 0, width, height))
		for p := range width * height {
			c := colors[(p*p/7+i)%len(colors)]
			m.SetNRGBA(p%width, p/width, color.NRGBA{c[0], c[1], c[2], 255})
		}
		name := split + ".png"
		s.Images = append(s.Images, dataset.Image{File: photo(t, dir, name), Split: split, Mask: writePNG(t, filepath.Join(dir, "masks", name), m)})
	}
	return s
}

// said returns classes and pictures in a form in which sets that say the same are equal: pictures
// and objects in an order of their own, classes by name, masks decoded.
func said(t testing.TB, s *dataset.Set) []any {
	t.Helper()
	type object struct {
		Class string
		dataset.Object
	}
	type picture struct {
		Name, Split string
		Labels      []string
		Objects     []object
		Mask        string // class of each pixel
	}
	var all []picture
	for i := range s.Images {
		img := &s.Images[i]
		p := picture{Name: img.Title(), Split: img.Split}
		for _, c := range img.Classes {
			p.Labels = append(p.Labels, s.Classes[c])
		}
		slices.Sort(p.Labels)
		for _, o := range img.Objects {
			class := s.Classes[o.Class]
			o.Class, o.Line = 0, 0
			p.Objects = append(p.Objects, object{class, o})
		}
		slices.SortFunc(p.Objects, func(a, b object) int {
			return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.W, b.Box.W), cmp.Compare(a.Area, b.Area))
		})
		if img.Mask != "" {
			m, err := masks.Load(s, img)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, v := range m.Pix {
				if v != dataset.IgnoreValue {
					b.WriteString(s.Classes[v])
				}
				b.WriteByte('|')
			}
			p.Mask = b.String()
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b picture) int { return cmp.Compare(a.Name, b.Name) })
	return []any{s.Classes, all}
}

func differences(want, got any) string {
	return gocmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty())
}

// spoken returns the pictures of which something is said, without the list of classes.
func spoken(s *dataset.Set) *dataset.Set {
	out := *s
	out.Images = slices.DeleteFunc(slices.Clone(s.Images), func(img dataset.Image) bool {
		return len(img.Classes)+len(img.Objects) == 0 && img.Mask == ""
	})
	return &out
}

// through writes s in a format, reads it again as whatever it is recognised as, and fails
// unless it is what Reduce says that the format can say.
func through(t *testing.T, s *dataset.Set, f Format) *dataset.Set {
	t.Helper()
	want, losses, err := Reduce(s, f.Says, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	Name(want)
	dir := filepath.Join(t.TempDir(), "set")
	report, err := Write(s, dir, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(losses, report.Losses); diff != "" {
		t.Errorf("losses (-reduced +reported):\n%s", diff)
	}
	got, err := open.Dataset(dir, open.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Format != f.Name || len(got.Set.Dropped)+len(got.Set.Clipped) > 0 {
		t.Errorf("%s is read as %s, without %v, cut %v", f.Name, got.Format, got.Set.Dropped, got.Set.Clipped)
	}
	if diff := differences(said(t, want), said(t, got.Set)); diff != "" {
		t.Errorf("through %s (-want +got):\n%s", f.Name, diff)
	}
	return got.Set
}

// TestPairs takes two sets, which together say all there is to say, from every format to
// every other: what both can say arrives, and what the way through the first loses is
// what it is said to lose.
func TestPairs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		set   *dataset.Set
		masks bool
	}{{"labels and objects", everything(t), false}, {"masks", painted(t), true}} {
		for _, from := range Formats() {
			if tt.masks && from.Says&(dataset.Masks|dataset.Polygons) == 0 {
				continue // nothing of it can be said
			}
			t.Run(tt.name+" "+from.Name, func(t *testing.T) {
				t.Parallel()
				first := through(t, tt.set, from)
				for _, to := range Formats() {
					masked := slices.ContainsFunc(first.Images, func(img dataset.Image) bool { return img.Mask != "" })
					outlined := slices.ContainsFunc(first.Images, func(img dataset.Image) bool {
						return slices.ContainsFunc(img.Objects, func(o dataset.Object) bool { return o.Outlined() })
					})
					switch {
					case to.Says&from.Says == 0 || from.Name == "folders" && !to.Says.Has(dataset.Labels) || to.Name == "folders" && !from.Says.Has(dataset.Labels):
						continue // nothing arrives
					case masked && to.Says&(dataset.Masks|dataset.Polygons) == 0:
						continue
					case !masked && to.Name == "masks" && !outlined:
						continue
					case to.Name == "folders" && !slices.ContainsFunc(first.Images, func(img dataset.Image) bool { return len(img.Classes) > 0 }):
						continue
					}
					t.Run("to "+to.Name, func(t *testing.T) {
						second := through(t, first, to)
						if masked != to.Says.Has(dataset.Masks) && (masked || to.Name == "masks") || tt.masks != masked {
							return // pixels became objects or the other way: seen above
						}
						both, _, err := Reduce(tt.set, from.Says&to.Says, t.TempDir())
						if err != nil {
							t.Fatal(err)
						}
						Name(both)
						if outlined && !from.Says.Has(dataset.OwnBoxes) && !to.Says.Has(dataset.Polygons) {
							for _, s := range []*dataset.Set{both, second} { // from said the outline instead of a box of its own
								s.Images = slices.DeleteFunc(s.Images, func(img dataset.Image) bool { return img.Title() == "own.png" })
							}
						}
						if diff := differences(said(t, spoken(both))[1], said(t, spoken(second))[1]); diff != "" {
							t.Errorf("what both say (-want +got):\n%s", diff)
						}
					})
				}
			})
		}
	}
}

// TestSays fails where a format claims or denies a feature wrongly: each feature is lost
// by exactly the formats that do not have it.
func TestSays(t *testing.T) {
	t.Parallel()
	words := map[dataset.Feature]string{
		dataset.Labels: "labels of whole pictures", dataset.ManyLabels: "labels beyond the first", dataset.Boxes: "objects", dataset.Parted: "splits",
		dataset.Crowds: "marks of crowds", dataset.Difficult: "marks of difficult objects", dataset.Truncated: "marks of truncated objects", dataset.Occluded: "marks of occluded objects",
		dataset.ClassOrder: "the order of the classes", dataset.UnusedClasses: "classes that nothing is labelled with", dataset.Unlabelled: "pictures without",
		dataset.Areas: "areas other than those of outlines and boxes", dataset.OwnBoxes: "boxes other than their outlines'", dataset.Parts: "parts of outlines", dataset.Pixels: "objects' pixels",
		dataset.Polygons: "outlines, of which boxes stay", dataset.Masks: "masks",
	}
	sets := []*dataset.Set{everything(t), painted(t)}
	for _, f := range Formats() {
		var of [2][]Loss
		for i, s := range sets {
			var err error
			if _, of[i], err = Reduce(s, f.Says, t.TempDir()); err != nil {
				t.Fatal(err)
			}
		}
		for _, feature := range dataset.Features() {
			losses := of[0]
			if feature == dataset.Masks {
				losses = of[1]
			}
			lost := slices.ContainsFunc(losses, func(l Loss) bool {
				return strings.HasPrefix(l.What, words[feature]) && !strings.HasPrefix(l.What, words[feature]+"'")
			})
			moot := !f.Says.Has(dataset.Boxes) && feature&(dataset.Crowds|dataset.Difficult|dataset.Truncated|dataset.Occluded|dataset.Areas|dataset.OwnBoxes|dataset.Parts|dataset.Pixels|dataset.Polygons|dataset.Unlabelled) != 0 ||
				!f.Says.Has(dataset.Labels) && feature == dataset.ManyLabels ||
				!f.Says.Has(dataset.Polygons) && feature&(dataset.Parts|dataset.Pixels|dataset.OwnBoxes) != 0
			if lost == f.Says.Has(feature) && !moot {
				t.Errorf("%s: lost %t, says %t: %s (%v)", f.Name, lost, f.Says.Has(feature), feature, losses)
			}
		}
	}
}
