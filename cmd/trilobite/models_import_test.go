package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportHostile: files that would harm are refused, with what is wrong with them.
func TestImportHostile(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, want string }{
		{"cycle", `Add "first": input 1, "b", is not computed before it is used: the nodes are out of order or form a cycle`},
		{"huge", `"w": 4 bytes, but float32[524288 524288] has 1099511627776`},
		{"huge_made", `ConstantOfShape "make" computes a tensor of [1,3,65536,65536]`},
		{"outside", `location "../../secret.bin" is not a file below the model's folder`},
		{"absolute", `location "/etc/hostname" is not a file below the model's folder`},
		{"custom", "com.example:Sharpen"},
		{"half", "not an ONNX model"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			_, _, err := command(t, "models", "import", "testdata/hostile/"+tt.name+".onnx", "--name", "bad", "--home", home, "--packages", "../../.deps")
			if err == nil || !strings.Contains(errorText(err), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(home, "models", "bad", "1")); err == nil {
				t.Error("the model is installed")
			}
		})
	}
}

// TestImportSays: what is found out about a file is said, to people and programs, and flags
// that do not fit are refused.
func TestImportSays(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	run := func(args ...string) (string, error) {
		out, _, err := command(t, append([]string{"models", "import", "--home", home, "--packages", "../../.deps"}, args...)...)
		return out, err
	}
	const keras = "../../zoo/testdata/imported/keras_segment.onnx"
	out, err := run(keras, "--name", "road", "--normalise", "caffe")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"images 32×24, channels last, turned to channels first, any number at once", "scores of each pixel", "task\tsegment", "classes\t5", "(BGR − [123.68 116.779 103.939]) / [1]", "model\troad@1"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if out, err = run(keras, "--name", "road", "--json"); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	if err := json.Unmarshal([]byte(out), &said); err != nil || said["model"] != "road@2" {
		t.Errorf("got %s, %v", out, err)
	}
	labels := filepath.Join(home, "labels.txt")
	if err := os.WriteFile(labels, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{keras, "--task", "classify"}, "Task classify reads float32 [N,C]"},
		{[]string{keras, "--labels", labels}, "2 classes, and the model answers with 5"},
		{[]string{keras, "--layout", "chwn"}, "nchw or nhwc"},
		{[]string{keras, "--normalise", "vgg"}, "caffe, imagenet"},
		{[]string{keras, "--normalise", "tf", "--mean", "1"}, "without --mean"},
		{[]string{keras, "--network", "resnet50"}, "state dict"},
		{[]string{keras, "--size", "0x4"}, "WIDTHxHEIGHT"},
		{[]string{keras, "--decoder", "softmax"}, "decoder"},
	} {
		if _, err := run(append(tt.args, "--name", "other")...); err == nil || !strings.Contains(errorText(err), tt.want) {
			t.Errorf("%v: got %v, want %q in it", tt.args, err, tt.want)
		}
	}
}
