package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// imports are files of golden/imported.py.
const imports = "../../zoo/testdata/imported/"

// TestTrainImportedClassifier trains a new head on an imported model, and the whole of it.
func TestTrainImportedClassifier(t *testing.T) {
	t.Parallel()
	home, set := t.TempDir(), flags(t)
	runIn(t, home, "models", "import", imports+"torch_new.onnx", "--name", "small", "--normalise", "imagenet")
	tests := []struct {
		name string
		args []string
	}{
		{"head", []string{"--backbone", "small"}},
		{"whole", []string{"--from", "small", "--unfreeze", ".", "--epochs", "3"}},
		{"again", []string{"--from", "head"}},
	}
	for _, tt := range tests {
		out := runIn(t, home, append([]string{"train", set, "--name", tt.name}, tt.args...)...)
		if !strings.Contains(out, "measured on\t6 pictures of the test part") {
			t.Errorf("%s: %s", tt.name, out)
		}
	}
	if out := runIn(t, home, "label", "--model", "again", filepath.Join(set, "test", "red", "0.png")); !strings.Contains(out, "Red") {
		t.Errorf("the red picture is\n%s", out)
	}
	file := filepath.Join(home, "model.yaml")
	runIn(t, home, "model", "init", "classifier", "--backbone", "small", "-o", file)
	if out := runIn(t, home, "train", set, "--name", "filed", "--model", file, "--epochs", "2"); !strings.Contains(out, "model\tfiled@1") {
		t.Error(out)
	}
}

// TestTrainImportedSegmenter trains imported models of other frameworks on pixels: whole,
// with a last layer of another number of classes, and as a backbone tapped by the names of
// a node and of a tensor, in a model file.
func TestTrainImportedSegmenter(t *testing.T) {
	t.Parallel()
	home, root := t.TempDir(), t.TempDir()
	tileMasks(t, root, tiles(t, filepath.Join(root, "images"), 10, 7))
	runIn(t, home, "models", "import", imports+"keras_segment.onnx", "--name", "keras", "--taps", "/Relu,/LeakyRelu_output_0")
	out := runIn(t, home, "train", root, "--name", "whole", "--from", "keras", "--unfreeze", ".", "--epochs", "8")
	if !strings.Contains(out, "model\twhole@1") {
		t.Error(out)
	}
	masks := t.TempDir()
	runIn(t, home, "segment", filepath.Join(root, "images"), "--model", "whole", "--masks", masks)
	if made, err := os.ReadDir(masks); err != nil || len(made) != 10 {
		t.Errorf("%d masks, %v", len(made), err)
	}
	if listed := runIn(t, home, "models", "show", "keras", "--taps"); !strings.Contains(listed, "/LeakyRelu") {
		t.Error(listed)
	}
	for _, network := range []string{"deeplabv3plus", "unet"} {
		file := filepath.Join(home, network+".yaml")
		runIn(t, home, "model", "init", network, "--backbone", "keras", "-o", file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		put(t, file, strings.NewReplacer("width: 384", "width: 96", "height: 288", "height: 64", "decoder: [128, 64, 48]", "decoder: [16]").Replace(string(text)))
		if out := runIn(t, home, "model", "describe", file, "--classes", "2"); !strings.Contains(out, "parameters") {
			t.Error(out)
		}
		if out := runIn(t, home, "train", root, "--name", network, "--model", file, "--epochs", "2"); !strings.Contains(out, "model\t"+network+"@1") {
			t.Error(out)
		}
	}
}

// TestImportedBackbonesOfFiles: an .onnx file beside the model file is a backbone too, and
// what is wrong with a backbone is said with its line and what is near.
func TestImportedBackbonesOfFiles(t *testing.T) {
	t.Parallel()
	home, dir := t.TempDir(), t.TempDir()
	data, err := os.ReadFile(imports + "torch_new.onnx")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "net.onnx"), string(data))
	runIn(t, home, "model", "init", "detector", "-o", filepath.Join(dir, "d.yaml"))
	text, err := os.ReadFile(filepath.Join(dir, "d.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	good := strings.NewReplacer("name: efficientnet_lite0", "name: net.onnx", "  weights: efficientnet-lite0 ", "  taps: [n0, relu] ").Replace(string(text))
	for _, tt := range []struct{ name, old, new, want string }{
		{"detector", "", "", "ok"},
		{"no such tap", "relu]", "rellu]", `d.yaml:11: backbone.taps[1]: there is no tap "rellu": the nearest of`},
		{"no such model", "net.onnx", "nett", `d.yaml:10: backbone.name: "nett" is unknown`},
		{"no such file", "net.onnx", "none.onnx", `d.yaml:10: backbone.name: "none.onnx" is unknown`},
		{"weights of its own", "freeze: true", "weights: efficientnet-lite0", `has its own weights`},
	} {
		put(t, filepath.Join(dir, "d.yaml"), strings.Replace(good, tt.old, tt.new, 1))
		out, _, err := command(t, append([]string{"model", "check", filepath.Join(dir, "d.yaml")}, here(t, home)...)...)
		if err != nil {
			out = errorText(err)
		}
		if !strings.Contains(out, tt.want) {
			t.Errorf("%s: got %s, want %q", tt.name, out, tt.want)
		}
	}
	put(t, filepath.Join(dir, "d.yaml"), strings.NewReplacer("width: 384", "width: 96", "height: 288", "height: 64").Replace(good))
	set := filepath.Join(dir, "boxes")
	all := tiles(t, set, 6, 9)
	put(t, filepath.Join(set, "coco.json"), tileCOCO(all))
	if out := runIn(t, home, "train", filepath.Join(set, "coco.json"), "--task", "detect", "--name", "boxes", "--model", filepath.Join(dir, "d.yaml"), "--epochs", "2"); !strings.Contains(out, "model\tboxes@1") {
		t.Error(out)
	}
}
