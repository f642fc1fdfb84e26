package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/modelfile"
)

func TestModelCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("classes.txt"), []byte("0 sky\n1 road\n2 Unlabelled\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := command(t, "model", "init", "deeplabv3plus", "--classes", in("classes.txt"), "-o", in("m.yaml")); err != nil || !strings.Contains(out, "written") {
		t.Fatalf("init: %v\n%s", err, out)
	}
	if _, _, err := command(t, "model", "init", "unet", "-o", in("m.yaml")); err == nil {
		t.Error("init overwrote a file")
	}
	if out, _, err := command(t, "model", "check", in("m.yaml")); err != nil || !strings.Contains(out, "ok") {
		t.Errorf("check: %v\n%s", err, out)
	}
	out, _, err := command(t, "model", "describe", in("m.yaml"), "--svg", in("m.svg"))
	if err != nil || !strings.Contains(out, "head.aspp.1") || !strings.Contains(out, "output N×2×288×384") || !strings.Contains(out, "multiply-adds") {
		t.Errorf("describe: %v\n%s", err, out)
	}
	if svg, err := os.ReadFile(in("m.svg")); err != nil || !strings.Contains(string(svg), "head.classify") {
		t.Errorf("svg: %v, %d bytes", err, len(svg))
	}
	if out, _, err := command(t, "model", "schema"); err != nil || !strings.Contains(out, `"$schema"`) {
		t.Errorf("schema: %v\n%s", err, out)
	}
	if err := os.WriteFile(in("bad.yaml"), []byte("task: segment\nnetwork: unett\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := command(t, "model", "check", in("bad.yaml")); err == nil || !strings.Contains(err.Error(), `bad.yaml:2: network: "unett" is unknown; did you mean "unet"?`) {
		t.Errorf("check of a bad file: %v", err)
	}
}

// TestModelCheck: what only the network, the disk and the machine tell is said with its line.
func TestModelCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := modelfile.Init("unet", "", []string{"sky", "road"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.safetensors"), []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, old, new, want string }{
		{"a tap that does not exist", "stride4, stride8", "stride3, stride8", `:13: backbone.taps[0]: there is no tap "stride3"`},
		{"a misspelt tensor", "stride4, stride8", "_blocks.2.projekt, stride8", `:13: backbone.taps[0]: there is no tap "_blocks.2.projekt": the nearest of 148 are _blocks.2,`},
		{"a model that is not there", "weights: efficientnet-lite0", "weights: efficientnet-lite9", `:11: backbone.weights: there is no model "efficientnet-lite9"`},
		{"weights of another backbone", "weights: efficientnet-lite0", "weights: efficientnet-lite1", ":11: backbone.weights: efficientnet-lite1 has weights of efficientnet_lite1"},
		{"a file that is not there", "weights: efficientnet-lite0", "weights: mine.pth", ":11: backbone.weights: "},
		{"weights that do not fit", "weights: efficientnet-lite0", "weights: other.safetensors", ":11: backbone.weights: other.safetensors: state dict does not fit"},
		{"a batch larger than memory", "batch: 4", "batch: 4096", ": training.batch: 4096 pictures of 384×288 need "},
		{"levels that do not fit the taps", "decoder: [128, 64, 48]", "decoder: [128, 64, 48, 32, 16]", ":6: network: unet with 5 levels of a decoder on 4 strides"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(string(text), tt.old) {
				t.Fatalf("%q is not in the file", tt.old)
			}
			path := filepath.Join(dir, strings.ReplaceAll(tt.name, " ", "-")+".yaml")
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), tt.old, tt.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := command(t, "model", "check", path); err == nil || !strings.HasPrefix(err.Error(), path+":") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
