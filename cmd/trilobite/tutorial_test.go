package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trilobite/imageio"
)

// TestSegmentationTutorial runs the commands of docs/tutorial-segmentation.md, in their
// order, on photos of green leaves on grey ground.
func TestSegmentationTutorial(t *testing.T) {
	text, err := os.ReadFile("../../docs/tutorial-segmentation.md")
	if err != nil {
		t.Fatal(err)
	}
	packages, err := filepath.Abs("../../.deps")
	if err != nil {
		t.Fatal(err)
	}
	library, err := filepath.Glob(filepath.Join(packages, "ort", "lib", "libonnxruntime.*"))
	if err != nil || len(library) == 0 {
		t.Fatalf("no ONNX Runtime in %s: run `make deps`", packages)
	}
	t.Setenv("TRILOBITE_ORT_LIBRARY", library[0])
	table := regexp.MustCompile("(?s)```text\n(.*?)```").FindSubmatch(text)[1]
	home := t.TempDir()
	t.Chdir(t.TempDir())
	leaves(t, string(table))
	said := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^\$ trilobite (.*)$`).FindAllStringSubmatch(string(text), -1) {
		args := strings.Fields(line[1])
		cmd := newRootCmd()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(append(args, "--home", home, "--packages", packages))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%s: %v\n%s", line[0], errorText(err), out.String())
		}
		said[args[0]] = out.String()
	}
	for command, want := range map[string]string{
		"dataset": "leaf", "train": "11.png", "eval": "class leaf", "segment": "leaf", "runs": "report",
	} {
		if !strings.Contains(said[command], want) {
			t.Errorf("%s does not say %q:\n%s", command, want, said[command])
		}
	}
	iou := regexp.MustCompile(`class leaf.*IoU ([0-9.]+)`).FindStringSubmatch(said["eval"])
	if iou == nil || iou[1] < "0.85" {
		t.Errorf("IoU of leaves %v, want 0.85 or more", iou)
	}
	for _, file := range []string{"masks/00.png", "overlays/00.png"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	report := regexp.MustCompile(`report\t(.*)`).FindStringSubmatch(said["train"])
	if report == nil {
		t.Fatalf("no report:\n%s", said["train"])
	}
	page, err := os.ReadFile(report[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mIoU", "leaf", "data:image/jpeg", "11.png"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the report has no %q", want)
		}
	}
	servedAsTrained(t, home, "leaves", "leaves/images")
}

// leaves writes 16 photos with an ellipse each, and their masks; number 11's mask is of
// another size.
func leaves(t *testing.T, table string) {
	t.Helper()
	for _, dir := range []string{"leaves/images", "leaves/masks"} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	write := func(path string, data []byte, err error) {
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("leaves/classes.txt", []byte(table), nil)
	const w, h = 160, 120
	for i := range 16 {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		photo, mask := imageio.New(w, h), image.NewGray(image.Rect(0, 0, w, h))
		cx, cy, a, b := 40+80*r.Float64(), 35+50*r.Float64(), 20+18*r.Float64(), 14+16*r.Float64()
		for p := range w * h {
			x, y := (float64(p%w)-cx)/a, (float64(p/w)-cy)/b
			color := [3]int{120, 115, 110}
			if d := x*x + y*y; d < 1 {
				color, mask.Pix[p] = [3]int{50, 130, 40}, 1
			} else if d < 1.1 {
				mask.Pix[p] = 255
			}
			noise := r.IntN(40)
			for c, v := range color {
				photo.Pix[3*p+c] = uint8(v + noise)
			}
		}
		if i == 11 {
			mask = image.NewGray(image.Rect(0, 0, 80, 60))
		}
		data, err := photo.EncodeJPEG(90)
		write(fmt.Sprintf("leaves/images/%02d.jpg", i), data, err)
		var encoded bytes.Buffer
		err = png.Encode(&encoded, mask)
		write(fmt.Sprintf("leaves/masks/%02d.png", i), encoded.Bytes(), err)
	}
}
