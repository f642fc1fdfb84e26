package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/imageio"
	"trilobite/runs"
)

// flags writes pictures of one colour and some noise each, below train/ and test/.
func flags(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for c, class := range []string{"blue", "green", "red"} {
		for split, n := range map[string]int{"train": 5, "test": 2} {
			dir := filepath.Join(root, split, class)
			if err := os.MkdirAll(dir, 0o750); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				img := imageio.New(64, 48)
				for p := range img.Pix {
					img.Pix[p] = uint8(20*i + p%11)
					if p%3 == 2-c {
						img.Pix[p] += 130
					}
				}
				data, err := img.EncodePNG()
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.png", i)), data, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, "train", "red", "broken.png"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

// here are the flags that keep a command to a home and the packages of this checkout.
func here(t *testing.T, home string) []string {
	t.Helper()
	packages, err := filepath.Abs("../../.deps")
	if err != nil {
		t.Fatal(err)
	}
	library, err := filepath.Glob(filepath.Join(packages, "ort", "lib", "libonnxruntime.*"))
	if err != nil || len(library) == 0 {
		t.Fatalf("no ONNX Runtime in %s: run `make deps`", packages)
	}
	return []string{"--home", home, "--packages", packages, "--ort-library", library[0]}
}

// runIn runs a command of trilobite's and returns what it says.
func runIn(t *testing.T, home string, args ...string) string {
	t.Helper()
	cmd := newRootCmd()
	cmd.SetArgs(append(args, here(t, home)...))
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), errorText(err), out.String())
	}
	return out.String()
}

// TestTrainEndToEnd goes from pictures to a model that names another picture, by the
// usual recipe and by a model file, and reads the run that stays.
func TestTrainEndToEnd(t *testing.T) {
	t.Parallel()
	root, home := flags(t), t.TempDir()
	file := filepath.Join(home, "model.yaml")
	runIn(t, home, "model", "init", "classifier", "-o", file)
	for name, more := range map[string][]string{"usual": nil, "by-file": {"--model", file, "--epochs", "12"}} {
		said := runIn(t, home, append([]string{"train", root, "--name", name}, more...)...)
		for _, want := range []string{"left out: ", "broken.png", "measured on\t6 pictures of the test part", "accuracy\t1.0000"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, said)
			}
		}
		answer := runIn(t, home, "label", "--model", name, "--json", filepath.Join(root, "test", "green", "1.png"))
		if before, _, ok := strings.Cut(answer, "green"); !ok || strings.Contains(before, "red") || strings.Contains(before, "blue") {
			t.Errorf("%s sees in green:\n%s", name, answer)
		}
	}
	run, err := runs.NewStore(home).Get("usual")
	if err != nil {
		t.Fatal(err)
	}
	if run.State != runs.Done || run.Model != "usual@1" || run.Dataset.Train != 15+1 || run.Dataset.Validation != 0 || len(run.Dataset.Dropped) != 1 {
		t.Errorf("the run says %+v", run)
	}
	e, err := runs.NewStore(home).Evaluation(run.ID)
	if err != nil || e == nil || e.Images != 6 {
		t.Errorf("its evaluation is %+v, %v; want one of the 6 test pictures", e, err)
	}
	if run, err = runs.NewStore(home).Get("by-file"); err != nil || run.Dataset.Validation != 3 {
		t.Errorf("with a model file %d pictures validate, want 3: %v", run.Dataset.Validation, err)
	}
	var kept struct{ Model struct{ Network string } }
	if err := json.Unmarshal(run.Recipe, &kept); err != nil || kept.Model.Network != "classifier" {
		t.Errorf("the run does not keep its model file: %s", run.Recipe)
	}
}
