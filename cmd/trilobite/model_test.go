package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
