package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/imageio"
	"trilobite/modelfile"
)

// TestTrainRefusals: what cannot be trained is said before anything is computed.
func TestTrainRefusals(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	picture, err := imageio.New(8, 8).EncodePNG()
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string][]string{"one": {"a/1.png"}, "two": {"a/1.png", "b/2.png"}, "empty": {"a/1.png", "b/x.txt"}}
	for set, files := range sets {
		for _, f := range files {
			path := filepath.Join(root, set, f)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, picture, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name, set string
		args      []string
		want      string
	}{
		{"one class", "one", nil, "at least two"},
		{"an empty class", "empty", nil, `"b"`},
		{"no folder", "none", nil, "no such file"},
		{"a name that is none", "two", []string{"--name", "My Model"}, "lower-case"},
		{"a name that is taken", "two", []string{"--name", "coco-ssd"}, "choose another"},
		{"an unknown backbone", "two", []string{"--backbone", "efficientnet-lite"}, "Did you mean efficientnet-lite0"},
		{"nothing to resume", "two", []string{"--resume"}, "no training called"},
		{"negative epochs", "two", []string{"--epochs", "-1"}, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := newRootCmd()
			cmd.SetArgs(append([]string{"train", filepath.Join(root, tt.set), "--name", "test", "--home", t.TempDir(), "--packages", "../../.deps"}, tt.args...))
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(errorText(err), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestTrainModelFiles: what of a model file cannot be trained is said with its field.
func TestTrainModelFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	detector, err := modelfile.Init("detector", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	unet, err := modelfile.Init("unet", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	good := write("detector.yaml", string(detector))
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no file", []string{"--model", filepath.Join(dir, "none.yaml")}, "no such file"},
		{"another task", []string{"--model", good, "--task", "classify"}, "task"},
		{"a network beside the file's", []string{"--model", write("unet.yaml", string(unet)), "--network", "fpn"}, "--network"},
		{"balance in a focal loss", []string{"--model", write("w.yaml", string(detector)+"  balance: sqrt\n")}, "training.balance"},
		{"a field that is none", []string{"--model", write("x.yaml", string(detector)+"colour: red\n")}, "colour"},
		{"no data set", []string{"--model", good}, "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"train", filepath.Join(dir, "none"), "--name", "test", "--home", t.TempDir(), "--packages", "../../.deps"}, tt.args...)
			if _, _, err := command(t, args...); err == nil || !strings.Contains(errorText(err), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
