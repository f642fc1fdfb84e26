package main

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite"
	"trilobite/imageio"
	"trilobite/runs"
)

// tile is a picture with one bright rectangle; its corners are pixels.
type tile struct {
	name           string
	x0, y0, x1, y1 int
}

const tileW, tileH = 96, 64

// tiles writes n pictures into a folder.
func tiles(t *testing.T, folder string, n int, seed uint64) []tile {
	t.Helper()
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	var all []tile
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		w, h := 32+8*r.IntN(4), 24+8*r.IntN(3)
		at := tile{name: fmt.Sprintf("%d-%02d.png", seed, i), x0: r.IntN(tileW - w), y0: r.IntN(tileH - h)}
		at.x1, at.y1 = at.x0+w, at.y0+h
		img := imageio.New(tileW, tileH)
		for p := range tileW * tileH {
			x, y := p%tileW, p/tileW
			for c := range 3 {
				img.Pix[3*p+c] = uint8(r.IntN(60))
				if c == 1 && x >= at.x0 && x < at.x1 && y >= at.y0 && y < at.y1 {
					img.Pix[3*p+c] += 190
				}
			}
		}
		data, err := img.EncodePNG()
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, at.name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, at)
	}
	return all
}

// tileMasks writes the masks of tiles beside their pictures.
func tileMasks(t *testing.T, root string, all []tile) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "masks"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, at := range all {
		m := image.NewGray(image.Rect(0, 0, tileW, tileH))
		for y := at.y0; y < at.y1; y++ {
			for x := at.x0; x < at.x1; x++ {
				m.Pix[y*tileW+x] = 1
			}
		}
		var b strings.Builder
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(root, "masks", at.name), b.String())
	}
	put(t, filepath.Join(root, "classes.txt"), "0 background\n1 tile\n")
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// polygon writes a tile's corners, x and y in turn.
func (a tile) polygon(pattern string) string {
	var corners []string
	for _, p := range [][2]int{{a.x0, a.y0}, {a.x1, a.y0}, {a.x1, a.y1}, {a.x0, a.y1}} {
		corners = append(corners, fmt.Sprintf(pattern, p[0], p[1]))
	}
	return strings.Join(corners, ", ")
}

func tileCOCO(all []tile) string {
	var images, objects []string
	for i, at := range all {
		images = append(images, fmt.Sprintf(`{"id": %d, "file_name": %q, "width": %d, "height": %d}`, i, at.name, tileW, tileH))
		objects = append(objects, fmt.Sprintf(`{"id": %d, "image_id": %d, "category_id": 3, "bbox": [%d, %d, %d, %d], "segmentation": [[%s]]}`,
			i, i, at.x0, at.y0, at.x1-at.x0, at.y1-at.y0, at.polygon("%d, %d")))
	}
	return fmt.Sprintf(`{"images": [%s], "annotations": [%s], "categories": [{"id": 3, "name": "tile"}]}`, strings.Join(images, ","), strings.Join(objects, ","))
}

func tileVIA(all []tile) string {
	var entries []string
	for _, at := range all {
		entries = append(entries, fmt.Sprintf(`%q: {"filename": %q, "size": 1, "file_attributes": {}, "regions": [{"region_attributes": {"kind": "tile"},
			"shape_attributes": {"name": "polygon", "all_points_x": [%d, %d, %d, %d], "all_points_y": [%d, %d, %d, %d]}}]}`,
			at.name, at.name, at.x0, at.x1, at.x1, at.x0, at.y0, at.y0, at.y1, at.y1))
	}
	return "{" + strings.Join(entries, ",") + "}"
}

// tileLabelme writes labelme's file beside each picture.
func tileLabelme(t *testing.T, folder string, all []tile) {
	t.Helper()
	for _, at := range all {
		put(t, filepath.Join(folder, strings.TrimSuffix(at.name, ".png")+".json"), fmt.Sprintf(
			`{"version": "5.4.1", "flags": {}, "imagePath": %q, "imageHeight": %d, "imageWidth": %d, "imageData": null, "shapes": [{"label": "tile", "shape_type": "polygon", "points": [%s]}]}`,
			at.name, tileH, tileW, at.polygon("[%d, %d]")))
	}
}

// modelFile is `trilobite model init`'s for a network, for pictures of 96×64.
func modelFile(t *testing.T, home, network string) string {
	t.Helper()
	path := filepath.Join(home, network+".yaml")
	runIn(t, home, "model", "init", network, "-o", path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, strings.NewReplacer("width: 384", "width: 96", "height: 288", "height: 64").Replace(string(text)))
	return path
}

