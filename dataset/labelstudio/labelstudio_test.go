package labelstudio

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// brush is what golden/labelstudio_rle.py wrote.
func brush(t testing.TB) []struct {
	Name string
	W, H int
	Mask string
	RLE  []byte
} {
	t.Helper()
	data, err := os.ReadFile("testdata/brush.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name string
			W, H int
			Mask string
			RLE  []int
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	out := make([]struct {
		Name string
		W, H int
		Mask string
		RLE  []byte
	}, len(file.Cases))
	for i, c := range file.Cases {
		out[i].Name, out[i].W, out[i].H, out[i].Mask = c.Name, c.W, c.H, c.Mask
		for _, b := range c.RLE {
			out[i].RLE = append(out[i].RLE, byte(b))
		}
	}
	return out
}

func TestBrush(t *testing.T) {
	t.Parallel()
	for _, c := range brush(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeRLE(c.RLE, c.W, c.H)
			if err != nil {
				t.Fatal(err)
			}
			mask := make([]uint8, c.W*c.H)
			for i := range mask {
				mask[i] = c.Mask[i] - '0'
			}
			want := geom.EncodeRLE(mask, c.W, c.H)
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("decoded (-Label Studio +ours):\n%s", diff)
			}
			again, err := decodeRLE(encodeRLE(&want), c.W, c.H)
			if diff := cmp.Diff(&want, again); diff != "" || err != nil {
				t.Errorf("encoded and decoded, error %v (-want +got):\n%s", err, diff)
			}
			for n := range len(c.RLE) { // cut anywhere
				if _, err := decodeRLE(c.RLE[:n], c.W, c.H); err == nil && n < len(c.RLE)-1 {
					t.Fatalf("%d of %d bytes are a mask", n, len(c.RLE))
				}
			}
		})
	}
}

func resultOf(kind, value string) string {
	return `{"id": "r", "type": "` + kind + `", "original_width": 200, "original_height": 100, "value": ` + value + `}`
}

func taskOf(image string, results ...string) string {
	return `{"data": {"image": "` + image + `"}, "annotations": [{"result": [` + strings.Join(results, ",") + `]}]}`
}

func read(text string) (*dataset.Set, error) {
	return parse(strings.NewReader(text), "x.json", func(ref string) (string, error) { return ref, nil })
}

