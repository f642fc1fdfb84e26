package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trilobite/onnx"
)

// TestExport writes an imported model in every form and reads the files again.
func TestExport(t *testing.T) {
	t.Parallel()
	home, set := t.TempDir(), flags(t)
	file := func(name string) string { return filepath.Join(home, name) }
	if err := os.WriteFile(file("labels.txt"), []byte("red\nblue\nyak\ngnu\nemu\nape\nelk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runIn(t, home, "models", "import", imports+"torch_old.onnx", "--name", "small", "--normalise", "imagenet", "--labels", file("labels.txt"))
	runIn(t, home, "models", "import", imports+"torch_old.onnx", "--name", "nameless")
	read := func(name string) *onnx.Graph {
		g, err := onnx.Load(file(name))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	runIn(t, home, "export", "small", "-o", file("plain.onnx"))
	if g := read("plain.onnx"); g.Meta["trilobite.task"] != "classify" || !strings.Contains(g.Meta["trilobite.preprocessing"], `"width":32`) {
		t.Errorf("metadata %v", g.Meta)
	}
	runIn(t, home, "export", "small", "-o", file("whole.onnx"), "--preprocessing")
	if g := read("whole.onnx"); g.Inputs[0].Name != "image" || g.Meta["trilobite.preprocessing"] != "inside" {
		t.Errorf("input %s, metadata %v", g.Inputs[0].Name, g.Meta)
	}
	if _, _, err := command(t, append([]string{"models", "import", file("whole.onnx"), "--name", "whole"}, here(t, home)...)...); err == nil || !strings.Contains(errorText(err), "has its preprocessing inside") {
		t.Errorf("preprocessing inside, imported: %v", err)
	}
	out := runIn(t, home, "export", "small", "-o", file("small.onnx"), "--int8", "--calibration", set)
	if !strings.Contains(out, "calibrated on\t15 pictures") || !strings.Contains(out, "on 6 pictures") || !strings.Contains(out, "times as fast") {
		t.Error(out)
	}
	if !strings.Contains(out, "classes the model does not know\tgreen\n") {
		t.Errorf("nothing is said of classes that cannot be measured:\n%s", out)
	}
	if _, _, err := command(t, append([]string{"export", "nameless", "-o", file("no.onnx"), "--int8", "--calibration", set}, here(t, home)...)...); err == nil ||
		!strings.Contains(errorText(err), "No class of the data set is one of the model's: it has blue, green, red, the model class 0, class 1,") {
		t.Errorf("a data set of other classes: %v", err)
	}
	if g := read("small.onnx"); !slices.ContainsFunc(g.Nodes, func(n *onnx.Node) bool { return n.Op == "QuantizeLinear" }) {
		t.Error("nothing is quantised")
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-o", file("a.pb")}, "ends in .onnx or .safetensors"},
		{[]string{"-o", file("a.onnx"), "--int8"}, "go together"},
		{[]string{"-o", file("a.safetensors"), "--preprocessing"}, "weights alone"},
		{[]string{"-o", file("a.safetensors")}, "was not made of a network that has PyTorch's names"},
	} {
		args := append([]string{"export", "small"}, append(tt.args, here(t, home)...)...)
		if _, _, err := command(t, args...); err == nil || !strings.Contains(errorText(err), tt.want) {
			t.Errorf("%v: got %v, want %q in it", tt.args, err, tt.want)
		}
	}
}