// TestTrainSegmentation trains by the files that `model init` writes, on every kind of
// outline and mask, and segments and measures with what comes out.
func TestTrainSegmentation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		format, network string
		lay             func(root string, all []tile) (dataset string)
	}{
		{"masks", "deeplabv3plus", func(root string, all []tile) string { tileMasks(t, root, all); return root }},
		{"coco", "unet", func(root string, all []tile) string {
			put(t, filepath.Join(root, "instances.json"), tileCOCO(all))
			return filepath.Join(root, "instances.json")
		}},
		{"via", "deeplabv3plus", func(root string, all []tile) string {
			put(t, filepath.Join(root, "via.json"), tileVIA(all))
			return filepath.Join(root, "via.json")
		}},
		{"labelme", "unet", func(root string, all []tile) string {
			tileLabelme(t, filepath.Join(root, "images"), all)
			return root
		}},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			t.Parallel()
			root, home := t.TempDir(), t.TempDir()
			data := tt.lay(root, tiles(t, filepath.Join(root, "images"), 10, 1))
			file := modelFile(t, home, tt.network)
			if tt.format == "masks" { // pictures, masks and answers go through steps that move every pixel
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				steps := fmt.Sprintf("preprocessing:\n  steps:\n    - crop: {box: [3, 2, %d, %d]}\n    - orient: {turn: 90, flip: vertical}\n    - contrast: 1.1\n", tileW, tileH-1)
				put(t, file, strings.Replace(string(text), "preprocessing:\n", steps, 1))
			}
			said := runIn(t, home, "train", data, "--task", "segment", "--name", "tiles", "--model", file, "--epochs", "10")
			if !strings.Contains(said, "measured on\t2 pictures of the held-out part") {
				t.Errorf("train says\n%s", said)
			}
			var seen struct {
				Segmentation struct{ Classes []struct{ IoU float64 } }
			}
			if err := json.Unmarshal([]byte(runIn(t, home, "eval", "tiles", data, "--json")), &seen); err != nil {
				t.Fatal(err)
			}
			if c := seen.Segmentation.Classes; len(c) != 2 || c[1].IoU < 0.7 {
				t.Errorf("measured %+v, want two classes and an IoU of 0.7 for tiles", c)
			}
			if tt.format == "masks" {
				servedAsTrained(t, home, "tiles", filepath.Join(root, "images"))
			}
			run, err := runs.NewStore(home).Get("tiles")
			if err != nil || run.Epoch != 10 || run.Epochs != 10 || strings.Join(run.Dataset.Classes, " ") != "background tile" {
				t.Errorf("the run is %+v, %v; want 10 epochs of 10", run, err)
			}
		})
	}
}

// TestTrainValidatesOn: --val names another data set, and a run that was stopped goes on
// to the same model as one that was not.
func TestTrainValidatesOn(t *testing.T) {
	t.Parallel()
	root, home := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(root, name) }
	tileMasks(t, in("a"), tiles(t, in("a/images"), 8, 1))
	tileMasks(t, in("b"), tiles(t, in("b/images"), 3, 2))
	args := []string{"train", in("a"), "--val", in("b"), "--model", modelFile(t, home, "deeplabv3plus"), "--epochs", "3", "--seed", "4"}
	if said := runIn(t, home, append(args, "--name", "whole")...); !strings.Contains(said, "measured on\t3 pictures of the validation part") {
		t.Errorf("train says\n%s", said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := runUntil(ctx, t, home, `"kind":"checkpoint"`, cancel, append(args, "--name", "halves", "--json")...); trilobite.CodeOf(err) != trilobite.Canceled {
		t.Fatalf("the training that was stopped: %v", err)
	}
	runIn(t, home, "train", in("a"), "--name", "halves", "--resume")
	graph := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(home, "models", name, "1", "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if string(graph("whole")) != string(graph("halves")) {
		t.Error("the training that was stopped and resumed came to another model")
	}
	put(t, in("b/classes.txt"), "0 background\n1 brick\n")
	if err := runUntil(t.Context(), t, home, "", nil, append(args, "--name", "other")...); err == nil || !strings.Contains(errorText(err), "brick") {
		t.Errorf("validation by other classes: %v", err)
	}
}

// watched calls stop when it has been written a text.
type watched struct {
	text string
	stop func()
}

func (w watched) Write(p []byte) (int, error) {
	if w.text != "" && strings.Contains(string(p), w.text) {
		w.stop()
	}
	return len(p), nil
}

// runUntil runs a command that is stopped when it prints a text.
func runUntil(ctx context.Context, t *testing.T, home, text string, stop func(), args ...string) error {
	t.Helper()
	cmd := newRootCmd()
	cmd.SetArgs(append(args, here(t, home)...))
	cmd.SetOut(watched{text, stop})
	cmd.SetErr(watched{})
	return cmd.ExecuteContext(ctx)
}