func TestParse(t *testing.T) {
	t.Parallel()
	square := []geom.Polygon{{{X: 20, Y: 10}, {X: 20, Y: 30}, {X: -20, Y: 30}, {X: -20, Y: 10}}}
	tests := []struct {
		name, task string
		want       dataset.Image // besides file and place
	}{
		{"a rectangle", taskOf("a.png", resultOf("rectanglelabels", `{"x": 10, "y": 20, "width": 50, "height": 30, "rectanglelabels": ["ant"]}`)),
			dataset.Image{W: 200, H: 100, Objects: []dataset.Object{{Box: geom.Rect{X: 20, Y: 20, W: 100, H: 30}, Area: 3000}}}},
		{"a shape and its labels apart", taskOf("a.png", resultOf("rectangle", `{"x": 10, "y": 20, "width": 50, "height": 30}`), resultOf("labels", `{"x": 10, "y": 20, "width": 50, "height": 30, "labels": ["ant"]}`)),
			dataset.Image{W: 200, H: 100, Objects: []dataset.Object{{Box: geom.Rect{X: 20, Y: 20, W: 100, H: 30}, Area: 3000}}}},
		{"turned about its corner", taskOf("a.png", resultOf("rectanglelabels", `{"x": 10, "y": 10, "width": 10, "height": 40, "rotation": 90, "rectanglelabels": ["ant"]}`)),
			dataset.Image{W: 200, H: 100, Objects: []dataset.Object{{Box: geom.Rect{X: 0, Y: 10, W: 20, H: 20}, Area: 800, Polygons: square}}}},
		{"a polygon", taskOf("a.png", resultOf("polygonlabels", `{"points": [[0, 0], [50, 0], [50, 100]], "polygonlabels": ["ant"]}`)),
			dataset.Image{W: 200, H: 100, Objects: []dataset.Object{{Box: geom.Rect{W: 100, H: 100}, Area: 5000, Polygons: []geom.Polygon{{{}, {X: 100}, {X: 100, Y: 100}}}}}}},
		{"a choice", taskOf("a.png", `{"type": "choices", "value": {"choices": ["ant"]}}`), dataset.Image{Classes: []int{0}}},
		{"a cancelled annotation", `{"data": {"picture": "a.png"}, "annotations": [{"was_cancelled": true, "result": [{"type": "choices", "value": {"choices": ["bee"]}}]}, {"result": [{"type": "choices", "value": {"choices": ["ant"]}}]}]}`, dataset.Image{Classes: []int{0}}},
		{"a split", `{"data": {"image": "a.png", "split": "Val"}, "annotations": []}`, dataset.Image{Split: "val"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := read("[" + tt.task + "]")
			if err != nil || len(s.Images) != 1 || len(s.Dropped) > 0 {
				t.Fatalf("%+v, error %v", s, err)
			}
			tt.want.File = "a.png"
			if diff := cmp.Diff(tt.want, s.Images[0], treetest.Unplaced(), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseDrops(t *testing.T) {
	t.Parallel()
	good := taskOf("b.png", `{"type": "choices", "value": {"choices": ["ant"]}}`)
	tests := []struct{ name, task, want string }{
		{"no picture", `{"data": {"text": "hello"}, "annotations": []}`, "x.json:1: its data names 0 pictures"},
		{"two pictures", `{"data": {"left": "a.png", "right": "b.png"}, "annotations": []}`, "x.json:1: its data names 2 pictures"},
		{"the picture of another task", good, `x.json:2: the picture b.png is that of the task on line 1`},
		{"another split", `{"data": {"image": "a.png", "split": "x"}, "annotations": []}`, `x.json:1: split "x"`},
		{"data of another form", `{"data": 5}`, "x.json:1: json: cannot unmarshal"},
		{"no size", taskOf("a.png", `{"type": "rectanglelabels", "value": {"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["a"]}}`), "original_width or original_height is missing"},
		{"no label", taskOf("a.png", resultOf("rectangle", `{"x": 1, "y": 1, "width": 5, "height": 5}`)), "region r: it has no label"},
		{"a point", taskOf("a.png", resultOf("keypointlabels", `{"x": 1, "y": 1, "width": 5, "labels": ["a"]}`)), `a "keypointlabels" encloses nothing`},
		{"two points", taskOf("a.png", resultOf("polygonlabels", `{"points": [[1, 1], [2, 2]], "polygonlabels": ["a"]}`)), "a polygon of 2 points"},
		{"a brush of another code", taskOf("a.png", resultOf("brushlabels", `{"format": "png", "rle": [1], "brushlabels": ["a"]}`)), `a brush in format "png"`},
		{"a brush of another size", taskOf("a.png", resultOf("brushlabels", `{"format": "rle", "rle": [0, 0, 0, 4, 57, 44, 240], "brushlabels": ["a"]}`)), "the mask has 4 values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := "[" + tt.task + ",\n" + good + "]"
			s, err := read(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := treetest.Dropped(s, "nowhere"); len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("dropped %q, want %q", got, tt.want)
			}
			if s.Images[len(s.Images)-1].File != "b.png" {
				t.Error("the good task is not there")
			}
		})
	}
	if _, err := read(`[{"data": `); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("cut short: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[" + taskOf("a.png", resultOf("rectanglelabels", `{"x": 10, "y": 20, "width": 50, "height": 30, "rotation": 5, "rectanglelabels": ["ant"]}`)) + "]")
	f.Add("[" + taskOf("a.png", resultOf("brushlabels", `{"format": "rle", "rle": [0, 1, 56, 128, 57, 44, 240], "brushlabels": ["a"]}`)) + "]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := read(text)
		if err == nil {
			treetest.CheckSet(t, s)
		}
	})
}
