package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/imageio"
)

// halves writes pictures whose left and right half are red, blue or grey, and a list of the
// colours in each: none, one or both; the last six of them for the test.
func halves(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "images"), 0o750); err != nil {
		t.Fatal(err)
	}
	list := "file,label,split\n"
	for i := range 24 {
		colours := [][]string{{"red", "blue"}, {"red", ""}, {"", "blue"}, {"", ""}}[i%4]
		img := imageio.New(64, 48)
		for p := range img.Pix {
			img.Pix[p] = uint8(70 + 2*i + p%11)
			half := colours[p/3%64/32]
			if half == "red" && p%3 == 0 || half == "blue" && p%3 == 2 {
				img.Pix[p] += 120
			}
		}
		data, err := img.EncodePNG()
		if err == nil {
			err = os.WriteFile(filepath.Join(root, "images", fmt.Sprintf("%d.png", i)), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		split := map[bool]string{true: "test", false: "train"}[i >= 18]
		for _, c := range colours {
			if c != "" || i%4 == 3 { // a line without class: it shows none
				list += fmt.Sprintf("%d.png,%s,%s\n", i, c, split)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, "labels.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestTrainSeveral: of pictures that bear several labels, each is learned and answered on
// its own, and measured alike by train and eval.
func TestTrainSeveral(t *testing.T) {
	t.Parallel()
	root, home := halves(t), t.TempDir()
	said := runIn(t, home, "train", root, "--name", "colours")
	for _, want := range []string{"measured on\t6 pictures of the test part", "mAP\t1.0000", "mean F1\t1.0000"} {
		if !strings.Contains(said, want) {
			t.Errorf("train does not say %q:\n%s", want, said)
		}
	}
	measured := runIn(t, home, "eval", "colours", root)
	for _, want := range []string{"labelled images\t6", "mAP\t1.0000", "mean F1\t1.0000", "label blue\timages 3\tAP 1.0000", "label red\timages 2\tAP 1.0000"} {
		if !strings.Contains(measured, want) {
			t.Errorf("eval does not say %q:\n%s", want, measured)
		}
	}
	var both struct {
		Labels []struct {
			Name  string
			Score float64
		}
	}
	answer := runIn(t, home, "label", "--model", "colours", "--json", filepath.Join(root, "images", "20.png"))
	if err := json.Unmarshal([]byte(answer), &both); err != nil {
		t.Fatalf("%v:\n%s", err, answer)
	}
	if len(both.Labels) != 2 || both.Labels[1].Score < 0.5 {
		t.Errorf("of red and blue, label sees: %s", answer)
	}
	if answer = runIn(t, home, "label", "--model", "colours", "--min-confidence", "0.5", "--json", filepath.Join(root, "images", "19.png")); strings.Contains(answer, `"score"`) {
		t.Errorf("of a grey picture, label sees: %s", answer)
	}
}

// TestTrainSeveralRefusals: what several labels cannot be trained with is said.
func TestTrainSeveralRefusals(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := filepath.Join(home, "model.yaml")
	runIn(t, home, "model", "init", "classifier", "-o", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	weighed := strings.Replace(string(text), "balance: none", "balance: sqrt", 1)
	if err := os.WriteFile(file, []byte(weighed), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"train", halves(t), "--name", "colours", "--model", file}, here(t, home)...)
	if _, _, err := command(t, args...); err == nil || !strings.Contains(errorText(err), "training.balance is sqrt") {
		t.Errorf("weighed classes: %v, want training.balance in it", err)
	}
}
