package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/dataset/catalog"
)

// flowers is a folder of 20 pictures, noise of their own, of two classes; the last is a
// copy of the first.
func flowers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 20 {
		m := image.NewGray(image.Rect(0, 0, 64, 48))
		seed := uint32(i + 1)
		if i == 19 {
			seed = 2 // as the second, of the same class
		}
		var cells [48]uint8
		for k := range cells {
			seed = seed*1664525 + 1013904223
			cells[k] = uint8(seed >> 24)
		}
		for p := range m.Pix {
			m.Pix[p] = cells[p/64/8*8+p%64/8]
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, []string{"aster", "rose"}[i%2], fmt.Sprintf("p%d_%d.png", i/4, i))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// datasetRun runs a dataset command in a home and returns what it prints.
func datasetRun(t *testing.T, home string, args ...string) (string, error) {
	t.Helper()
	root := newRootCmd()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append([]string{"--home", home, "dataset"}, args...))
	err := root.ExecuteContext(context.Background())
	return out.String(), err
}

func datasetMust(t *testing.T, home string, args ...string) string {
	t.Helper()
	out, err := datasetRun(t, home, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

// TestDatasetLife goes from a folder through the catalog to another format and away again.
func TestDatasetLife(t *testing.T) {
	t.Parallel()
	home, dir := t.TempDir(), flowers(t)
	if out := datasetMust(t, home, "import", dir, "--name", "flowers"); !strings.HasPrefix(out, "flowers@1: 20 pictures, 2 classes, read as folders; 19 new files") {
		t.Errorf("import printed %q", out)
	}
	if out := datasetMust(t, home, "import", dir, "--name", "flowers"); !strings.HasPrefix(out, "flowers@1 is the same already") {
		t.Errorf("the second import printed %q", out)
	}
	if out := datasetMust(t, home, "split", "flowers", "--val", "0.2", "--test", "0.2", "--group", "^(p[0-9]+)_"); !strings.HasPrefix(out, "flowers@2: 20 pictures: train 12, val 4, test 4; 1 near-duplicates") && !strings.HasPrefix(out, "flowers@2: 20 pictures: train 8") {
		t.Errorf("split printed %q", out)
	}
	var all []catalog.Header
	if err := json.Unmarshal([]byte(datasetMust(t, home, "list", "--json")), &all); err != nil || len(all) != 2 || all[0].Version != 2 || all[1].Images != 20 {
		t.Errorf("list printed %+v, error %v", all, err)
	}
	if out := datasetMust(t, home, "show", "flowers@1"); !strings.Contains(out, "aster  10        0") {
		t.Errorf("show printed %q", out)
	}
	out, err := datasetRun(t, home, "check", "flowers", "--json")
	if err != nil || !strings.Contains(out, `"kind":"duplicate"`) || !strings.Contains(out, "the same file as") {
		t.Errorf("check found %s, error %v", out, err)
	}
	if out, err := datasetRun(t, home, "check", "flowers", "--strict"); !errors.Is(err, errReported) || !strings.Contains(out, "findings") {
		t.Errorf("check --strict printed %q, error %v", out, err)
	}
	voc := filepath.Join(t.TempDir(), "out")
	if out := datasetMust(t, home, "export", "flowers", voc, "--to", "csv"); !strings.HasPrefix(out, voc+": 20 pictures as csv") {
		t.Errorf("export printed %q", out)
	}
	if _, err := datasetRun(t, home, "export", "flowers", voc, "--to", "csv"); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("export into a full folder: %v", err)
	}
	if _, err := datasetRun(t, home, "export", "flowers", voc+"2", "--to", "yolo"); err == nil || !strings.Contains(err.Error(), "no label of the set can be written as yolo") {
		t.Errorf("labels of pictures as boxes: %v", err)
	}
	if out := datasetMust(t, home, "rm", "flowers"); !strings.Contains(out, "removed flowers@2") || !strings.Contains(out, "removed 19 files") {
		t.Errorf("rm printed %q", out)
	}
	if _, err := datasetRun(t, home, "show", "flowers"); err == nil || !strings.Contains(errorText(err), "There is no file or folder flowers, and no imported data set of that name") {
		t.Errorf("a removed set: %v", err)
	}
}

// TestDatasetSplitKeepsTogether looks where the groups went.
func TestDatasetSplitKeepsTogether(t *testing.T) {
	t.Parallel()
	home, dir := t.TempDir(), flowers(t)
	datasetMust(t, home, "import", dir, "--name", "flowers")
	datasetMust(t, home, "split", "flowers", "--val", "0.3", "--test", "0.2", "--group", "^(p[0-9]+)_")
	out := filepath.Join(t.TempDir(), "out")
	datasetMust(t, home, "export", "flowers", out, "--to", "csv")
	data, err := os.ReadFile(filepath.Join(out, "labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	side := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		f := strings.Split(line, ",")
		group, _, _ := strings.Cut(f[0], "_")
		if side[group] == "" {
			side[group] = f[2]
		}
		if side[group] != f[2] {
			t.Errorf("%s is in %s, its group in %s", f[0], f[2], side[group])
		}
	}
	if side["p0"] != side["p4"] { // p0_1 and p4_19 are one picture
		t.Errorf("a picture and its copy are in %s and %s", side["p0"], side["p4"])
	}
	if len(side) != 5 || side["p1"] == "" {
		t.Errorf("groups %v", side)
	}
}

func TestDatasetFetch(t *testing.T) {
	t.Parallel()
	dir := flowers(t)
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.ServeFile(w, r, filepath.Join(dir, filepath.Base(filepath.Dir(r.URL.Path)), filepath.Base(r.URL.Path)))
	}))
	t.Cleanup(s.Close)
	list := filepath.Join(t.TempDir(), "x.manifest")
	line := `{"source-ref":"` + s.URL + `/aster/p0_0.png","x":1,"x-metadata":{"class-name":"aster","type":"groundtruth/image-classification"}}` + "\n" +
		`{"source-ref":"` + s.URL + `/aster/none.png","x":1,"x-metadata":{"class-name":"aster","type":"groundtruth/image-classification"}}` + "\n"
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if _, err := datasetRun(t, home, "import", list); err == nil || !strings.Contains(err.Error(), "nothing is fetched unless it is asked for") || asked != 0 {
		t.Errorf("without --fetch: %v, %d requests", err, asked)
	}
	out := datasetMust(t, home, "import", list, "--fetch")
	if !strings.HasPrefix(out, "x@1: 1 pictures") || !strings.Contains(out, "x.manifest:2: fetching") {
		t.Errorf("import --fetch printed %q", out)
	}
	before := asked
	datasetMust(t, home, "import", list, "--fetch", "--name", "again")
	if asked != before+1 { // but for the one that is not there
		t.Errorf("%d requests for what was fetched before", asked-before-1)
	}
}
